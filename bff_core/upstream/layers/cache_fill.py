"""Between coalesce and hedge: asks the service for what the cache lacks, and keeps the reply."""

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
from bff_core.policy.upstream.cache import Cache
from bff_core.statuses import TRY_LATER
from bff_core.upstream.layers.cache import Refreshing, options_of
from bff_core.upstream.runtime import Runtime

POLL: Final = 0.02
"""Seconds between two looks for what another process is asking for."""

PATIENCE: Final = 0.8
"""The share of a call's time for which it waits for another process; then it asks itself."""

UNSHARED: Final = 10.0
"""For how many seconds nobody waits for others, once a reply could not be kept or used again."""

CLOSE: Final = 0.05
"""Seconds by which the instants of one entry may differ once it was elsewhere."""


@dataclass(slots=True)
class _Search:
    """What is looked for, and what was found: an entry, maybe, and where one belongs.

    `seen` is the instant until which an entry is fresh that is to be refreshed; None otherwise.
    """

    call: Call
    options: Cache
    key: str
    seen: float | None
    slot: str = ""
    entry: CacheEntry | None = None


class FillLayer:
    """Finds in the store what memory lacks, or asks the service, with a condition where it can.

    The leader of a flight runs it, hence once for all who wait. Of several processes that share a
    store one asks, which holds a lease; the others wait for what it keeps, and ask themselves if
    that takes too long. A reply is kept unless one of its tags was purged since it was asked for.
    `wall` is the Unix time, for replies that tell nothing but a date.
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
        """Answer with what is in the store, or with what the service says."""
        options = options_of(call, self._options)
        if options is None:
            return await self.inner(call)
        key = primary(call, options.vary)
        search = _Search(call, options, key, self._refreshing.get(key))
        reply = await self._find(search)
        if reply is not None:
            return reply
        if self._unshared and self._clock() < self._unshared.get(call.operation, 0.0):
            return await self._ask(search)
        return await self._ask_for_all(search)

    async def _find(self, search: _Search, *, is_refused: bool = False) -> Reply | None:
        """Look into the store; return what may be served without asking.

        An entry that is being refreshed may not, unless another process is at it already.
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
        seen = search.seen
        if seen is not None and entry.fresh_until <= seen + CLOSE and not is_refused:
            return None
        try:
            return served(entry, call, now)
        except BadPayload:
            search.entry = None  # kept by another release: no condition would bring a new one
            return None

    async def _ask_for_all(self, search: _Search) -> Reply:
        """Ask under a lease, so that of all processes that want to know one does."""
        lease, seconds = self._lease(search)
        if not await self._store.lease(lease, seconds):
            reply = await self._follow(search, lease, seconds)
            if reply is not None:
                return reply
        try:
            reply = await self._ask(search)
        except BaseException:
            self._runtime.spawn(self._store.release(lease))
            raise
        if lease == search.key or reply.reuse is None:
            await self._store.release(lease)
        return reply

    def _lease(self, search: _Search) -> tuple[str, float]:
        """Return the name of a lease, and for how many seconds it is taken.

        That of an early refresh is kept until what is refreshed expires: the other processes hold
        it, too, and will look for a newer one no sooner.
        """
        now = self._clock()
        left = max(search.call.deadline - now, 0.001)
        if search.seen is not None and search.seen > now:
            return f"early {search.key}", max(left, search.seen - now)
        return search.key, left

    async def _follow(self, search: _Search, lease: str, seconds: float) -> Reply | None:
        """Wait for what another process asks for; None once it is up to this one."""
        patience = self._clock() + seconds * PATIENCE
        reply = await self._find(search, is_refused=True)
        while reply is None and self._clock() < patience:
            await asyncio.sleep(POLL)
            is_ours = await self._store.lease(lease, seconds)
            reply = await self._find(search)
            if is_ours and reply is not None:
                await self._store.release(lease)
            if is_ours:
                break
        return reply

    async def _ask(self, search: _Search) -> Reply:
        """Ask the service, with a condition if there is something that may hold still."""
        call, entry = search.call, search.entry
        mark, asked = self._store.mark(), self._clock()
        sent = call if entry is None or not entry.has_validator else conditional(call, entry)
        reply = await self.inner(sent)
        if sent is not call and reply.status == 304 and entry is not None:
            update = updated(entry, reply)
            if update is not None:
                return await self._keep(search, update, mark, asked, is_renewed=True)
            mark, asked = self._store.mark(), self._clock()
            reply = await self.inner(call)
        if call.method == "HEAD" and entry is not None and reply.status == 200:
            update = updated_by_head(entry, reply)
            if update is not None:
                return await self._keep(search, update, mark, asked, is_renewed=True)
        return await self._keep(search, reply, mark, asked)

    async def _keep(
        self, search: _Search, reply: Reply, mark: int, asked: float, *, is_renewed: bool = False
    ) -> Reply:
        """Keep a reply, if it may be kept; return it with what the caller needs to know of that."""
        call, options, now = search.call, search.options, self._clock()
        times = {"asked": asked, "now": now, "wall": self._wall()}
        if is_renewed and search.entry is not None:
            get = call if call.method == "GET" else replace(call, method="GET")
            kept = renewed(search.entry, get, reply, options, **times)
        else:
            kept = admit(call, reply, options, **times)
        if isinstance(kept, NotStorable):
            return await self._refuse(search, reply, kept.reason)
        try:
            told = _first(served(kept, call, now, "upstream"), reply)
        except BadPayload:
            return await self._refuse(search, reply, "unreadable")
        if kept.fresh_until <= now and not kept.stale_for:
            self._unshared[call.operation] = now + UNSHARED
        if not await self._place(search, kept, now, mark):
            self._note(call, "refuse", "purged")
            return replace(told, reuse=None)
        if is_renewed or search.seen is not None:
            self._note(call, "refresh", "304" if is_renewed else "")
        else:
            self._note(call, "store")
        self._cache.of(call.upstream).size += len(kept.body)
        return told

    async def _place(self, search: _Search, entry: CacheEntry, now: float, mark: int) -> bool:
        """Put an entry where calls like this one will look; False if it was purged meanwhile."""
        left = keep(entry, now)
        if not entry.varies:
            return await self._store.set(search.key, entry, keep=left, mark=mark)
        post = signpost(entry, now, left)
        if not leads_to(await self._store.get(search.key), post):
            await self._store.set(search.key, post, keep=left, mark=mark)
        slot = variant(search.key, entry.varies)
        return await self._store.set(slot, entry, keep=left, mark=mark)

    async def _refuse(self, search: _Search, reply: Reply, reason: str) -> Reply:
        """Tell why a reply is not kept; what was kept before does not hold any more."""
        call, status = search.call, reply.status
        self._note(call, "refuse", reason)
        self._unshared[call.operation] = self._clock() + UNSHARED
        is_news = reason != "unreadable" and status < 500 and status not in TRY_LATER
        if search.entry is not None and call.method == "GET" and is_news:
            await self._store.delete(search.slot)
        return reply

    def _note(self, call: Call, outcome: Outcome, reason: str = "") -> None:
        self._cache.note(call.upstream, call.operation, outcome, reason)


def _first(told: Reply, reply: Reply) -> Reply:
    """Return what is stored as the caller gets it that caused it: with all fields of the reply.

    The value is then decoded anew: what is shared was made without those fields.
    """
    reuse = told.reuse
    if reuse is None or told.headers == reply.headers:
        return told
    again = replace(reuse, headers=told.headers)
    return replace(told, headers=reply.headers, reuse=again, decoded=None)
