"""Entries in Redis, which all processes of a fleet share."""

import asyncio
from collections.abc import Sequence
from itertools import count
from typing import Final, NamedTuple

from cachetools import FIFOCache

from bff_core.cache.entry import CacheEntry
from bff_core.cache.stores.codec import decode, encode, raw, text
from bff_core.cache.stores.expiry import LONGEST
from bff_core.cache.stores.invalidation_outbox import InvalidationOutbox, Spawn
from bff_core.cache.stores.purge_log import REMEMBERED
from bff_core.cache.stores.redis_commands import RedisCommands
from bff_core.cache.stores.scripts import LOAD, PREFIX, STORE
from bff_core.clock import Chance, Clock
from bff_core.redis.interface import RedisInterface, Value

LEASES: Final = 10_000
"""How many leases are remembered, so that they can be given back; others run out."""

THREADED: Final = 64 * 1024
"""Bytes from which on an entry is packed and unpacked in a thread, at some 4 ns for each."""


class Loaded(NamedTuple):
    """An entry, and for how many more seconds Redis stores it."""

    entry: CacheEntry
    left: float


class RedisCacheStore:
    """Stores the entries of one gateway in Redis; a purge is of all gateways' there.

    Redis that is away is left alone but for a look now and then: what can't be read is a miss. What
    is to be forgotten meanwhile is said before anything else is read or written, and tried again
    and again, so that what comes back with Redis is not believed.
    """

    def __init__(
        self, link: RedisInterface, *, gateway: str, spawn: Spawn, clock: Clock, chance: Chance
    ) -> None:
        self.process = f"{int(chance() * 2**53):x}{int(chance() * 2**53):x}"
        self.session = RedisCommands(link, process=self.process, clock=clock)
        self._outbox = InvalidationOutbox(self.session, process=self.process, spawn=spawn)
        self._entries = raw(f"{PREFIX}entry:{gateway}:")
        self._refreshed = raw(f"{PREFIX}lease:{gateway}:")
        self._clock = clock
        self._spawn = spawn
        self._leases: FIFOCache[str, str] = FIFOCache(LEASES)
        self._numbers = count(1)

    def __repr__(self) -> str:
        return self.session.link.name

    def __len__(self) -> int:
        return 0

    @property
    def size(self) -> int:
        """Nothing: this process holds no entries."""
        return 0

    @property
    def limit(self) -> int:
        """Nothing: this process holds no entries."""
        return 0

    def peek(self, key: str) -> CacheEntry | None:  # noqa: ARG002 # nothing is held here
        """Return nothing: what is in Redis has to be loaded."""
        return None

    async def get(self, key: str) -> CacheEntry | None:
        """Return what Redis holds."""
        loaded = await self.load(key)
        return None if loaded is None else loaded.entry

    async def load(self, key: str) -> Loaded | None:
        """Return what Redis holds, and for how much longer."""
        if self._outbox.owes and not await self._outbox.pay():
            return None
        began = self._clock()
        answer = await self.session.script(LOAD, (self.name_of(key),), ())
        match answer:
            case [bytes(body), bytes(lifetime), int(left)] if 0 < left <= int(lifetime):
                # As if it were read when the command was sent: never younger than it is.
                entry = await _unpacked(body, began, (int(lifetime) - left) / 1000)
                return None if entry is None else Loaded(entry, left / 1000)
        return None

    def mark(self) -> int:
        """Return the last purge that this process heard of."""
        return self.session.epoch.mark()

    async def set(self, key: str, entry: CacheEntry, *, store_for: float, mark: int) -> bool:
        """Store an entry, unless one of its tags was purged since the mark, or may have been."""
        return await self.offer(key, entry, store_for=store_for, mark=mark) is True

    async def offer(
        self, key: str, entry: CacheEntry, *, store_for: float, mark: int
    ) -> bool | None:
        """Do what `set` does; return None where Redis is away."""
        if self._outbox.owes and not await self._outbox.pay():
            return None
        epoch, milliseconds = self.session.epoch, int(min(store_for, LONGEST) * 1000)
        number = epoch.count_at(mark)
        if number is None or milliseconds <= 0:
            return False
        era, sent, tags = epoch.era, epoch.redis_time(), map(raw, entry.tags)
        body = await _packed(entry, self._clock())
        args: tuple[Value, ...] = (era, number, milliseconds, sent, REMEMBERED, body, *tags)
        answer = await self.session.script(STORE, (self.name_of(key),), args)
        return None if answer is None else answer == [1]

    async def delete(self, key: str) -> None:
        """Forget one entry, here and in the other processes."""
        await self._outbox.announce(keys=(self.name_of(key),))

    async def purge(self, tags: Sequence[str]) -> int:
        """Forget all entries of these tags, everywhere; none is held here."""
        await self._outbox.announce(tags)
        return 0

    async def lease(self, key: str, seconds: float) -> bool:
        """Take the right to refresh a key; True, too, where Redis is away."""
        owner = f"{self.process}-{next(self._numbers)}"
        try:
            is_ours = await self.session.take(self._lease_of(key), owner, seconds)
        except asyncio.CancelledError:  # Redis may have granted it: no one would give it back
            self._spawn(self.session.drop(self._lease_of(key), owner))
            raise
        if is_ours:
            # Redis may have granted it although its answer was lost: it is given back as well.
            self._leases[key] = owner
        return is_ours

    async def release(self, key: str) -> None:
        """Give a lease back, unless it has run out and is another's."""
        owner = self._leases.pop(key, None)
        if owner is not None:
            await self.session.drop(self._lease_of(key), owner)

    async def aclose(self) -> None:
        """Say what is still owed, if that is possible."""
        await self._outbox.aclose()

    def name_of(self, key: str) -> bytes:
        """Return what an entry is called in Redis."""
        return self._entries + raw(key)

    def key_of(self, name: bytes) -> str | None:
        """Return the key of an entry by its name in Redis; None for that of another gateway."""
        if not name.startswith(self._entries):
            return None
        return text(name[len(self._entries) :])

    def _lease_of(self, key: str) -> bytes:
        return self._refreshed + raw(key)


async def _packed(entry: CacheEntry, now: float) -> bytes:
    if len(entry.body) < THREADED:
        return encode(entry, now)
    return await asyncio.to_thread(encode, entry, now)


async def _unpacked(body: bytes, now: float, stored_for: float) -> CacheEntry | None:
    if len(body) < THREADED:
        return decode(body, now, stored_for)
    return await asyncio.to_thread(decode, body, now, stored_for)
