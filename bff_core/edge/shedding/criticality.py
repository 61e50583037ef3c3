"""The criticality of a request: by its route, its purpose, its viewer."""

from collections.abc import Callable, Mapping
from typing import TypeVar

from cachetools import FIFOCache
from starlette.types import Scope as ASGIScope

from bff_core.errors import ConfigurationError
from bff_core.keywords import checks_keywords
from bff_core.policy.edge.shedding import (
    CLASSES,
    DEFAULT_CRITICALITY,
    Criticality,
    combined_criticality,
)
from bff_core.routing.route_table import CRITICALITY, RouteTable

E = TypeVar("E")

MAX_VIEWERS = 10_000
"""How many viewers with another criticality than the usual one are remembered, the newest."""

Fields = Mapping[bytes, bytes]
"""The last value of each header field of a request."""


@checks_keywords
def criticality(one: Criticality) -> Callable[[E], E]:
    """Set the criticality of a route's requests: a decorator for the function behind any route.

        @app.post("/telemetry")
        @criticality("sheddable")
        async def telemetry(report: Report) -> None: ...

    Views and GraphQL have an option for it. It also works on a mounted ASGI application.
    """
    if one not in CLASSES:
        raise ConfigurationError(f"criticality {one!r} is unknown: use {', '.join(CLASSES)}.")

    def mark(endpoint: E) -> E:
        setattr(endpoint, CRITICALITY, one)
        return endpoint

    return mark


class RequestCriticality:
    """The criticality of requests, of which only the head is known yet.

    A prefetch is sheddable on every route, since no user waits for it yet. The criticality of a
    viewer is remembered when a request has been authenticated, and found by the credentials later.
    """

    __slots__ = ("_known", "routes")

    def __init__(self) -> None:
        self.routes = RouteTable()
        self._known: FIFOCache[int, Criticality] = FIFOCache(MAX_VIEWERS)

    def of(self, scope: ASGIScope, fields: Fields) -> Criticality:
        """Return the criticality of a request by its route, its purpose and its credentials."""
        routes = self.routes
        route = routes.match(scope).criticality if routes.has_criticality else DEFAULT_CRITICALITY
        return self._on_route(route, fields)

    def of_path(self, method: str, path: str, fields: Fields) -> Criticality:
        """Return the criticality of a request that has no ASGI scope yet."""
        routes = self.routes
        route = (
            routes.find(method, path).criticality if routes.has_criticality else DEFAULT_CRITICALITY
        )
        return self._on_route(route, fields)

    def _on_route(self, route: Criticality, fields: Fields) -> Criticality:
        if _is_prefetch(fields):
            return "sheddable"
        key = _credentials(fields) if self._known else None
        return (
            route
            if key is None
            else combined_criticality(route, self._known.get(key, DEFAULT_CRITICALITY))
        )

    def remember(self, viewer: Criticality, fields: Fields) -> None:
        """Remember the criticality of the viewer with these credentials, if there are any."""
        key = _credentials(fields)
        if key is not None:
            self._known[key] = viewer


def _is_prefetch(fields: Fields) -> bool:
    """Whether this is a prefetch (Fetch standard, `Sec-Purpose`; older browsers: `Purpose`)."""
    purpose = fields.get(b"sec-purpose") or fields.get(b"purpose")
    return purpose is not None and purpose.startswith(b"prefetch")


def _credentials(fields: Fields) -> int | None:
    shown = fields.get(b"authorization"), fields.get(b"cookie")
    # A hash is enough. It is not a secret, since each process has another salt.
    return None if shown == (None, None) else hash(shown)
