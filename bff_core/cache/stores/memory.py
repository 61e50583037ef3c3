"""Entries in the memory of this process, bounded in bytes and in number."""

from collections.abc import Iterable, Sequence
from sys import getsizeof
from typing import Final

from cachetools import LRUCache

from bff_core.cache.entry import CacheEntry
from bff_core.cache.stores.expiry import LONGEST, Expiries
from bff_core.cache.stores.purge_log import PurgeLog
from bff_core.clock import Clock
from bff_core.events import Events, Evicted

ENTRIES: Final = 250_000
"""How many entries are held at most; beyond some 300 MiB it is this that bounds them."""

OVERHEAD: Final = 560
"""Bytes that an entry takes here beside itself: its slot, its places in four tables."""

TAG: Final = 400
"""Bytes that a tag takes in the index, where no other entry has it."""

SWEPT: Final = 4
"""How many expired entries go, at most, when one comes: more than one, or they would grow."""

REPORT_SECONDS: Final = 1.0
"""Seconds between two events of evictions: under pressure there are as many as requests."""


class _Slot:
    """An entry, until when it is of use, and what it takes; `cell` is where its expiry is noted."""

    __slots__ = ("cell", "decoded", "entry", "size", "until")

    def __init__(self, key: str, entry: CacheEntry, until: float, cell: float) -> None:
        self.entry = entry
        self.until = until
        self.cell = cell
        self.decoded = len(entry.decoded)
        self.size = entry.size + getsizeof(key) + OVERHEAD + len(entry.tags) * TAG


class MemoryCacheStore:
    """Holds `size` bytes of entries and `entries` of them, those that were used last.

    Expired ones go as others come. Values that were decoded beside an entry count as well: it is
    weighed again when the next one comes, or when it is used.
    """

    def __init__(self, *, size: int, clock: Clock, events: Events, entries: int = ENTRIES) -> None:
        self._slots: LRUCache[str, _Slot] = LRUCache(size, getsizeof=lambda slot: slot.size)
        self._most = entries
        self._clock = clock
        self._events = events
        self._expiries = Expiries()
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
        """How many bytes its entries take."""
        return int(self._slots.currsize)

    @property
    def limit(self) -> int:
        """How many bytes they may take."""
        return int(self._slots.maxsize)

    def peek(self, key: str) -> CacheEntry | None:
        """Return what is held, at once."""
        slots = self._slots
        if key not in slots:
            return None
        slot = slots[key]
        if slot.until <= self._clock():
            self._drop(key)
            return None
        entry = slot.entry
        if len(entry.decoded) != slot.decoded:
            self._weigh(key, slot)
        return entry

    async def get(self, key: str) -> CacheEntry | None:
        """Return what is held."""
        return self.peek(key)

    def mark(self) -> int:
        """Return a point in the order of purges."""
        return self._purges.count

    async def set(self, key: str, entry: CacheEntry, *, store_for: float, mark: int) -> bool:
        """Hold an entry for so many seconds, unless it is out of date or larger than all."""
        return self.put(key, entry, store_for=store_for, mark=mark)

    def put(self, key: str, entry: CacheEntry, *, store_for: float, mark: int) -> bool:
        """Do what `set` does, at once."""
        if self._purges.beat(mark, entry.tags):
            return False
        self._settle()
        self._drop(key)
        now = self._clock()
        self._sweep(now)
        is_held = store_for > 0.0 and self._place(key, entry, now, now + min(store_for, LONGEST))
        self._last = key if is_held else None
        self._report(now)
        return is_held

    async def delete(self, key: str) -> None:
        """Forget one entry."""
        self.drop(key)

    def drop(self, key: str) -> None:
        """Do what `delete` does, at once."""
        self._drop(key)

    async def purge(self, tags: Sequence[str]) -> int:
        """Forget all entries of these tags; return how many there were."""
        return self.drop_tagged(tags)

    def drop_tagged(self, tags: Iterable[str]) -> int:
        """Do what `purge` does, at once."""
        tags = tuple(tags)
        self._purges.add(tags)
        keys = {key for tag in tags for key in self._tagged.get(tag, ())}
        for key in keys:
            self._drop(key)
        return len(keys)

    def clear(self) -> None:
        """Forget everything, also what is being loaded."""
        self._purges.add_all()
        self._slots.clear()
        self._tagged.clear()
        self._expiries = Expiries()
        self._last = None

    async def lease(self, key: str, seconds: float) -> bool:  # noqa: ARG002 # there is no other process
        """Grant it: there is no other process, and within one calls are coalesced."""
        return True

    async def release(self, key: str) -> None:
        """Do nothing: nothing was taken."""

    async def aclose(self) -> None:
        """Forget everything."""
        self.clear()

    def _place(self, key: str, entry: CacheEntry, now: float, until: float) -> bool:
        slot = _Slot(key, entry, until, 0.0)
        slots = self._slots
        if slot.size > slots.maxsize:
            return False
        while slots.currsize + slot.size > slots.maxsize or len(slots) >= self._most:
            self._evict()
        slots[key] = slot
        slot.cell = self._expiries.add(key, now, until)
        for tag in entry.tags:
            self._tagged.setdefault(tag, set()).add(key)
        return True

    def _drop(self, key: str) -> None:
        slot = self._slots.pop(key, None)
        if slot is not None:
            self._unlink(key, slot)

    def _evict(self) -> None:
        key, slot = self._slots.popitem()
        self._unlink(key, slot)
        self._evicted += 1
        self._evicted_size += slot.size

    def _unlink(self, key: str, slot: _Slot) -> None:
        self._expiries.discard(key, slot.cell)
        for tag in slot.entry.tags:
            keys = self._tagged.get(tag)
            if keys is not None:
                keys.discard(key)
                if not keys:
                    del self._tagged[tag]

    def _sweep(self, now: float) -> None:
        for _ in range(SWEPT):
            key = self._expiries.due(now)
            if key is None:
                return
            self._drop(key)

    def _settle(self) -> None:
        """Weigh what came last once more: the caller may have decoded it since."""
        key = self._last
        slot = None if key is None or key not in self._slots else self._slots[key]
        if key is not None and slot is not None and len(slot.entry.decoded) != slot.decoded:
            self._weigh(key, slot)

    def _weigh(self, key: str, slot: _Slot) -> None:
        self._drop(key)
        self._place(key, slot.entry, self._clock(), slot.until)

    def _report(self, now: float) -> None:
        if self._evicted and now - self._reported_at >= REPORT_SECONDS:
            if self._events.sinks:
                self._events.emit(Evicted(self._evicted, self._evicted_size))
            self._reported_at, self._evicted, self._evicted_size = now, 0, 0
