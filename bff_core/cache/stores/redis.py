"""The cache store in Redis, which all processes share."""

import asyncio
from collections.abc import Sequence
from itertools import count
from typing import Final, NamedTuple

from cachetools import FIFOCache

from bff_core.cache.entry import CacheEntry
from bff_core.cache.stores.codec import decode, encode, raw, text
from bff_core.cache.stores.expiry import MAX_STORED_SECONDS
from bff_core.cache.stores.invalidation_outbox import InvalidationOutbox, Spawn
from bff_core.cache.stores.purge_log import MAX_LOGGED_TAGS
from bff_core.cache.stores.redis_commands import RedisCommands
from bff_core.cache.stores.scripts import LOAD, PREFIX, STORE
from bff_core.clock import Chance, Clock
from bff_core.redis.interface import RedisInterface, Value

MAX_LEASES: Final = 10_000
"""Leases that can be released, at most; further ones expire."""

MIN_THREADED_BYTES: Final = 64 * 1024
"""Larger bodies are encoded and decoded in a thread; a byte takes about 4 ns."""


class Loaded(NamedTuple):
    """An entry, and the seconds until it expires in Redis."""

    entry: CacheEntry
    left: float


class RedisCacheStore:
    """Stores the entries of one gateway in Redis; a purge affects all gateways on that Redis.

    After a failure Redis is skipped for a moment, and reads are misses. Invalidations that failed
    are retried. They are published before anything else is read or written, so that an outdated
    entry is not used when Redis comes back.
    """

    def __init__(
        self, link: RedisInterface, *, gateway: str, spawn: Spawn, clock: Clock, chance: Chance
    ) -> None:
        self.process = f"{int(chance() * 2**53):x}{int(chance() * 2**53):x}"
        self.session = RedisCommands(link, process=self.process, clock=clock)
        self._outbox = InvalidationOutbox(self.session, process=self.process, spawn=spawn)
        self._entry_prefix = raw(f"{PREFIX}entry:{gateway}:")
        self._lease_prefix = raw(f"{PREFIX}lease:{gateway}:")
        self._clock = clock
        self._spawn = spawn
        self._leases: FIFOCache[str, str] = FIFOCache(MAX_LEASES)
        self._numbers = count(1)

    def __repr__(self) -> str:
        return self.session.link.name

    @property
    def has_pending_purges(self) -> bool:
        """Whether Redis has not accepted an invalidation yet."""
        return self._outbox.has_pending

    async def load(self, key: str) -> Loaded | None:
        """Return an entry and its remaining time."""
        if self._outbox.has_pending and not await self._outbox.flush():
            return None
        began = self._clock()
        answer = await self.session.script(LOAD, (self.name_of(key),), ())
        match answer:
            case [bytes(body), bytes(lifetime), int(left)] if 0 < left <= int(lifetime):
                # The time of the command, not of its answer: so the age is never too small.
                entry = await _decoded(body, began, (int(lifetime) - left) / 1000)
                return None if entry is None else Loaded(entry, left / 1000)
        return None

    def mark(self) -> int:
        """Return the position of the last purge that this process received."""
        return self.session.epoch.mark()

    async def offer(
        self, key: str, entry: CacheEntry, *, store_for: float, mark: int
    ) -> bool | None:
        """Store an entry, unless one of its tags was, or may have been, purged since the mark.

        Return whether it is stored, or None if Redis is unavailable.
        """
        if self._outbox.has_pending and not await self._outbox.flush():
            return None
        epoch, milliseconds = self.session.epoch, int(min(store_for, MAX_STORED_SECONDS) * 1000)
        number = epoch.count_at(mark)
        if number is None or milliseconds <= 0:
            return False
        era, sent, tags = epoch.era, epoch.redis_time(), map(raw, entry.tags)
        body = await _encoded(entry, self._clock())
        args: tuple[Value, ...] = (era, number, milliseconds, sent, MAX_LOGGED_TAGS, body, *tags)
        answer = await self.session.script(STORE, (self.name_of(key),), args)
        return None if answer is None else answer == [1]

    async def delete(self, key: str) -> None:
        """Delete one entry, in all processes."""
        await self._outbox.publish(keys=(self.name_of(key),))

    async def purge(self, tags: Sequence[str]) -> None:
        """Delete the entries with these tags, in all processes."""
        await self._outbox.publish(tags)

    async def lease(self, key: str, seconds: float) -> bool:
        """Take the lease to refresh a key; True also if Redis is unavailable."""
        owner = f"{self.process}-{next(self._numbers)}"
        try:
            is_ours = await self.session.set_if_absent(self._lease_key(key), owner, seconds)
        except asyncio.CancelledError:  # Redis may have granted it, and no one would release it
            self._spawn(self.session.delete_if_owned(self._lease_key(key), owner))
            raise
        if is_ours:
            # Also if Redis is unavailable: its answer may be lost, but the lease granted.
            self._leases[key] = owner
        return is_ours

    async def release(self, key: str) -> None:
        """Release a lease, unless it has expired and another process has it."""
        owner = self._leases.pop(key, None)
        if owner is not None:
            await self.session.delete_if_owned(self._lease_key(key), owner)

    async def aclose(self) -> None:
        """Try a last time to publish pending invalidations."""
        await self._outbox.aclose()

    def name_of(self, key: str) -> bytes:
        """Return the Redis key of an entry."""
        return self._entry_prefix + raw(key)

    def key_of(self, name: bytes) -> str | None:
        """Return an entry's key by its Redis key; None if it belongs to another gateway."""
        if not name.startswith(self._entry_prefix):
            return None
        return text(name[len(self._entry_prefix) :])

    def _lease_key(self, key: str) -> bytes:
        return self._lease_prefix + raw(key)


async def _encoded(entry: CacheEntry, now: float) -> bytes:
    if len(entry.body) < MIN_THREADED_BYTES:
        return encode(entry, now)
    return await asyncio.to_thread(encode, entry, now)


async def _decoded(body: bytes, now: float, stored_for: float) -> CacheEntry | None:
    if len(body) < MIN_THREADED_BYTES:
        return decode(body, now, stored_for)
    return await asyncio.to_thread(decode, body, now, stored_for)
