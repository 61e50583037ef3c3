"""When a composed answer is served from the view cache, and when it is stored there.

The lookup runs after the edge, so load shedding, limits and authentication apply to cached answers.
An entry is served while it is fresh, that is until the first of its parts is stale. Then the answer
is composed again, and the upstream cache serves stale replies, refreshes and coalesces.

Answers are cached per viewer. Viewers share one only where the view declares it (`public=True`,
`per_tenant=True`) and its composition read nothing that forbids it: the viewer, or a reply that is
a viewer's. `AnswerCacheability` records what was read. An answer that depends on a viewer is cached
per viewer, and a warning names what was read.

The key also holds the request headers (and the query, as a whole) that answers of the view were
found to depend on, as the secondary keys of `Vary` (RFC 9111, section 4.1). The set only grows.

A shared entry is right for a viewer whose own answer would depend on the viewer, too. The entry's
composition read nothing of the request but what is in the key. If this viewer had sent the request
at that time, each read would have returned the same value: a parameter or a header because the keys
are equal, a reply because it is public. So the view would have returned the same answer. If it
returned another answer now, then a reply (or the time, or a global) has changed since, and a cache
may serve an answer that is still fresh.
"""

from collections.abc import Callable, Sequence
from typing import Final

from bff_core.answer_cacheability import PER_TENANT, PER_VIEWER, PUBLIC, AnswerCacheability, Sharing
from bff_core.cache.entry import CacheEntry
from bff_core.cache.response_cache import ResponseCache
from bff_core.cache.status import forwarded, hit
from bff_core.composition.wiring import Wiring
from bff_core.edge.entity_tags import Fields
from bff_core.errors import ConfigurationError
from bff_core.events import ConfigurationWarned
from bff_core.http_exchange.part_headers import COMPLETE
from bff_core.scope import Scope
from bff_core.view_cache.headers import add_freshness, cache_entry, exceeded_limit
from bff_core.view_cache.key import UnkeyableValue, Vary, canonical

VIEWS: Final = "views"
"""The name of the view cache among the upstreams in figures and events."""

MAX_REFUSALS: Final = 8
"""After so many uncacheable answers in a row, dependencies are not recorded for a while.

Recording takes 4 % of the instructions of a screen with three calls.
"""

PAUSE_SECONDS: Final = 1.0
"""How long recording pauses."""

MAX_VARY_HEADERS: Final = 8


def declared_sharing(*, public: bool, per_tenant: bool, cache: bool) -> Sharing:
    """Return which viewers may share answers; raise `ConfigurationError` for a contradiction."""
    if public and per_tenant:
        raise ConfigurationError("public= and per_tenant= exclude each other")
    if (public or per_tenant) and not cache:
        raise ConfigurationError("cache=False stores no answer, so none can be shared")
    return PUBLIC if public else PER_TENANT if per_tenant else PER_VIEWER


