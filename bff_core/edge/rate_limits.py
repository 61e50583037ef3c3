"""Rate limits: refuses callers beyond a limit, and reports in each answer what is left."""

import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence

import http_sf
from http_sf.types import BareItemType
from starlette.responses import Response

from bff_core.auth.viewer import Viewer
from bff_core.client_address import network_of
from bff_core.errors import ConfigurationError, TooManyRequests
from bff_core.http_exchange.request_context import RequestContext
from bff_core.limits.interface import LimitQuery, LimitStore, LimitVerdict
from bff_core.policy.edge.rate_limits import UNITS, Limit, LimitStatus, whole_seconds
from bff_core.routing.route_table import WEB_SOCKET, RouteEntry, RouteTable
from bff_core.scope import Scope

GetStore = Callable[[], LimitStore]

Counts = Callable[[Limit], bool]
"""Whether a limit is counted."""


def counts_none(_: Limit) -> bool:
    """Count no limit."""
    return False


class LimitExceeded(TooManyRequests):
    """The caller is beyond one of its limits; `limits` are the names of the exceeded ones."""

    def __init__(self, wait: int, limits: Sequence[str]) -> None:
        super().__init__(f"Too many requests: try again in {wait} s.", retry_after=wait)
        self.limits = limits

    @property
    def members(self) -> Mapping[str, object]:
        """The exceeded limits, in the member of draft-ietf-httpapi-ratelimit-headers."""
        return {"violated-policies": list(self.limits)}


def checked(limits: Sequence[Limit]) -> Sequence[Limit]:
    """Return the limits; raise `ConfigurationError` if two have the same name."""
    names = [limit.name for limit in limits]
    for name in names:
        if names.count(name) > 1:
            raise ConfigurationError(
                f"Two limits are called {name!r} and would count as one: give them names, "
                "Limit(..., name=...)"
            )
    return limits


class RateLimits:
    """Before and after authentication: a caller beyond one of its limits gets a 429.

    Limits by address are checked before the credentials, so that guessing these is limited, too;
    limits by viewer or key are checked afterwards. Each answer reports what is left in `RateLimit`
    and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers). A 429 has `Retry-After`.
    `refused` counts refusals by the name of the limit. `counts` is whether a limit of one route
    alone is checked here.
    """

    __slots__ = (
        *("_by_route", "_charges", "_counts", "_limits", "_policies", "_refused", "_routes"),
        "_store",
    )

    def __init__(
        self,
        limits: Sequence[Limit],
        *,
        routes: RouteTable,
        store: GetStore,
        refused: dict[str, int] | None = None,
        counts: Counts = counts_none,
    ) -> None:
        self._limits = limits
        self._counts = counts
        self._refused = {} if refused is None else refused
        self._routes = routes
        self._by_route = limits_by_route(limits, routes, counts)
        every = {*limits, *(one for found in self._by_route.values() for one in found)}
        self._charges = any(limit.cost != "request" for limit in every)
        self._policies = {limit.name: _policy(limit) for limit in every}
        self._store = store

    def check(self, context: RequestContext) -> Awaitable[None] | None:
        """Count the request against each limit that applies to it."""
        match = self._routes.match(context.asgi)
        limits = self._by_route.get((match.entry, match.method))
        if limits is None:
            every = (*self._limits, *own_limits(match.entry, self._counts))
            limits = _limits_for(match.method, match.path, every)
        return self._admit(limits, context) if limits else None

    async def _admit(self, limits: Sequence[Limit], context: RequestContext) -> None:
        queries = [LimitQuery(limit, _caller(limit, context)) for limit in limits]
        verdict = await self._store().admit(queries)
        self._report(context, queries, verdict.statuses)
        if not verdict.is_admitted:
            refusal = _refusal(queries, verdict)
            for name in refusal.limits:
                self._refused[name] = self._refused.get(name, 0) + 1
            raise refusal
        if self._charges:
            context.state[self] = queries

    def finish(self, context: RequestContext, response: Response | None) -> Awaitable[None] | None:
        """Charge the calls to services or the cost of the query, if a limit counts them."""
        del response
        queries = context.state.get(self)
        return self._charge(queries, context.scope) if queries else None

    async def _charge(self, queries: Sequence[LimitQuery], scope: Scope) -> None:
        for unit, cost in (("calls", scope.calls), ("query", scope.query_cost or 1)):
            charged = [one for one in queries if one.limit.cost == unit]
            if charged and cost:
                await self._store().charge(charged, cost)

    def _report(
        self,
        context: RequestContext,
        queries: Sequence[LimitQuery],
        statuses: Sequence[LimitStatus],
    ) -> None:
        policies = b", ".join([self._policies[one.limit.name] for one in queries])
        rows = zip(queries, statuses, strict=True)
        left = [
            f'"{one.limit.name}";r={status.remaining};t={whole_seconds(status.reset)}'
            for one, status in rows
        ]
        _add(context, b"ratelimit-policy", policies)
        _add(context, b"ratelimit", ", ".join(left).encode("ascii"))


