"""What a request matters: by its route, by what a browser says of it, by who asks."""

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self, TypeVar

from starlette.routing import BaseRoute

from bff_core.errors import ConfigurationError
from bff_core.policy.edge.shedding import CLASSES, USUAL, Criticality, moved
from bff_core.routing.route_table import RouteEntry, places_of

E = TypeVar("E")

MARK = "__criticality__"

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
        setattr(endpoint, MARK, one)
        return endpoint

    return mark


@dataclass(frozen=True, slots=True)
class Rule:
    """A route as far as its class is concerned."""

    place: RouteEntry
    rank: Criticality

    def hides(self, other: Self) -> bool:
        """Whether a later route of another class may match what this one takes."""
        path, later = self.place.path, other.place.path
        if other.rank == self.rank or ":path}" in path + later:
            return other.rank != self.rank
        ours, theirs = path.split("/"), later.split("/")
        return len(ours) == len(theirs) and all(
            a == b or "{" in a + b for a, b in zip(ours, theirs, strict=True)
        )


class Rules:
    """The classes of routes; as in FastAPI, the first route that matches decides.

    Only routes of another class than the usual one are kept, and those before them that match
    some of the same paths: most requests are decided by a pattern or two.
    """

    __slots__ = ("_kept",)

    def __init__(self, routes: Sequence[BaseRoute] = ()) -> None:
        known = [Rule(one, getattr(one.behind, MARK, USUAL)) for one in places_of(routes)]
        self._kept = [
            one
            for place, one in enumerate(known)
            if one.rank != USUAL or any(one.hides(other) for other in known[place:])
        ]

    def of(self, method: str, path: str) -> Criticality:
        """Return the class of the route that will serve a request."""
        method = "GET" if method == "HEAD" else method
        for rule in self._kept:
            if rule.place.holds(method, path):
                return rule.rank
        return USUAL


class Ranks:
    """Ranks requests before anything else is known of them than their head.

    A prefetch, which nobody waits for yet, is sheddable whatever it asks for. A viewer's class is
    learnt when a request of theirs has been authenticated, and found again by the credentials.
    """

    __slots__ = ("_known", "rules")

    def __init__(self) -> None:
        self.rules = Rules()
        self._known: OrderedDict[int, Criticality] = OrderedDict()

    def of(self, method: str, path: str, fields: Fields) -> Criticality:
        """Return the class of a request by its route, its purpose and its credentials."""
        if _is_prefetch(fields):
            return "sheddable"
        route = self.rules.of(method, path)
        key = _credentials(fields) if self._known else None
        return route if key is None else moved(route, self._known.get(key, USUAL))

    def learn(self, viewer: Criticality, fields: Fields) -> None:
        """Remember whose credentials these are; a viewer who is known otherwise is not."""
        key = _credentials(fields)
        if key is None:
            return
        self._known[key] = viewer
        self._known.move_to_end(key)
        if len(self._known) > MOST_KNOWN:
            self._known.popitem(last=False)


def _is_prefetch(fields: Fields) -> bool:
    """Whether a browser asks in advance (Fetch standard, `Sec-Purpose`; older ones: `Purpose`)."""
    told = fields.get(b"sec-purpose") or fields.get(b"purpose")
    return told is not None and told.startswith(b"prefetch")


def _credentials(fields: Fields) -> int | None:
    shown = fields.get(b"authorization"), fields.get(b"cookie")
    # The hash is enough, and is no secret: it is salted anew in every process.
    return None if shown == (None, None) else hash(shown)