class ViewCache:
    """The view cache of one view: its keys, and whether its answers are cacheable.

    `operation` names the view in events. `shape` returns a hash of the schema of its answers: a
    release that renames a field must not find answers of the previous one. `declared` says which
    viewers may share an answer. `sharings` are those of the answers stored so far, the widest
    first; a request looks up one key for each. `current_vary` is what the key holds of the request.
    `reason` is why the last answer was not stored. If not `enabled`, the view stores nothing and
    reports `bypass`.
    """

    __slots__ = (
        "_declared", "_enabled", "_gateway", "_has_warned", "_hit_format", "_misses",
        "_paused_until", "_prefix", "_refusals", "_shape", "bypass_status", "current_vary",
        "operation", "reason", "sharings", "stored_status",
    )  # fmt: skip

    def __init__(
        self,
        gateway: str,
        operation: str,
        shape: Callable[[], str],
        *,
        enabled: bool = True,
        declared: Sharing = PER_VIEWER,
    ) -> None:
        self.operation = operation
        self.bypass_status = (b"cache-status", forwarded(gateway, "bypass"))
        self.stored_status = (b"cache-status", forwarded(gateway, "miss", is_stored=True))
        self.reason = ""
        self._declared = declared
        self._enabled = enabled
        self._gateway = gateway
        self._has_warned = False
        # A format string: percent signs in the gateway's name are escaped.
        self._hit_format = hit(gateway, 0.0)[:-1].replace(b"%", b"%%") + b"%d"
        self._misses: dict[str, tuple[bytes, bytes]] = {}
        self._paused_until = 0.0
        self._prefix = ""
        self._refusals = 0
        self._shape = shape
        self.sharings: tuple[Sharing, ...] = ()
        self.current_vary = Vary()

    @property
    def declared(self) -> Sharing | None:
        """Which viewers may share an answer; None if the view stores none."""
        return self._declared if self._enabled else None

    def begin(self, wiring: Wiring, scope: Scope) -> "CacheableRequest | None":
        """Return the request as the cache handles it; None if it is neither found nor stored."""
        cache = wiring.cache
        if cache is None or not self._enabled:
            return None
        is_paused = self._refusals >= MAX_REFUSALS and wiring.clock() < self._paused_until
        if is_paused and not self.sharings:
            return None
        return CacheableRequest(self, cache, wiring, scope, is_paused=is_paused)

    def add_status(self, wiring: Wiring, headers: Fields) -> None:
        """Add the `Cache-Status` of an answer for which `begin` returned None."""
        if wiring.cache is not None:
            headers.append(self.miss_status(self.reason) if self._enabled else self.bypass_status)

    def miss_status(self, reason: str) -> tuple[bytes, bytes]:
        """Return the `Cache-Status` of an answer that is not stored, and why."""
        status = self._misses.get(reason)
        if status is None:
            value = forwarded(self._gateway, "miss", detail=reason)
            status = self._misses[reason] = (b"cache-status", value)
        return status

    def hit_status(self, left: float) -> tuple[bytes, bytes]:
        """Return the `Cache-Status` of an answer that stays fresh for `left` seconds."""
        return (b"cache-status", self._hit_format % left)

    def identity(self, values: tuple[object, ...]) -> str:
        """Return the part of a key for the view and its parameters; raises `UnkeyableValue`."""
        if not self._prefix:
            self._prefix = canonical((self._gateway, self.operation, self._shape()))
        return self._prefix + canonical(values)

    def sharing(self, dependencies: AnswerCacheability, wiring: Wiring, scope: Scope) -> Sharing:
        """Return which viewers may share an answer: as declared, unless what was read forbids it.

        The first time that it is forbidden a warning is emitted, except for viewers without a
        tenant.
        """
        if dependencies.sharing <= self._declared:
            return self._declared
        is_expected = self._declared == PER_TENANT and not scope.tenant
        if not self._has_warned and not is_expected:
            self._has_warned = True
            word = "per_tenant" if self._declared else "public"
            reason = (
                f"it is declared {word}, but an answer depends on {dependencies.narrowed_by}: "
                "such answers are cached per viewer"
            )
            wiring.events.emit(ConfigurationWarned(self.operation, reason))
        return PER_VIEWER

    def vary(self, dependencies: AnswerCacheability) -> Vary:
        """Return what the key of an answer holds of the request beside parameters and viewer."""
        return self.current_vary.union(Vary(tuple(dependencies.headers), dependencies.has_query))

    def record_stored(self, sharing: Sharing, vary: Vary) -> None:
        """Record that an answer was stored, so that requests look it up."""
        self.current_vary = self.current_vary.union(vary)
        if sharing not in self.sharings:
            self.sharings = tuple(sorted((*self.sharings, sharing)))
        self.record_success()

    def record_success(self) -> None:
        """Record that an answer was stored, or served from the cache."""
        self._refusals = 0
        self.reason = ""

    def record_refusal(self, reason: str, cache: ResponseCache, now: float) -> None:
        """Record why an answer is not stored; the same reason is reported once."""
        self._refusals += 1
        self._paused_until = now + PAUSE_SECONDS
        if reason != self.reason:
            self.reason = reason
            cache.record(VIEWS, self.operation, "refuse", reason)


