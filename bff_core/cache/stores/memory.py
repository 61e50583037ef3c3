"""The cache store in memory: least recently used, bounded in bytes and in entries."""

from collections.abc import Iterable, Sequence
from sys import getsizeof
from typing import Final

from cachetools import LRUCache

from bff_core.cache.entry import CacheEntry
from bff_core.cache.stores.expiry import MAX_STORED_SECONDS, ExpiryBuckets
from bff_core.cache.stores.purge_log import PurgeLog
from bff_core.clock import Clock
from bff_core.events import Events, Evicted

MAX_ENTRIES: Final = 250_000
"""The number of entries, at most; it matters for a store of more than about 300 MiB."""

SLOT_BYTES: Final = 560
"""Memory of an entry's slot and of its places in four tables."""

INDEXED_TAG_BYTES: Final = 400
"""Memory of a tag in the index, if no other entry has it."""

EXPIRED_PER_WRITE: Final = 4
"""Expired entries removed by each write, at most; one would not suffice to catch up."""

REPORT_SECONDS: Final = 1.0
"""The pause between two eviction events: under pressure every request evicts."""


class _Slot:
    """An entry with its expiry and its size; `bucket` is its place among the expiries."""

    __slots__ = ("bucket", "decoded", "entry", "size", "until")

    def __init__(self, key: str, entry: CacheEntry, until: float, bucket: float) -> None:
        self.entry = entry
        self.until = until
        self.bucket = bucket
        self.decoded = len(entry.decoded)
        self.size = entry.size + getsizeof(key) + SLOT_BYTES + len(entry.tags) * INDEXED_TAG_BYTES


def _slots_of(size: float) -> LRUCache[str, _Slot]:
    return LRUCache(size, getsizeof=lambda slot: slot.size)


class MemoryCacheStore:
    """Holds the entries that were used last: at most `size` bytes and `max_entries`.

    Writes remove some expired entries. An entry's decoded values count: its size is computed again
    when the next entry is stored, and when it is used.
    """

    def __init__(
        self, *, size: int, clock: Clock, events: Events, max_entries: int = MAX_ENTRIES
    ) -> None:
        self._slots = _slots_of(size)
        self._max_entries = max_entries
        self._clock = clock
        self._events = events
        self._expiries = ExpiryBuckets()
        self._purges = PurgeLog()
        self._tagged: dict[str, set[str]] = {}
        self._last: str | None = None
        self._evicted = self._evicted_size = 0
        self._reported_at = -REPORT_SECONDS

    def __repr__(self) -> str:
        return (
            f"memory, {len(self)} entries, {self.size / 2**20:.1f} of {self.limit / 2**20:.1f} MiB"
        )

    def __len__(self) -> int:
        return len(self._slots)

    @property
    def size(self) -> int:
        """The memory that its entries take (bytes)."""
        return int(self._slots.currsize)

    @property
    def limit(self) -> int:
        """The memory that they may take (bytes)."""
        return int(self._slots.maxsize)

    def peek(self, key: str) -> CacheEntry | None:
        """Return an entry, without waiting."""
        slots = self._slots
        if key not in slots:
            return None
        slot = slots[key]
        if slot.until <= self._clock():
            self.drop(key)
            return None
        entry = slot.entry
        if len(entry.decoded) != slot.decoded:
            self._resize(key, slot)
        return entry

    async def get(self, key: str) -> CacheEntry | None:
        """Return an entry."""
        return self.peek(key)

    def mark(self) -> int:
        """Return the current position in the order of purges."""
        return self._purges.count

    async def set(self, key: str, entry: CacheEntry, *, store_for: float, mark: int) -> bool:
        """Store an entry, unless it is outdated or larger than the whole store."""
        return self.put(key, entry, store_for=store_for, mark=mark)

    def put(self, key: str, entry: CacheEntry, *, store_for: float, mark: int) -> bool:
        """Do what `set` does, without waiting."""
        if self._purges.is_outdated(mark, entry.tags):
            return False
        self._resize_last()
        self.drop(key)
        now = self._clock()
        self._sweep(now)
        until = now + min(store_for, MAX_STORED_SECONDS)
        is_held = store_for > 0.0 and self._place(key, entry, now, until)
        self._last = key if is_held else None
        self._report(now)
        return is_held

    async def delete(self, key: str) -> None:
        """Delete one entry."""
        self.drop(key)

    def drop(self, key: str) -> None:
        """Do what `delete` does, without waiting."""
        slot = self._slots.pop(key, None)
        if slot is not None:
            self._unlink(key, slot)

    async def purge(self, tags: Sequence[str]) -> int:
        """Delete the entries with these tags; return how many there were."""
        return self.drop_tagged(tags)

    def drop_tagged(self, tags: Iterable[str]) -> int:
        """Do what `purge` does, without waiting."""
        tags = tuple(tags)
        self._purges.add(tags)
        keys = {key for tag in tags for key in self._tagged.get(tag, ())}
        for key in keys:
            self.drop(key)
        return len(keys)

    def clear(self) -> None:
        """Delete everything; entries that are being loaded will not be stored."""
        self._purges.add_everything()
        self._slots = _slots_of(self._slots.maxsize)  # older cachetools clear them one by one
        self._tagged.clear()
        self._expiries = ExpiryBuckets()
        self._last = None

    async def lease(self, key: str, seconds: float) -> bool:  # noqa: ARG002 # there is no other process
        """Grant it: calls within one process are coalesced."""
        return True

    async def release(self, key: str) -> None:
        """Do nothing: `lease` takes nothing."""

    async def aclose(self) -> None:
        """Delete everything."""
        self.clear()

    def _place(self, key: str, entry: CacheEntry, now: float, until: float) -> bool:
        slot = _Slot(key, entry, until, 0.0)
        slots = self._slots
        if slot.size > slots.maxsize:
            return False
        while slots.currsize + slot.size > slots.maxsize or len(slots) >= self._max_entries:
            self._evict()
        slots[key] = slot
        slot.bucket = self._expiries.add(key, now, until)
        for tag in entry.tags:
            self._tagged.setdefault(tag, set()).add(key)
        return True

    def _evict(self) -> None:
        key, slot = self._slots.popitem()
        self._unlink(key, slot)
        self._evicted += 1
        self._evicted_size += slot.size

    def _unlink(self, key: str, slot: _Slot) -> None:
        self._expiries.discard(key, slot.bucket)
        for tag in slot.entry.tags:
            keys = self._tagged.get(tag)
            if keys is not None:
                keys.discard(key)
                if not keys:
                    del self._tagged[tag]

    def _sweep(self, now: float) -> None:
        for _ in range(EXPIRED_PER_WRITE):
            key = self._expiries.due(now)
            if key is None:
                return
            self.drop(key)

    def _resize_last(self) -> None:
        """Compute the size of the last stored entry again: its caller may have decoded it since."""
        key = self._last
        if key is None or key not in self._slots:
            return
        slot = self._slots[key]
        if len(slot.entry.decoded) != slot.decoded:
            self._resize(key, slot)

    def _resize(self, key: str, slot: _Slot) -> None:
        self.drop(key)
        self._place(key, slot.entry, self._clock(), slot.until)

    def _report(self, now: float) -> None:
        if self._evicted and now - self._reported_at >= REPORT_SECONDS:
            if self._events.sinks:
                self._events.emit(Evicted(self._evicted, self._evicted_size))
            self._reported_at, self._evicted, self._evicted_size = now, 0, 0
