"""Between coalesce and hedge: calls the service for what the cache lacks, and stores the reply."""

import asyncio
import time
from dataclasses import dataclass
from typing import Final

from msgspec.structs import replace

from bff_core.cache.entry import CacheEntry
from bff_core.cache.freshness import SERVED, judge
from bff_core.cache.key import primary, variant
from bff_core.cache.reply import served
from bff_core.cache.response_cache import Outcome, ResponseCache
from bff_core.cache.storing import NotStorable, admit, keep
from bff_core.cache.validation import conditional, renewed, updated, updated_by_head
from bff_core.cache.variants import leads_to, signpost, slot_of
from bff_core.call import Call, Handler, Reply
from bff_core.clock import Clock
from bff_core.errors import BadPayload
from bff_core.http_statuses import TRY_LATER
from bff_core.policy.upstream.cache import Cache
from bff_core.upstream.layers.cache import Refreshing, options_of
from bff_core.upstream.runtime import Runtime

POLL_SECONDS: Final = 0.02
"""The pause between two looks for the reply that another process is waiting for."""

WAITING_SHARE: Final = 0.8
"""The share of a call's time for which it waits for another process before it calls the service."""

UNSHARED_SECONDS: Final = 10.0
"""How long processes do not wait for each other, once a reply could not be stored or reused."""

CLOCK_TOLERANCE_SECONDS: Final = 0.05
"""How much the instants of one entry may differ between processes."""


@dataclass(slots=True)
class _Search:
    """A lookup: the call, the entry if one was found, and the slot where an entry belongs.

    `refreshed` is the instant until which the entry to be refreshed is fresh; None for a miss.
    """

    call: Call
    options: Cache
    key: str
    refreshed: float | None
    slot: str = ""
    entry: CacheEntry | None = None


