"""Between deadline and coalesce: answers reads from the cache in memory."""

from collections.abc import Awaitable, Mapping
from typing import Final

from msgspec.structs import replace

from bff_core.cache.entry import CacheEntry
from bff_core.cache.freshness import SERVED, bypass, judge
from bff_core.cache.key import primary_key
from bff_core.cache.reply import served
from bff_core.cache.response_cache import Outcome, ResponseCache
from bff_core.cache.variants import key_of_variant
from bff_core.call import Call, Handler, Reply, Source
from bff_core.errors import BadPayload, BadStatus, UpstreamError
from bff_core.http_statuses import STALE_IF_ERROR
from bff_core.policy.upstream.cache import Cache
from bff_core.upstream.layers.deadline import DeadlineLayer
from bff_core.upstream.runtime import Runtime
from bff_core.upstream.state import CacheState

Refreshing = dict[str, float]
"""The keys that are being refreshed in the background; until when each stored entry is fresh.

For these keys the fill layer calls the service, unless it finds a newer entry.
"""

RESERVED_SHARE: Final = 0.05
"""The share of a call's time that is reserved to serve the stored entry if the call fails."""

MAX_RESERVED_SECONDS: Final = 0.05
"""The largest reserve."""

OUTCOMES: Final[Mapping[Source, Outcome]] = {"upstream": "miss", "cache": "hit", "stale": "stale"}
"""The outcome that is counted for a reply, by its source."""


def options_of(call: Call, default: Cache) -> Cache | None:
    """Return the cache options of a call, its own or the policy's; None if it is not cached."""
    options = default if call.cache is True else call.cache
    if call.is_streamed or bypass(call):
        return None
    return options if isinstance(options, Cache) else None


class CacheLayer:
    """Serves fresh entries, and stale ones as far as options allow; passes on other calls.

    It looks only into memory, and so never waits for a store. An entry that is stale, or soon will
    be, is refreshed in the background through the same layers as a miss, which are one call for all
    waiters. If the upstream fails, or does not answer until shortly before the deadline, the last
    good entry is served as `stale`, if options allow it.
    """

    __slots__ = (
        "_bounded", "_cache", "_chance", "_clock", "_options", "_refreshing", "_spawn", "_store",
        "_timeout", "_upstream", "inner",
    )  # fmt: skip

    def __init__(
        self,
        options: Cache,
        cache: ResponseCache,
        runtime: Runtime,
        inner: Handler,
        *,
        refreshing: Refreshing,
        timeout: float,
    ) -> None:
        self.inner = inner
        self._bounded = DeadlineLayer(runtime, inner)
        self._options = options
        self._cache = cache
        self._store = cache.store
        self._refreshing = refreshing
        self._timeout = timeout
        self._upstream = runtime.upstream
        self._clock = runtime.clock
        self._chance = runtime.chance
        self._spawn = runtime.spawn

    def __repr__(self) -> str:
        return f"cache      {self._cache.figures.by_name[self._upstream]}"

    def state(self) -> CacheState:
        """Return what operators see."""
        found = self._cache.figures.by_name[self._upstream]
        return CacheState(found.hit, found.stale, found.miss, found.store)

    async def __call__(self, call: Call) -> Reply:
        """Serve a stored entry, or pass the call on."""
        options = options_of(call, self._options)
        if options is None:
            return await self.inner(call)
        key, now = primary_key(call, options.vary), self._clock()
        entry = self._stored(key, call, options)
        verdict = judge(entry, call, options, now=now, chance=self._chance)
        if entry is not None and verdict.kind in SERVED:
            reply = self._served(entry, call, now)
            if reply is not None:
                if verdict.kind != "fresh":
                    self._refresh(key, call, entry)
                return reply
        return await self._pass_on(key, call, options, has_fallback=now < verdict.error_until)

    def _stored(self, key: str, call: Call, options: Cache) -> CacheEntry | None:
        entry = self._store.peek(key)
        slot = key_of_variant(key, entry, call, options)
        return entry if slot == key else self._store.peek(slot)

    def _served(self, entry: CacheEntry, call: Call, now: float, why: str = "") -> Reply | None:
        """Return an entry as a reply; None if it can't be decoded as the call's type."""
        try:
            reply = served(entry, call, now)
        except BadPayload:
            return None
        outcome = OUTCOMES[reply.source]
        self._cache.record(self._upstream, call.operation, outcome, why, reply.age, span=call.span)
        return reply

    async def _pass_on(self, key: str, call: Call, options: Cache, *, has_fallback: bool) -> Reply:
        """Pass the call on; if it fails, serve the last good entry."""
        try:
            reply = await (self._in_time(call) if has_fallback else self.inner(call))
        except UpstreamError:
            last_good = self._last_good(key, call, options)
            if last_good is None:
                raise
            return last_good
        if reply.reuse is None and has_fallback and _has_failed(reply, call):
            return self._last_good(key, call, options) or reply
        self._note(call, reply)
        return reply

    def _in_time(self, call: Call) -> Awaitable[Reply]:
        """Pass the call on with a deadline that leaves a reserve."""
        now = self._clock()
        reserve = min((call.deadline - now) * RESERVED_SHARE, MAX_RESERVED_SECONDS)
        return self._bounded(replace(call, deadline=call.deadline - reserve))

    def _last_good(self, key: str, call: Call, options: Cache) -> Reply | None:
        """Return the stored entry, if it may be served in place of a failure."""
        now = self._clock()
        entry = self._stored(key, call, options)
        verdict = judge(entry, call, options, now=now, chance=self._chance)
        if entry is None or (verdict.kind not in SERVED and now >= verdict.error_until):
            return None
        return self._served(entry, call, now, "error")

    def _note(self, call: Call, reply: Reply) -> None:
        self._cache.record(
            self._upstream, call.operation, OUTCOMES[reply.source], age=reply.age, span=call.span
        )

    def _refresh(self, key: str, call: Call, entry: CacheEntry) -> None:
        if key not in self._refreshing:
            self._refreshing[key] = entry.fresh_until
            self._spawn(self._refreshed(key, call))

    async def _refreshed(self, key: str, call: Call) -> None:
        """Refresh an entry in the background; after a failure the old entry stays."""
        try:
            deadline = self._clock() + self._timeout
            await self._bounded(replace(call, deadline=deadline, trail=[], traffic=None))
        except UpstreamError:  # inner layers have reported it; the next read tries again
            return
        finally:
            self._refreshing.pop(key, None)


def _has_failed(reply: Reply, call: Call) -> bool:
    """Whether a reply is a failure, or can't be decoded."""
    if reply.status in STALE_IF_ERROR:
        return True
    try:
        if call.decode is not None:
            call.decode.value(reply, call)
    except BadPayload:
        return True
    except BadStatus:
        pass
    return False
