"""Names routes: what a call is counted as, and what a fault may be set on."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from fastapi import APIRouter
from fastapi.routing import APIRoute
from starlette.types import Scope

ROUTE = "services_mock.route"
"""Where a scope holds the name of its route."""

EXEMPT = frozenset({"/__calls__", "/__faults__", "/healthz", "/openapi.json"})
"""Paths that are neither counted nor faulted, stored nor cached."""


@dataclass(frozen=True, slots=True)
class Route:
    """One route: its name is method and template."""

    method: str
    template: str
    pattern: re.Pattern[str]

    @property
    def name(self) -> str:
        """Return the route as counters and faults call it."""
        return f"{self.method} {self.template}"


class RouteTable:
    """All routes of a service, in the order in which they are tried."""

    def __init__(self, router: APIRouter) -> None:
        self._routes = tuple(_routes(router))

    def name_of(self, scope: Scope) -> str:
        """Return the name of the route that a request takes."""
        method, path = scope["method"], scope["path"]
        for route in self._routes:
            if route.method == method and route.pattern.match(path):
                return route.name
        return f"{method} unmatched"

    def knows(self, name: str) -> bool:
        """Tell whether `*`, a template or `METHOD template` stands for a route."""
        return name == "*" or any(name in {route.name, route.template} for route in self._routes)


def covers(pattern: str, name: str) -> bool:
    """Tell whether what a fault was set on includes a route."""
    return pattern in {"*", name, name.partition(" ")[2]}


def _routes(router: APIRouter) -> Iterable[Route]:
    for route in router.routes:
        if isinstance(route, APIRoute):
            for method in sorted(route.methods or ()):
                yield Route(method, route.path, route.path_regex)
