"""The interface of a cache store."""

from collections.abc import Sequence
from typing import Protocol

from bff_core.cache.entry import CacheEntry


class CacheStore(Protocol):
    """Stores entries by key and by tag.

    No method raises if the store is unreachable: a failed read is a miss, a failed write stores
    nothing. Each method ends within about 50 ms.
    """

    def __len__(self) -> int:
        """Return the number of entries in this process's memory."""
        ...

    @property
    def size(self) -> int:
        """The memory that those take (bytes)."""
        ...

    @property
    def limit(self) -> int:
        """The memory that they may take (bytes)."""
        ...

    def peek(self, key: str, /) -> CacheEntry | None:
        """Return an entry from this process's memory, without I/O."""
        ...

    async def get(self, key: str, /) -> CacheEntry | None:
        """Return a usable entry from memory or from the shared store."""
        ...

    def mark(self) -> int:
        """Return the current position in the order of purges; call it before sending a request."""
        ...

    async def set(self, key: str, entry: CacheEntry, /, *, store_for: float, mark: int) -> bool:
        """Store an entry for `store_for` seconds, unless one of its tags was purged since the mark.

        Return whether it is stored.
        """
        ...

    async def delete(self, key: str, /) -> None:
        """Delete one entry, in all processes."""
        ...

    async def purge(self, tags: Sequence[str], /) -> int:
        """Delete the entries with these tags, in all processes; return how many were in memory."""
        ...

    async def lease(self, key: str, seconds: float, /) -> bool:
        """Take the lease to refresh a key, for some seconds; False if another process has it.

        True also if no shared store is reachable.
        """
        ...

    async def release(self, key: str, /) -> None:
        """Release a lease."""
        ...

    async def aclose(self) -> None:
        """Close it."""
        ...
