"""Rate limits: refuses callers beyond a limit, and reports to all what is left."""

import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import lru_cache
from ipaddress import IPv6Address, IPv6Network

import http_sf
from http_sf.types import BareItemType
from starlette.responses import Response

from bff_core.auth.viewer import Viewer
from bff_core.edge.forwarded import parse_address
from bff_core.errors import ConfigurationError, TooManyRequests
from bff_core.http_exchange.request_context import RequestContext
from bff_core.limits.interface import LimitQuery, LimitStore, LimitVerdict
from bff_core.policy.edge.rate_limits import UNITS, Limit, LimitStatus, whole_seconds
from bff_core.routing.path import path_of
from bff_core.scope import Scope

GetStore = Callable[[], LimitStore]

IPV6_PREFIX = 64
"""How much of an IPv6 address names one customer; the rest is theirs to choose."""


class LimitExceeded(TooManyRequests):
    """The caller is beyond one of its limits; `limits` are the names of those that refused."""

    def __init__(self, wait: int, limits: Sequence[str]) -> None:
        super().__init__(f"You ask too often: try again in {wait} s.", retry_after=wait)
        self.limits = limits

    @property
    def members(self) -> Mapping[str, object]:
        """Which limits, by the name that draft-ietf-httpapi-ratelimit-headers has for it."""
        return {"violated-policies": list(self.limits)}


def checked(limits: Sequence[Limit]) -> Sequence[Limit]:
    """Return limits whose names differ; raise `ConfigurationError` for two of one name."""
    names = [limit.name for limit in limits]
    for name in names:
        if names.count(name) > 1:
            raise ConfigurationError(
                f"Two limits are called {name!r} and would count as one: give them names, "
                "Limit(..., name=...)"
            )
    return limits


class RateLimits:
    """Around authentication: a caller beyond one of its limits gets a 429.

    Limits by address are checked before credentials are, so that guessing them is limited as well;
    those by viewer or key after. Each answer reports what is left: `RateLimit` and
    `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers), and `Retry-After` on a refusal.
    """

    __slots__ = ("_charges", "_holds_always", "_limits", "_policies", "_store")

    def __init__(self, limits: Sequence[Limit], *, store: GetStore) -> None:
        self._limits = tuple(limits)
        self._holds_always = all(limit.applies_always for limit in limits)
        self._charges = any(limit.cost != "request" for limit in limits)
        self._policies = {limit.name: _policy(limit) for limit in limits}
        self._store = store

    def check(self, context: RequestContext) -> Awaitable[None] | None:
        """Count the request against each limit that applies to it."""
        limits: Sequence[Limit] = self._limits
        if not self._holds_always:
            # A web socket begins as a GET.
            method, path = context.asgi.get("method", "GET"), path_of(context.asgi)
            limits = [limit for limit in limits if limit.applies_to(method, path)]
        return self._admit(limits, context) if limits else None

    async def _admit(self, limits: Sequence[Limit], context: RequestContext) -> None:
        queries = [LimitQuery(limit, _caller(limit, context)) for limit in limits]
        verdict = await self._store().admit(queries)
        self._report(context, queries, verdict.statuses)
        if not verdict.is_admitted:
            raise _refusal(queries, verdict)
        if self._charges:
            context.state[self] = queries

    def finish(self, context: RequestContext, response: Response | None) -> Awaitable[None] | None:
        """Charge the calls that were made, or the cost of the query, where a limit counts those."""
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


def _refusal(queries: Sequence[LimitQuery], verdict: LimitVerdict) -> LimitExceeded:
    rows = zip(queries, verdict.statuses, strict=True)
    refusing = [one.limit.name for one, status in rows if status.retry_after]
    return LimitExceeded(max(1, whole_seconds(verdict.retry_after)), refusing)


def _add(context: RequestContext, name: bytes, value: bytes) -> None:
    """Add a list field, or its members to those that are there."""
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
    """Return who a request counts for: by the limit's own key, else by address."""
    if limit.by == "viewer" and not (viewer := Viewer.from_scope(context.scope)).is_anonymous:
        return f"viewer:{_digest(viewer.identity.encode())}"
    if limit.by == "key":
        key = context.fields.get(limit.key_header.lower().encode("latin-1"))
        if key:
            return f"key:{_digest(key)}"
    client = context.asgi.get("client")
    return _network(client[0] if client else "")


def _digest(secret: bytes) -> str:
    """Return what stands for a key or a name of any length where others may read it."""
    return hashlib.blake2b(secret, digest_size=16).hexdigest()


@lru_cache(maxsize=4096)
def _network(peer: str) -> str:
    address = parse_address(peer)
    if isinstance(address, IPv6Address):
        network = IPv6Network((address, IPV6_PREFIX), strict=False)
        return f"address:{network.network_address}"
    return f"address:{address or peer}"
