"""The tiered cache store: the memory of this process over a Redis that all processes share."""

import asyncio
from collections.abc import Sequence
from typing import Final

from bff_core.cache.entry import CacheEntry
from bff_core.cache.stores.codec import text
from bff_core.cache.stores.invalidation_outbox import Invalidation, Spawn, parse_message
from bff_core.cache.stores.memory import MemoryCacheStore
from bff_core.cache.stores.redis import RedisCacheStore
from bff_core.cache.stores.scripts import PURGES
from bff_core.clock import Clock
from bff_core.events import Events, Purged

MAX_SILENCE_SECONDS: Final = 0.3
"""Memory is not used if the last answered heartbeat is older.

Heartbeats are three times as frequent. So no process serves a purged entry for longer, even while
the network silently drops packets.
"""

_MEMORY_MARK_BITS: Final = 64
"""The low bits of a mark count purges in memory; the others are Redis' mark."""


class TieredCacheStore:
    """Serves from memory while this process is sure to have received every purge.

    Each process subscribes to purges on a connection of its own. While that is silent, memory is
    not used. When it was lost, memory is cleared, since a purge may have been missed.
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
        self._receiving = spawn(self._subscription.run(self._receive))

    def __repr__(self) -> str:
        state = "" if self._is_current() else " (not used: it receives no purges)"
        return f"{self.memory!r}{state}, over {self.shared!r}"

    def __len__(self) -> int:
        return len(self.memory)

    @property
    def size(self) -> int:
        """The memory that the entries take (bytes)."""
        return self.memory.size

    @property
    def limit(self) -> int:
        """The memory that they may take (bytes)."""
        return self.memory.limit

    def peek(self, key: str) -> CacheEntry | None:
        """Return an entry from memory, if every purge was received."""
        if self._clock() > self._subscription.received_until + MAX_SILENCE_SECONDS:
            return None
        return self.memory.peek(key)

    async def get(self, key: str) -> CacheEntry | None:
        """Return a fresh entry from memory, or the entry in Redis, which may be newer."""
        held = self.peek(key)
        if held is not None and held.fresh_until > self._clock():
            return held
        deletions, mark = self._deletions, self.memory.mark()
        loaded = await self.shared.load(key)
        if loaded is None:
            return self.peek(key)
        found = loaded.entry
        if held is not None and held.fresh_until >= found.fresh_until - 0.05:
            return self.peek(key)  # the same entry, with its decoded values
        if deletions == self._deletions:
            self.memory.put(key, found, store_for=loaded.left, mark=mark)
        return found

    def mark(self) -> int:
        """Return the position in the order of purges, in memory and in Redis."""
        return self.shared.mark() << _MEMORY_MARK_BITS | self.memory.mark()

    async def set(self, key: str, entry: CacheEntry, *, store_for: float, mark: int) -> bool:
        """Store an entry in both tiers, unless one of its tags was purged since the mark.

        Redis has all purges: an entry that it refuses is not stored in memory either.
        """
        shared, own = divmod(mark, 1 << _MEMORY_MARK_BITS)
        until, deletions = self._clock() + store_for, self._deletions
        is_stored = await self.shared.offer(key, entry, store_for=store_for, mark=shared)
        if is_stored is False:
            self.memory.drop(key)
            return False
        left = until - self._clock()
        is_held = (
            deletions == self._deletions
            and self._is_current()
            and self.memory.put(key, entry, store_for=left, mark=own)
        )
        return is_held or is_stored is True

    async def delete(self, key: str) -> None:
        """Delete one entry in memory, in Redis and in the other processes."""
        self._drop(key)
        await self.shared.delete(key)
        self._drop(key)  # it may have been read from Redis meanwhile

    async def purge(self, tags: Sequence[str]) -> int:
        """Delete the entries with these tags everywhere; return how many were in memory."""
        count = self.memory.drop_tagged(tags)
        await self.shared.purge(tags)
        return count + self.memory.drop_tagged(tags)

    async def lease(self, key: str, seconds: float) -> bool:
        """Take the lease to refresh a key, among all processes."""
        return await self.shared.lease(key, seconds)

    async def release(self, key: str) -> None:
        """Release a lease."""
        await self.shared.release(key)

    async def aclose(self) -> None:
        """End the subscription, and try a last time to publish pending invalidations."""
        self._receiving.cancel()
        await asyncio.wait([self._receiving])
        self.memory.clear()
        await self.shared.aclose()

    def _is_current(self) -> bool:
        return self._clock() <= self._subscription.received_until + MAX_SILENCE_SECONDS

    def _drop(self, key: str) -> None:
        self._deletions += 1
        self.memory.drop(key)

    def _receive(self, message: bytes) -> None:
        try:
            era, number, invalidation = parse_message(message)
            tags = tuple(map(text, invalidation.tags))
        except ValueError:
            self.memory.clear()
            return
        self.shared.session.epoch.learn(era, number)
        if invalidation.everything:
            self.memory.clear()
        if invalidation.process != self.shared.process:
            self._apply(invalidation, tags)

    def _apply(self, invalidation: Invalidation, tags: tuple[str, ...]) -> None:
        for name in invalidation.keys:
            key = self.shared.key_of(name)
            if key is not None:
                self._drop(key)
        if tags:
            count = self.memory.drop_tagged(tags)
            if self._events.sinks:
                self._events.emit(Purged(tags, "peer", count))
