"""Between coalesce and hedge: calls the service after a cache miss, and stores the reply."""

import asyncio
import time
from dataclasses import dataclass
from typing import Final

from msgspec.structs import replace

from bff_core.cache.entry import CacheEntry
from bff_core.cache.freshness import SERVED, judge
from bff_core.cache.key import primary_key, secondary_key
from bff_core.cache.reply import served
from bff_core.cache.response_cache import Outcome, ResponseCache
from bff_core.cache.storing import NotStorable, admit, storage_seconds
from bff_core.cache.validation import conditional, renewed, updated, updated_by_head
from bff_core.cache.variants import is_current_index, key_of_variant, variant_index
from bff_core.call import Call, Handler, Reply
from bff_core.clock import Clock
from bff_core.errors import BadPayload
from bff_core.http_statuses import TRY_LATER
from bff_core.policy.upstream.cache import Cache
from bff_core.upstream.layers.cache import Refreshing, options_of
from bff_core.upstream.runtime import Runtime

POLL_SECONDS: Final = 0.02
"""The pause between two lookups of the entry that another process will store."""

WAITING_SHARE: Final = 0.8
"""The share of a call's time that it waits for another process before it calls the service."""

UNSHARED_SECONDS: Final = 10.0
"""How long processes do not wait for each other after a reply that can't be reused."""

CLOCK_TOLERANCE_SECONDS: Final = 0.05
"""How much the instants of one entry may differ between processes."""


@dataclass(slots=True)
class _Lookup:
    """A lookup in the store: the call, the entry that was found, and the key of its slot.

    `refreshed` is until when the entry that is to be refreshed is fresh; None for a miss.
    """

    call: Call
    options: Cache
    key: str
    refreshed: float | None
    slot: str = ""
    entry: CacheEntry | None = None