class FillLayer:
    """Looks into the store for what memory lacks, or calls the service, with a condition if it can.

    The leader of a flight runs it, hence once for all waiters. Of several processes that share a
    store one calls, which holds a lease; the others wait for the entry that it stores, and call
    themselves if that takes too long. A reply is stored unless one of its tags was purged since the
    call was sent. `wall` is the Unix time, for replies that have nothing but a date.
    """

    __slots__ = (
        "_cache", "_clock", "_options", "_refreshing", "_runtime", "_store", "_unshared", "_wall",
        "inner",
    )  # fmt: skip

    def __init__(
        self,
        options: Cache,
        cache: ResponseCache,
        runtime: Runtime,
        inner: Handler,
        *,
        refreshing: Refreshing,
        wall: Clock = time.time,
    ) -> None:
        self.inner = inner
        self._options = options
        self._cache = cache
        self._store = cache.store
        self._refreshing = refreshing
        self._runtime = runtime
        self._clock = runtime.clock
        self._wall = wall
        self._unshared: dict[str, float] = {}

    def __repr__(self) -> str:
        return f"fill       {len(self._refreshing)} refreshes"

    async def __call__(self, call: Call) -> Reply:
        """Serve an entry of the store, or call the service."""
        options = options_of(call, self._options)
        if options is None:
            return await self.inner(call)
        key = primary(call, options.vary)
        search = _Search(call, options, key, self._refreshing.get(key))
        reply = await self._find(search)
        if reply is not None:
            return reply
        if self._unshared and self._clock() < self._unshared.get(call.operation, 0.0):
            return await self._call(search)
        return await self._call_under_lease(search)

    async def _find(self, search: _Search, *, is_refused: bool = False) -> Reply | None:
        """Look into the store; return what may be served without a call.

        An entry that is being refreshed may not, unless another process refreshes it already.
        """
        call, options = search.call, search.options
        search.slot = search.key
        entry = await self._store.get(search.key)
        slot = slot_of(search.key, entry, call, options)
        if slot != search.key:
            entry, search.slot = await self._store.get(slot), slot
        search.entry, now = entry, self._clock()
        verdict = judge(entry, call, options, now=now, chance=self._runtime.chance)
        if entry is None or verdict.kind not in SERVED:
            return None
        if search.refreshed is not None and not is_refused:
            is_newer = entry.fresh_until > search.refreshed + CLOCK_TOLERANCE_SECONDS
            if not is_newer:
                return None
        try:
            return served(entry, call, now)
        except BadPayload:
            search.entry = None  # stored by another release: no condition would bring a new one
            return None

    async def _call_under_lease(self, search: _Search) -> Reply:
        """Call under a lease, so that one of all processes does."""
        lease, seconds = self._lease(search)
        if not await self._store.lease(lease, seconds):
            reply = await self._follow(search, lease, seconds)
            if reply is not None:
                return reply
        try:
            reply = await self._call(search)
        except BaseException:
            self._runtime.spawn(self._store.release(lease))
            raise
        if lease == search.key or reply.reuse is None:
            await self._store.release(lease)
        return reply

    def _lease(self, search: _Search) -> tuple[str, float]:
        """Return the name of a lease, and for how many seconds it is taken.

        The lease of an early refresh lasts until the entry expires: the other processes hold the
        entry, too, and will look for a newer one no sooner.
        """
        now = self._clock()
        left = max(search.call.deadline - now, 0.001)
        if search.refreshed is not None and search.refreshed > now:
            return f"early {search.key}", max(left, search.refreshed - now)
        return search.key, left

    async def _follow(self, search: _Search, lease: str, seconds: float) -> Reply | None:
        """Wait for the entry of another process; None once this one must call."""
        patience = self._clock() + seconds * WAITING_SHARE
        reply = await self._find(search, is_refused=True)
        while reply is None and self._clock() < patience:
            await asyncio.sleep(POLL_SECONDS)
            is_ours = await self._store.lease(lease, seconds)
            reply = await self._find(search)
            if is_ours and reply is not None:
                await self._store.release(lease)
            if is_ours:
                break
        return reply

    async def _call(self, search: _Search) -> Reply:
        """Call the service, with a condition if an entry can be validated."""
        call, entry = search.call, search.entry
        mark, sent_at = self._store.mark(), self._clock()
        sent = call if entry is None or not entry.has_validator else conditional(call, entry)
        reply = await self.inner(sent)
        if sent is not call and reply.status == 304 and entry is not None:
            update = updated(entry, reply)
            if update is not None:
                return await self._store_reply(search, update, mark, sent_at, is_renewed=True)
            mark, sent_at = self._store.mark(), self._clock()
            reply = await self.inner(call)
        if call.method == "HEAD" and entry is not None and reply.status == 200:
            update = updated_by_head(entry, reply)
            if update is not None:
                return await self._store_reply(search, update, mark, sent_at, is_renewed=True)
        return await self._store_reply(search, reply, mark, sent_at)

    async def _store_reply(
        self, search: _Search, reply: Reply, mark: int, sent_at: float, *, is_renewed: bool = False
    ) -> Reply:
        """Store a reply, if it may be stored; return it with its `Reuse`."""
        call, options, now = search.call, search.options, self._clock()
        times = {"sent_at": sent_at, "now": now, "wall": self._wall()}
        if is_renewed and search.entry is not None:
            get = call if call.method == "GET" else replace(call, method="GET")
            entry = renewed(search.entry, get, reply, options, **times)
        else:
            entry = admit(call, reply, options, **times)
        if isinstance(entry, NotStorable):
            return await self._refuse(search, reply, entry.reason)
        try:
            answer = _first(served(entry, call, now, "upstream"), reply)
        except BadPayload:
            return await self._refuse(search, reply, "unreadable")
        if entry.fresh_until <= now and not entry.stale_for:
            self._unshared[call.operation] = now + UNSHARED_SECONDS
        if not await self._place(search, entry, now, mark):
            self._note(call, "refuse", "purged")
            return replace(answer, reuse=None)
        if is_renewed or search.refreshed is not None:
            self._note(call, "refresh", "304" if is_renewed else "")
        else:
            self._note(call, "store")
        self._cache.of(call.upstream).size += len(entry.body)
        return answer

    async def _place(self, search: _Search, entry: CacheEntry, now: float, mark: int) -> bool:
        """Store an entry where calls like this one look; False if it was purged meanwhile."""
        left = keep(entry, now)
        if not entry.varies:
            return await self._store.set(search.key, entry, keep=left, mark=mark)
        post = signpost(entry, now, left)
        if not leads_to(await self._store.get(search.key), post):
            await self._store.set(search.key, post, keep=left, mark=mark)
        slot = variant(search.key, entry.varies)
        return await self._store.set(slot, entry, keep=left, mark=mark)

    async def _refuse(self, search: _Search, reply: Reply, reason: str) -> Reply:
        """Report why a reply is not stored, and delete the entry that it contradicts."""
        call, status = search.call, reply.status
        self._note(call, "refuse", reason)
        self._unshared[call.operation] = self._clock() + UNSHARED_SECONDS
        is_news = reason != "unreadable" and status < 500 and status not in TRY_LATER
        if search.entry is not None and call.method == "GET" and is_news:
            await self._store.delete(search.slot)
        return reply

    def _note(self, call: Call, outcome: Outcome, reason: str = "") -> None:
        self._cache.note(call.upstream, call.operation, outcome, reason)


def _first(stored: Reply, reply: Reply) -> Reply:
    """Return a stored reply for the call that caused it: with all fields of the service's reply.

    Its value is decoded again: the shared one was made without those fields.
    """
    reuse = stored.reuse
    if reuse is None or stored.headers == reply.headers:
        return stored
    again = replace(reuse, headers=stored.headers)
    return replace(stored, headers=reply.headers, reuse=again, decoded=None)
