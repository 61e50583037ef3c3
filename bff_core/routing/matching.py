"""The interface of routes that compete by rank and conditions, as proxied routes do."""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple, Protocol

from starlette.types import Scope as ASGIScope

from bff_core.policy.edge.rate_limits import Limit

MATCHING: Final = "__matching__"
"""The attribute of an endpoint with the `Matching` of its route."""

Rank = tuple[object, ...]
"""Of two routes that match a request, the one whose rank sorts first serves it."""

Holds = Callable[[ASGIScope], bool]
"""Whether the conditions of a route hold for the head of a request."""


class RankedMatch(NamedTuple):
    """One way to match a route: its rank, and its conditions; None if it has none."""

    rank: Rank
    holds: Holds | None


class Matching(Protocol):
    """How a route is matched that competes with all others by its rank.

    `ways` are alternatives, such as one for each host. The route `takes_sockets` if the handshake
    of a web socket may match it. A route that `is_fallback` takes what no path of another route
    matches, by whatever method. `limits` are those of the route alone, `max_body` is the largest
    body of a request in bytes, and `timeout` its deadline in seconds, or None for the gateway's.
    """

    @property
    def name(self) -> str:
        """The name of the route: of two with equal ranks, the one that sorts first serves."""
        ...

    @property
    def ways(self) -> Sequence[RankedMatch]:
        """The alternatives."""
        ...

    @property
    def takes_sockets(self) -> bool:
        """Whether the route takes web sockets."""
        ...

    @property
    def is_fallback(self) -> bool:
        """Whether the route takes all paths, without any condition."""
        ...

    @property
    def limits(self) -> Sequence[Limit]:
        """The rate limits of the route."""
        ...

    @property
    def cors(self) -> object:
        """The `CorsOptions` of the route; None for those of the gateway."""
        ...

    @property
    def max_body(self) -> int:
        """The largest body of a request, in bytes."""
        ...

    @property
    def timeout(self) -> float | None:
        """The deadline of requests, in seconds."""
        ...

    def rank_of(self, path: str, methods: frozenset[str], /) -> Rank:
        """Return the rank of a route without conditions, by its template and its methods."""
        ...
