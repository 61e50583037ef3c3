"""Histograms of durations with logarithmic buckets, from which percentiles can be read."""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from typing import Final

_STEPS: Final = (1.0, 1.33, 1.78, 2.37, 3.16, 4.22, 5.62, 7.5)

BOUNDS: Final[tuple[float, ...]] = tuple(
    round(step * 10.0**power, 6) for power in range(-3, 2) for step in _STEPS
)
"""The upper bounds of the buckets in seconds, 1 ms to 75 s; a last bucket has what is longer."""

EXPORTED: Final = range(0, len(BOUNDS), 2)
"""The buckets whose bounds Prometheus gets: each adds a series for each set of labels."""

Exemplar = tuple[str, float, float]
"""A trace id, the duration in seconds, and when it ended in Unix time."""


class Histogram:
    """Counts durations by bucket; `total` is their sum in seconds.

    New ones are `pending`, so that counting one is an addition to a list: to sort many at once into
    buckets takes a third of the instructions. What adds to the list calls `flush` now and then.
    `exemplars` has the trace of the newest exemplary duration of each bucket.
    """

    __slots__ = ("_counts", "_mark", "_total", "exemplars", "pending")

    def __init__(self) -> None:
        self.pending: list[float] = []
        self.exemplars: dict[int, Exemplar] = {}
        self._counts = [0] * (len(BOUNDS) + 1)
        self._total = 0.0
        self._mark: list[int] | None = None

    @property
    def counts(self) -> list[int]:
        """The counts by bucket."""
        self.flush()
        return self._counts

    @property
    def total(self) -> float:
        """The sum of all durations."""
        self.flush()
        return self._total

    def observe(self, seconds: float) -> None:
        """Count a duration."""
        self.pending.append(seconds)

    def flush(self) -> None:
        """Sort the pending durations into buckets."""
        pending, passed = self.pending, 0
        if not pending:
            return
        pending.sort()
        self._total += sum(pending)
        while passed < len(pending):
            place = bisect_left(BOUNDS, pending[passed])
            is_last = place == len(BOUNDS)
            reached = len(pending) if is_last else bisect_right(pending, BOUNDS[place], passed)
            self._counts[place] += reached - passed
            passed = reached
        pending.clear()

    def exemplify(self, exemplar: Exemplar) -> None:
        """Store the trace of a duration that was counted."""
        self.exemplars[bisect_left(BOUNDS, exemplar[1])] = exemplar

    def since_mark(self) -> dict[int, int]:
        """Return what was counted since the mark, by bucket."""
        self.flush()
        if self._mark is None:
            return {place: count for place, count in enumerate(self._counts) if count}
        return {
            place: count - before
            for place, (count, before) in enumerate(zip(self._counts, self._mark, strict=True))
            if count != before
        }

    def mark(self) -> None:
        """Set the mark here."""
        self._mark = list(self.counts)


def quantile(buckets: Mapping[int, int], share: float) -> float | None:
    """Return the duration below which a share of those in buckets lies; None without any.

    Within a bucket the logarithm of durations is taken as evenly spread, so that the error is at
    most the width of a bucket, a third.
    """
    rank = share * sum(buckets.values())
    if not rank:
        return None
    passed = 0
    for place in sorted(buckets):
        count = buckets[place]
        if passed + count >= rank:
            return _within(place, (rank - passed) / count)
        passed += count
    return BOUNDS[-1]


def _within(place: int, share: float) -> float:
    if place >= len(BOUNDS):
        return BOUNDS[-1]
    upper = BOUNDS[place]
    lower = BOUNDS[place - 1] if place else upper / 2
    return float(lower * (upper / lower) ** share)


def added(one: Mapping[int, int], other: Mapping[int, int]) -> dict[int, int]:
    """Return the sum of two sets of buckets."""
    found = dict(one)
    for place, count in other.items():
        found[place] = found.get(place, 0) + count
    return found


def exported_counts(counts: Sequence[int]) -> list[int]:
    """Return the cumulative counts at the exported bounds, then that of all durations."""
    sums, passed, known = [], 0, 0
    for place in EXPORTED:
        passed += sum(counts[known : place + 1])
        known = place + 1
        sums.append(passed)
    return [*sums, sum(counts)]
