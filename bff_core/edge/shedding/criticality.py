"""The criticality of a request: by its route, its purpose, its viewer."""

from collections.abc import Callable, Mapping
from typing import TypeVar

from cachetools import FIFOCache
from starlette.types import Scope as ASGIScope

from bff_core.errors import ConfigurationError
from bff_core.policy.edge.shedding import (
    CLASSES,
    DEFAULT_CRITICALITY,
    Criticality,
    combined_criticality,
)
from bff_core.routing.route_table import CRITICALITY, RouteTable

E = TypeVar("E")

MOST_KNOWN = 10_000
"""Viewers of another class than the usual one that are remembered; the stalest goes first."""

Fields = Mapping[bytes, bytes]
"""The last value of each header field of a request."""


def criticality(one: Criticality) -> Callable[[E], E]:
    """Say what the requests of a route matter: a decorator for the function behind any route.

        @app.post("/telemetry")
        @criticality("sheddable")
        async def telemetry(report: Report) -> None: ...

    Views and GraphQL take it as an option. An ASGI application that is mounted may have it, too.
    """
    if one not in CLASSES:
        raise ConfigurationError(f"criticality {one!r} is unknown: use {', '.join(CLASSES)}.")

    def mark(endpoint: E) -> E:
        setattr(endpoint, CRITICALITY, one)
        return endpoint

    return mark


class Ranks:
    """Ranks requests before anything else is known of them than their head.

    A prefetch, which no user waits for yet, is sheddable whatever its route. A viewer's class is
    learnt when a request of theirs has been authenticated, and found again by the credentials.
    """

    __slots__ = ("_known", "routes")

    def __init__(self) -> None:
        self.routes = RouteTable()
        self._known: FIFOCache[int, Criticality] = FIFOCache(MOST_KNOWN)

    def of(self, scope: ASGIScope, fields: Fields) -> Criticality:
        """Return the class of a request by its route, its purpose and its credentials."""
        if _is_prefetch(fields):
            return "sheddable"
        ranked = self.routes.is_any_ranked
        return self._moved(
            self.routes.match(scope).criticality if ranked else DEFAULT_CRITICALITY, fields
        )

    def of_path(self, method: str, path: str, fields: Fields) -> Criticality:
        """Return the class of a request that has no ASGI scope yet; `path` is the route's."""
        if _is_prefetch(fields):
            return "sheddable"
        ranked = self.routes.is_any_ranked
        return self._moved(
            self.routes.find(method, path).criticality if ranked else DEFAULT_CRITICALITY, fields
        )

    def _moved(self, route: Criticality, fields: Fields) -> Criticality:
        key = _credentials(fields) if self._known else None
        return (
            route
            if key is None
            else combined_criticality(route, self._known.get(key, DEFAULT_CRITICALITY))
        )

    def learn(self, viewer: Criticality, fields: Fields) -> None:
        """Remember whose credentials these are; a viewer who is known otherwise is not."""
        key = _credentials(fields)
        if key is not None:
            self._known[key] = viewer


def _is_prefetch(fields: Fields) -> bool:
    """Whether this is a prefetch (Fetch standard, `Sec-Purpose`; older browsers: `Purpose`)."""
    purpose = fields.get(b"sec-purpose") or fields.get(b"purpose")
    return purpose is not None and purpose.startswith(b"prefetch")


def _credentials(fields: Fields) -> int | None:
    shown = fields.get(b"authorization"), fields.get(b"cookie")
    # The hash is enough, and is no secret: it is salted anew in every process.
    return None if shown == (None, None) else hash(shown)
