"""Two levels: the memory of this process over a Redis that all share."""

import asyncio
from collections.abc import Sequence
from typing import Final

from bff_core.cache.entry import CacheEntry
from bff_core.cache.stores.codec import text
from bff_core.cache.stores.invalidation_outbox import Forgetting, Spawn, heard
from bff_core.cache.stores.memory import MemoryCacheStore
from bff_core.cache.stores.redis import RedisCacheStore
from bff_core.cache.stores.scripts import PURGES
from bff_core.clock import Clock
from bff_core.events import Events, Purged

DOUBT: Final = 0.3
"""Seconds since Redis last showed that nothing was missed, after which memory is not believed.

The heartbeat is sent thrice as often. So no process serves for longer what another has purged, not
even while the network drops everything without a word.
"""

_BITS: Final = 64
"""Of a mark, for the purges in memory; those above are for Redis'."""


class TieredCacheStore:
    """Answers from memory, while this process is sure to have received every purge.

    Each process hears all purges on a connection of its own. While that is silent, memory is left
    aside; when it was lost, memory is empty, since a purge may have been missed.
    """

    def __init__(
        self,
        memory: MemoryCacheStore,
        shared: RedisCacheStore,
        *,
        spawn: Spawn,
        clock: Clock,
        events: Events,
    ) -> None:
        self.memory = memory
        self.shared = shared
        self._clock = clock
        self._events = events
        self._deletions = 0
        self._subscription = shared.session.link.subscribe(PURGES, gap=memory.clear)
        self._hearing = spawn(self._subscription.run(self._hear))

    def __repr__(self) -> str:
        aside = "" if self._is_believed() else " (left aside: it hears of no purges)"
        return f"{self.memory!r}{aside}, over {self.shared!r}"

    def __len__(self) -> int:
        return len(self.memory)

    @property
    def size(self) -> int:
        """How many bytes the entries in memory take."""
        return self.memory.size

    @property
    def limit(self) -> int:
        """How many bytes they may take."""
        return self.memory.limit

    def peek(self, key: str) -> CacheEntry | None:
        """Return what memory holds, where that may be believed."""
        if self._clock() > self._subscription.heard_until + DOUBT:
            return None
        return self.memory.peek(key)

    async def get(self, key: str) -> CacheEntry | None:
        """Return what is fresh in memory, or else what Redis holds: it may be newer."""
        held = self.peek(key)
        if held is not None and held.fresh_until > self._clock():
            return held
        deletions, mark = self._deletions, self.memory.mark()
        loaded = await self.shared.load(key)
        if loaded is None:
            return self.peek(key)
        found = loaded.entry
        if held is not None and held.fresh_until >= found.fresh_until - 0.05:
            return self.peek(key)  # the same; typed values are beside this one
        if deletions == self._deletions:
            self.memory.put(key, found, store_for=loaded.left, mark=mark)
        return found

    def mark(self) -> int:
        """Return a point in the order of purges, those of this process and those in Redis."""
        return self.shared.mark() << _BITS | self.memory.mark()

    async def set(self, key: str, entry: CacheEntry, *, store_for: float, mark: int) -> bool:
        """Store an entry in both levels, unless one of its tags was purged since the mark.

        Redis knows of all purges: what it refuses is not held either.
        """
        shared, own = divmod(mark, 1 << _BITS)
        until, deletions = self._clock() + store_for, self._deletions
        is_stored = await self.shared.offer(key, entry, store_for=store_for, mark=shared)
        if is_stored is False:
            self.memory.drop(key)
            return False
        left = until - self._clock()
        is_held = (
            deletions == self._deletions
            and self._is_believed()
            and self.memory.put(key, entry, store_for=left, mark=own)
        )
        return is_held or is_stored is True

    async def delete(self, key: str) -> None:
        """Forget one entry, here, in Redis and in the other processes."""
        self._drop(key)
        await self.shared.delete(key)
        self._drop(key)  # what was read from Redis meanwhile

    async def purge(self, tags: Sequence[str]) -> int:
        """Forget all entries of these tags everywhere; return how many were dropped here."""
        count = self.memory.drop_tagged(tags)
        await self.shared.purge(tags)
        return count + self.memory.drop_tagged(tags)

    async def lease(self, key: str, seconds: float) -> bool:
        """Take the right to refresh a key among all processes."""
        return await self.shared.lease(key, seconds)

    async def release(self, key: str) -> None:
        """Give a lease back."""
        await self.shared.release(key)

    async def aclose(self) -> None:
        """Stop hearing, and say what is still owed."""
        self._hearing.cancel()
        await asyncio.wait([self._hearing])
        self.memory.clear()
        await self.shared.aclose()

    def _is_believed(self) -> bool:
        return self._clock() <= self._subscription.heard_until + DOUBT

    def _drop(self, key: str) -> None:
        self._deletions += 1
        self.memory.drop(key)

    def _hear(self, message: bytes) -> None:
        try:
            era, number, invalidation = heard(message)
            tags = tuple(map(text, invalidation.tags))
        except ValueError:
            self.memory.clear()
            return
        self.shared.session.epoch.learn(era, number)
        if invalidation.all:
            self.memory.clear()
        if invalidation.process != self.shared.process:
            self._obey(invalidation, tags)

    def _obey(self, invalidation: Forgetting, tags: tuple[str, ...]) -> None:
        for name in invalidation.keys:
            key = self.shared.key_of(name)
            if key is not None:
                self._drop(key)
        if tags:
            count = self.memory.drop_tagged(tags)
            if self._events.sinks:
                self._events.emit(Purged(tags, "peer", count))
