"""Finds expired keys without scanning the others."""

from heapq import heappop, heappush
from math import ceil, frexp, ldexp
from typing import Final

MAX_STORED_SECONDS: Final = 2.0**31
"""The longest storage time; longer ones are cut to it (RFC 9111, section 1.2.2)."""


class ExpiryBuckets:
    """Keys in buckets of expiry time; later buckets are wider.

    A key is in the first bucket that ends after its expiry. A bucket is at most a quarter of the
    remaining time wide, or a second. So there are at most a few hundred buckets, and adding and
    removing cost the same for any number of keys. (A heap of keys would fill with removed ones, and
    rebuilding it would block the event loop.)
    """

    __slots__ = ("_buckets", "_ends")

    def __init__(self) -> None:
        self._buckets: dict[float, set[str]] = {}
        self._ends: list[float] = []

    def add(self, key: str, now: float, until: float) -> float:
        """Add a key that expires at `until`; return its bucket, for `discard`."""
        end = _end_of_bucket(now, until)
        bucket = self._buckets.get(end)
        if bucket is None:
            bucket = self._buckets[end] = set()
            heappush(self._ends, end)
        bucket.add(key)
        return end

    def discard(self, key: str, end: float) -> None:
        """Remove a key from its bucket."""
        self._buckets[end].discard(key)

    def due(self, now: float) -> str | None:
        """Return one expired key without removing it, or None."""
        while self._ends and self._ends[0] <= now:
            bucket = self._buckets[self._ends[0]]
            if bucket:
                return next(iter(bucket))
            del self._buckets[heappop(self._ends)]
        return None


def _end_of_bucket(now: float, until: float) -> float:
    left = min(max(until - now, 0.0), MAX_STORED_SECONDS)
    width = ldexp(1.0, max(0, frexp(left / 8.0)[1]))
    return ceil((now + left) / width) * width
