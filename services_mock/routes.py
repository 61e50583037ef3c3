"""Names routes, for counters and faults."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from fastapi import APIRouter
from fastapi.routing import APIRoute
from starlette.types import Scope

ROUTE = "services_mock.route"
"""The key of the route's name in a scope."""

EXEMPT = frozenset({"/__calls__", "/__faults__", "/healthz", "/openapi.json"})
"""Paths without counters, faults, idempotency and caching."""


@dataclass(frozen=True, slots=True)
class Route:
    """One route: its name is method and template."""

    method: str
    template: str
    pattern: re.Pattern[str]

    @property
    def name(self) -> str:
        """Return the name of the route for counters and faults."""
        return f"{self.method} {self.template}"


class RouteTable:
    """All routes of a service, in the order in which they are tried."""

    def __init__(self, *routers: APIRouter) -> None:
        self._routes = tuple(route for router in routers for route in _routes(router))

    def name_of(self, scope: Scope) -> str:
        """Return the name of the route that a request takes."""
        method, path = scope["method"], scope["path"]
        for route in self._routes:
            if route.method == method and route.pattern.match(path):
                return route.name
        return f"{method} unmatched"

    def knows(self, name: str) -> bool:
        """Whether `*`, a template or `METHOD template` matches a route."""
        return name == "*" or any(name in {route.name, route.template} for route in self._routes)


def covers(pattern: str, name: str) -> bool:
    """Whether the target of a fault includes a route."""
    return pattern in {"*", name, name.partition(" ")[2]}


def _routes(router: APIRouter) -> Iterable[Route]:
    for route in router.routes:
        if isinstance(route, APIRoute):
            for method in sorted(route.methods or ()):
                yield Route(method, route.path_format, route.path_regex)
