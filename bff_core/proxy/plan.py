"""What a proxied route does to a request, compiled once when the gateway is made."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

from bff_core.errors import ConfigurationError
from bff_core.policy.edge.rate_limits import Limit
from bff_core.policy.upstream.cache import Cache
from bff_core.proxy.match import Match
from bff_core.proxy.matcher import holds_of
from bff_core.proxy.precedence import PathMatch, per_host, rank_of
from bff_core.proxy.route import Route
from bff_core.proxy.transform import Transform
from bff_core.proxy.transforms.path import RewritePath, RouteParameters, rewrite_of
from bff_core.proxy.transforms.query import RewriteQuery, query_of
from bff_core.proxy.transforms.request_headers import RequestHeaders
from bff_core.proxy.transforms.response_headers import ChangeReply, reply_headers_of
from bff_core.routing.matching import Rank, RankedMatch


class RouteMatching:
    """How a proxied route is matched, and which options of the edge are its own.

    `place` is the file and the line of a route that a file has.
    """

    def __init__(self, route: Route, place: str = "") -> None:
        self.route, self.name, self.place = route, route.id, place
        self.ways = [RankedMatch(rank_of(one), holds_of(one)) for one in per_host(route.match)]
        self.takes_sockets = bool(route.websocket)
        self.is_fallback = _is_fallback(route.match)
        self.limits: Sequence[Limit] = [
            replace(one, name=f"{_named(route.id)}-{one.name}") for one in route.limits
        ]
        self.max_body = route.max_body
        self.timeout = route.timeout
        self.cors = route.cors

    def rank_of(self, path: str, methods: frozenset[str]) -> Rank:
        """Return the rank of a route in Python."""
        return rank_of(PathMatch(path, tuple(methods)))


def _named(route_id: str) -> str:
    """Return the id of a route as the name of a limit may have it."""
    return "".join(one if one.isascii() and one.isalnum() else "-" for one in route_id)


def _is_fallback(match: Match) -> bool:
    segments = match.path.strip("/").split("/")
    is_rest = len(segments) == 1 and segments[0].endswith(":path}") and segments[0][0] == "{"
    return is_rest and match.order >= 0 and holds_of(match) is None


@dataclass(frozen=True, slots=True, eq=False)
class ForwardPlan:
    """The compiled transforms of one route, and its options of forwarding.

    `name` names its calls in events. `cache` overrides the cache of the upstream's policy.
    """

    name: str
    gateway: str
    cache: Cache | bool
    idle_timeout: float | None
    parameters: RouteParameters
    rewrite: RewritePath
    query: RewriteQuery | None
    headers: RequestHeaders
    reply: ChangeReply
    method: str
    passes_cookies: bool
    sends_own_host: bool
    has_redirects: bool

    @classmethod
    def of(cls, route: Route, gateway: str) -> Self:
        """Compile a route; raise `ConfigurationError` for a placeholder that names nothing."""
        plan = cls.of_transform(
            route.transform or Transform(),
            route.match.path,
            route.id,
            gateway,
            where=f"Route({route.id!r}).transform",
            names_methods=bool(route.match.methods),
        )
        return replace(plan, cache=route.cache, idle_timeout=route.idle_timeout)

    @classmethod
    def of_transform(
        cls,
        transform: Transform,
        path: str,
        name: str,
        gateway: str,
        *,
        where: str,
        names_methods: bool,
    ) -> Self:
        """Compile a transform for a route with the template `path`."""
        if transform.trailers is not None:
            raise ConfigurationError(f"{where}.trailers: trailers do not pass the gateway yet")
        parameters = RouteParameters(path)
        names = parameters.names
        query = transform.query
        return cls(
            name=name,
            gateway=gateway,
            cache=True,
            idle_timeout=None,
            parameters=parameters,
            rewrite=rewrite_of(transform.path, names, f"{where}.path"),
            query=None if query is None else query_of(query, names, f"{where}.query"),
            headers=RequestHeaders(transform, names, gateway, where, names_methods=names_methods),
            reply=reply_headers_of(transform, names, where),
            method=transform.method.upper(),
            passes_cookies=bool(transform.cookies),
            sends_own_host=transform.host == "client",
            has_redirects=transform.redirects,
        )