class CacheableRequest:
    """One request to a view whose answer may come from the cache, or be stored in it.

    1. `peek` and `fetch` look the answer up.
    2. If there is none, `record` begins to record what the composition reads.
    3. `prepare` decides whether the answer is stored, and completes its headers.
    4. `store` stores it, once it has been sent.
    """

    __slots__ = (
        "_cache", "_dependencies", "_entry", "_is_paused", "_key", "_keys", "_mark", "_scope",
        "_sharing", "_values", "_vary", "_view_cache", "_wiring",
    )  # fmt: skip

    _key: str
    _sharing: Sharing
    _vary: Vary

    def __init__(
        self,
        view_cache: ViewCache,
        cache: ResponseCache,
        wiring: Wiring,
        scope: Scope,
        *,
        is_paused: bool,
    ) -> None:
        self._view_cache = view_cache
        self._cache = cache
        self._wiring = wiring
        self._scope = scope
        self._values: tuple[object, ...] = ()
        self._keys: Sequence[str] = ()
        self._is_paused = is_paused
        self._dependencies: AnswerCacheability | None = None
        self._mark = 0
        self._entry: CacheEntry | None = None

    def peek(self, values: tuple[object, ...]) -> tuple[Fields, bytes] | None:
        """Return headers and body of an answer that this process holds in memory.

        `values` are all parameters of the view, in the order of its signature.
        """
        self._values = values
        sharings = self._view_cache.sharings
        if not sharings or self._scope.cache_control:
            return None
        try:
            identity, vary = self._view_cache.identity(values), self._view_cache.current_vary
            keys = [vary.key(identity, sharing, self._scope) for sharing in sharings]
        except UnkeyableValue:
            return None
        self._keys = keys
        now, store = self._wiring.clock(), self._cache.store
        for key in keys:
            entry = store.peek(key)
            if entry is not None and now < entry.fresh_until:
                return self._hit(entry, now)
        return None

    async def fetch(self) -> tuple[Fields, bytes] | None:
        """Return headers and body of an answer that any process has stored."""
        if not self._keys:
            return None
        for key in self._keys:
            entry = await self._cache.store.get(key)
            now = self._wiring.clock()
            if entry is not None and now < entry.fresh_until:
                return self._hit(entry, now)
        self._cache.record(VIEWS, self._view_cache.operation, "miss")
        return None

    def record(self) -> None:
        """Record from now on what the answer depends on."""
        if not self._is_paused:
            self._mark = self._cache.store.mark()
            self._dependencies = AnswerCacheability(self._scope.calls)
            self._scope.dependencies = self._dependencies

    def _hit(self, entry: CacheEntry, now: float) -> tuple[Fields, bytes]:
        view_cache, age = self._view_cache, now - entry.generated_at
        view_cache.record_success()
        self._cache.record(VIEWS, view_cache.operation, "hit", age=age)
        status = view_cache.hit_status(entry.fresh_until - now)
        return [*entry.headers, (b"age", b"%d" % max(0.0, age)), status], entry.body

    def prepare(self, headers: Fields, body: bytes, *, is_open: bool) -> None:
        """Complete the headers of an answer of status 200; make its entry if it is cacheable.

        `is_open` says whether anonymous callers may see the answer.
        """
        dependencies, now, view_cache = self._dependencies, self._wiring.clock(), self._view_cache
        if dependencies is None:
            headers.append(view_cache.miss_status(view_cache.reason))
            return
        reason = dependencies.uncacheable_reason(self._scope.calls, now)
        if COMPLETE not in headers:
            reason = "degraded"
        if not reason:
            self._sharing = view_cache.sharing(dependencies, self._wiring, self._scope)
            add_freshness(headers, dependencies, self._sharing, now, is_open=is_open)
            reason = exceeded_limit(dependencies, body) or self._make_key(dependencies)
        if reason:
            view_cache.record_refusal(reason, self._cache, now)
            headers.append(view_cache.miss_status(reason))
            return
        self._entry = cache_entry(dependencies, headers, body, now)
        headers.append(view_cache.stored_status)

    def _make_key(self, dependencies: AnswerCacheability) -> str:
        """Make the key of the answer; return why it can have none, empty if it has one."""
        self._vary = self._view_cache.vary(dependencies)
        if len(self._vary.headers) > MAX_VARY_HEADERS:
            return "vary"
        try:
            identity = self._view_cache.identity(self._values)
            self._key = self._vary.key(identity, self._sharing, self._scope)
        except UnkeyableValue:
            return "parameter"
        return ""

    async def store(self) -> None:
        """Store a cacheable answer, unless a tag of it was purged since `record`."""
        entry = self._entry
        left = 0.0 if entry is None else entry.fresh_until - self._wiring.clock()
        if entry is None or left <= 0:
            return
        cache, view_cache = self._cache, self._view_cache
        if await cache.store.set(self._key, entry, store_for=left, mark=self._mark):
            view_cache.record_stored(self._sharing, self._vary)
            cache.record(VIEWS, view_cache.operation, "store", size=len(entry.body))
        else:
            view_cache.record_refusal("purged", cache, self._wiring.clock())
