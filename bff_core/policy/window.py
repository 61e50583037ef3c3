"""How often something happened within the last seconds, in constant memory."""


class Window:
    """A count over a rolling window, held in buckets: exact to one bucket's width.

    Counting costs a comparison and an addition; only asking for the total sums the buckets.
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
            self._turn(now)
        self._buckets[self._slot] += 1

    def total(self, now: float) -> int:
        """Return how many were counted within the window that ends now."""
        if now >= self._next:
            self._turn(now)
        return sum(self._buckets)

    def clear(self) -> None:
        """Forget everything."""
        self._buckets = [0] * len(self._buckets)

    def _turn(self, now: float) -> None:
        """Empty the buckets whose time has come round again."""
        size = len(self._buckets)
        bucket = int(now / self._width)
        for passed in range(min(bucket - self._first, size)):
            self._buckets[(bucket - passed) % size] = 0
        self._first, self._slot = bucket, bucket % size
        self._next = (bucket + 1) * self._width