def limits_by_route(
    limits: Sequence[Limit], routes: RouteTable, counts: Counts = counts_none
) -> dict[tuple[RouteEntry | None, str], Sequence[Limit]]:
    """Return the limits of each route and method for which the route alone decides.

    A limit on `/reports/free` applies to some paths of `/reports/{name}`: such routes are left out.
    """
    prefixes = [path for limit in limits for path in (*limit.paths, *limit.exempt)]
    return {
        (entry, method): (
            *_limits_for(method, entry.path, limits),
            *_limits_for(method, entry.path, own_limits(entry, counts)),
        )
        for entry in routes.entries
        if all(entry.is_below(prefix) is not None for prefix in prefixes)
        for method in (entry.methods | {"HEAD", WEB_SOCKET})
    }


def own_limits(entry: RouteEntry | None, counts: Counts) -> Sequence[Limit]:
    """Return the limits of one route alone that are counted."""
    matching = None if entry is None else entry.matching
    return () if matching is None else [one for one in matching.limits if counts(one)]


def _limits_for(method: str, path: str, limits: Sequence[Limit]) -> Sequence[Limit]:
    method = "GET" if method == WEB_SOCKET else method  # which begins as a GET
    return [limit for limit in limits if limit.applies_to(method, path)]


def _refusal(queries: Sequence[LimitQuery], verdict: LimitVerdict) -> LimitExceeded:
    rows = zip(queries, verdict.statuses, strict=True)
    refusing = [one.limit.name for one, status in rows if status.retry_after]
    return LimitExceeded(max(1, whole_seconds(verdict.retry_after)), refusing)


def _add(context: RequestContext, name: bytes, value: bytes) -> None:
    """Add a header that is a list, or add members to the list."""
    others = []
    for field in context.added:
        if field[0] == name:
            value = b"%b, %b" % (field[1], value)
        else:
            others.append(field)
    context.added = (*others, (name, value))


def _policy(limit: Limit) -> bytes:
    parameters: dict[str, BareItemType] = {"q": limit.quota, "w": whole_seconds(limit.per)}
    if limit.cost != "request":
        parameters["qu"] = UNITS[limit.cost]
    return http_sf.ser((limit.name, parameters)).encode("ascii")


def _caller(limit: Limit, context: RequestContext) -> str:
    """Return the caller that a request counts for: the limit's viewer or key, else the address."""
    if limit.by == "viewer" and not (viewer := Viewer.from_scope(context.scope)).is_anonymous:
        return f"viewer:{_digest(viewer.identity.encode())}"
    if limit.by == "key":
        key = context.fields.get(limit.key_header.lower().encode("latin-1"))
        if key:
            return f"key:{_digest(key)}"
    client = context.asgi.get("client")
    return network_of(client[0] if client else "")


def _digest(secret: bytes) -> str:
    """Return a short hash in place of a key or a name, since others can read the store."""
    return hashlib.blake2b(secret, digest_size=16).hexdigest()