class CacheFillLayer:
    """Serves entries of the store, or else calls the service and stores the reply.

    If an entry can be validated, the request is conditional. The leader of a flight runs this layer
    once for all waiters. Of several processes that share a store, the one with the lease calls the
    service; the others wait for the entry, and call themselves if that takes too long. A reply is
    not stored if one of its tags was purged since the call was sent. `wall` returns the Unix time,
    for replies whose age follows from their date.
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
        key = primary_key(call, options.vary)
        lookup = _Lookup(call, options, key, self._refreshing.get(key))
        reply = await self._find(lookup)
        if reply is not None:
            return reply
        if self._unshared and self._clock() < self._unshared.get(call.operation, 0.0):
            return await self._call(lookup)
        return await self._call_under_lease(lookup)

    async def _find(self, lookup: _Lookup, *, is_refused: bool = False) -> Reply | None:
        """Look into the store; return the reply if an entry may be served without a call.

        An entry that is being refreshed may not, unless another process has the lease
        (`is_refused`) or has stored a newer entry.
        """
        call, options = lookup.call, lookup.options
        lookup.slot = lookup.key
        entry = await self._store.get(lookup.key)
        slot = key_of_variant(lookup.key, entry, call, options)
        if slot != lookup.key:
            entry, lookup.slot = await self._store.get(slot), slot
        lookup.entry, now = entry, self._clock()
        verdict = judge(entry, call, options, now=now, chance=self._runtime.chance)
        if entry is None or verdict.kind not in SERVED:
            return None
        if lookup.refreshed is not None and not is_refused:
            is_newer = entry.fresh_until > lookup.refreshed + CLOCK_TOLERANCE_SECONDS
            if not is_newer:
                return None
        try:
            return served(entry, call, now)
        except BadPayload:
            lookup.entry = None  # stored by another release: it must not be validated
            return None

    async def _call_under_lease(self, lookup: _Lookup) -> Reply:
        """Call with a lease, so that only one process does."""
        lease, seconds = self._lease(lookup)
        is_ours = await self._store.lease(lease, seconds)
        if not is_ours and lease != lookup.key:
            # An early refresh has its lease longer than it takes: nothing is worth waiting for.
            reply = await self._find(lookup, is_refused=True)
            if reply is not None:
                return reply
            lease, seconds = lookup.key, self._left(lookup)
            is_ours = await self._store.lease(lease, seconds)
        if not is_ours:
            reply = await self._follow(lookup, lease, seconds)
            if reply is not None:
                return reply
        try:
            reply = await self._call(lookup)
        except BaseException:
            self._runtime.spawn(self._store.release(lease))
            raise
        if lease == lookup.key or reply.reuse is None:
            await self._store.release(lease)
        return reply

    def _lease(self, lookup: _Lookup) -> tuple[str, float]:
        """Return the name of a lease, and its duration in seconds.

        The lease of an early refresh lasts until the entry expires: until then other processes
        serve the entry from memory, and do not look for a newer one.
        """
        now = self._clock()
        if lookup.refreshed is not None and lookup.refreshed > now:
            return f"early {lookup.key}", lookup.refreshed - now
        return lookup.key, self._left(lookup)

    def _left(self, lookup: _Lookup) -> float:
        """Return the seconds until the deadline of the call."""
        return max(lookup.call.deadline - self._clock(), 0.001)

    async def _follow(self, lookup: _Lookup, lease: str, seconds: float) -> Reply | None:
        """Wait for the entry of another process; return None when this one has to call."""
        gives_up_at = self._clock() + seconds * WAITING_SHARE
        reply = await self._find(lookup, is_refused=True)
        while reply is None and self._clock() < gives_up_at:
            await asyncio.sleep(POLL_SECONDS)
            is_ours = await self._store.lease(lease, seconds)
            reply = await self._find(lookup)
            if is_ours and reply is not None:
                await self._store.release(lease)
            if is_ours:
                break
        return reply

    async def _call(self, lookup: _Lookup) -> Reply:
        """Call the service, with a conditional request if an entry can be validated."""
        call, entry = lookup.call, lookup.entry
        mark, sent_at = self._store.mark(), self._clock()
        sent = call
        if entry is not None and entry.has_validator and not call.is_unconditional:
            sent = conditional(call, entry)
        reply = await self.inner(sent)
        if sent is not call and reply.status == 304 and entry is not None:
            update = updated(entry, reply)
            if update is not None:
                return await self._store_reply(lookup, update, mark, sent_at, is_renewed=True)
            mark, sent_at = self._store.mark(), self._clock()
            reply = await self.inner(call)
        if call.method == "HEAD" and entry is not None and reply.status == 200:
            update = updated_by_head(entry, reply)
            if update is not None:
                return await self._store_reply(lookup, update, mark, sent_at, is_renewed=True)
        return await self._store_reply(lookup, reply, mark, sent_at)

    async def _store_reply(
        self, lookup: _Lookup, reply: Reply, mark: int, sent_at: float, *, is_renewed: bool = False
    ) -> Reply:
        """Store a reply, if it may be stored; return it with its `Reuse`."""
        call, options, now = lookup.call, lookup.options, self._clock()
        times = {"sent_at": sent_at, "now": now, "wall": self._wall()}
        if is_renewed and lookup.entry is not None:
            get = call if call.method == "GET" else replace(call, method="GET")
            entry = renewed(lookup.entry, get, reply, options, **times)
        else:
            entry = admit(call, reply, options, **times)
        if isinstance(entry, NotStorable):
            return await self._refuse(lookup, reply, entry.reason)
        try:
            answer = _with_all_fields(served(entry, call, now, "upstream"), reply)
        except BadPayload:
            return await self._refuse(lookup, reply, "unreadable")
        if entry.fresh_until <= now and not entry.stale_for:
            self._unshared[call.operation] = now + UNSHARED_SECONDS
        if not await self._store_entry(lookup, entry, now, mark):
            self._note(call, "refuse", "purged")
            return replace(answer, reuse=None)
        if is_renewed or lookup.refreshed is not None:
            self._note(call, "refresh", "304" if is_renewed else "", size=len(entry.body))
        else:
            self._note(call, "store", size=len(entry.body))
        return answer

    async def _store_entry(self, lookup: _Lookup, entry: CacheEntry, now: float, mark: int) -> bool:
        """Store an entry for calls like this one; return False if it was purged meanwhile."""
        left = storage_seconds(entry, now)
        if not entry.varies:
            return await self._store.set(lookup.key, entry, store_for=left, mark=mark)
        index = variant_index(entry, now, left)
        if not is_current_index(await self._store.get(lookup.key), index):
            await self._store.set(lookup.key, index, store_for=left, mark=mark)
        slot = secondary_key(lookup.key, entry.varies)
        return await self._store.set(slot, entry, store_for=left, mark=mark)

    async def _refuse(self, lookup: _Lookup, reply: Reply, reason: str) -> Reply:
        """Report why a reply is not stored, and delete the entry that it makes obsolete."""
        call, status = lookup.call, reply.status
        self._note(call, "refuse", reason)
        self._unshared[call.operation] = self._clock() + UNSHARED_SECONDS
        is_news = reason != "unreadable" and status < 500 and status not in TRY_LATER
        if lookup.entry is not None and call.method == "GET" and is_news:
            await self._store.delete(lookup.slot)
        return reply

    def _note(self, call: Call, outcome: Outcome, reason: str = "", *, size: int = 0) -> None:
        name, operation = call.upstream, call.operation
        self._cache.record(name, operation, outcome, reason, size=size, span=call.span)


def _with_all_fields(stored: Reply, reply: Reply) -> Reply:
    """Return a stored reply with all fields of the service's reply, for the call that caused it.

    Its value is decoded again, since the shared value was decoded without those fields.
    """
    reuse = stored.reuse
    if reuse is None or stored.headers == reply.headers:
        return stored
    again = replace(reuse, headers=stored.headers)
    return replace(stored, headers=reply.headers, reuse=again, decoded=None)
