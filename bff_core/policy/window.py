"""`Window`: counts events of the last seconds, in constant memory."""


class Window:
    """A count over a sliding window, in buckets: exact to the width of one bucket.

    To count costs a comparison and an addition; `total` sums the buckets.
    """

    __slots__ = ("_buckets", "_first", "_next", "_slot", "_width")

    def __init__(self, seconds: float, *, buckets: int = 10) -> None:
        self._width = seconds / buckets
        self._buckets = [0] * buckets
        self._first = self._slot = 0
        self._next = -1.0

    def add(self, now: float) -> None:
        """Count one."""
        if now >= self._next:
            self._advance(now)
        self._buckets[self._slot] += 1

    def total(self, now: float) -> int:
        """Return the count of the window that ends now."""
        if now >= self._next:
            self._advance(now)
        return sum(self._buckets)

    def clear(self) -> None:
        """Set the count to zero."""
        self._buckets = [0] * len(self._buckets)

    def _advance(self, now: float) -> None:
        """Advance to the current bucket; empty those whose time is over."""
        size = len(self._buckets)
        bucket = int(now / self._width)
        for passed in range(min(bucket - self._first, size)):
            self._buckets[(bucket - passed) % size] = 0
        self._first, self._slot = bucket, bucket % size
        self._next = (bucket + 1) * self._width
