"""What every store of entries does; one suite of tests holds all of them to it."""

from collections.abc import Sequence
from typing import Protocol

from bff_core.cache.entry import CacheEntry


class CacheStore(Protocol):
    """Stores entries by key and by tag.

    No method raises for a store that can't be reached: what can't be read is a miss, what can't
    be written is not stored. Each ends within some 50 ms.
    """

    def __len__(self) -> int:
        """Return how many entries this process holds in memory."""
        ...

    @property
    def size(self) -> int:
        """How many bytes those take."""
        ...

    @property
    def limit(self) -> int:
        """How many bytes they may take."""
        ...

    def peek(self, key: str, /) -> CacheEntry | None:
        """Return what this process holds in memory, without asking anybody."""
        ...

    async def get(self, key: str, /) -> CacheEntry | None:
        """Return an entry that may still be of use, wherever it is."""
        ...

    def mark(self) -> int:
        """Return a point in the order of purges, to be taken before the request is sent."""
        ...

    async def set(self, key: str, entry: CacheEntry, /, *, store_for: float, mark: int) -> bool:
        """Store an entry for so many seconds, unless one of its tags was purged since the mark.

        Return whether it is stored.
        """
        ...

    async def delete(self, key: str, /) -> None:
        """Forget one entry, here and elsewhere."""
        ...

    async def purge(self, tags: Sequence[str], /) -> int:
        """Forget all entries of these tags, in all processes; return how many were dropped here."""
        ...

    async def lease(self, key: str, seconds: float, /) -> bool:
        """Take the right to refresh a key, for a while; False while another process has it.

        True also where no other process is reachable.
        """
        ...

    async def release(self, key: str, /) -> None:
        """Give a lease back."""
        ...

    async def aclose(self) -> None:
        """Let go of what it holds open."""
        ...
