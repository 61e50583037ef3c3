"""The series that are counted, and the bound on how many there may be."""

from collections import defaultdict
from collections.abc import Callable, Collection
from math import inf
from typing import Final, Generic, TypeVar

from bff_core.objective import Objective
from bff_core.observe.metrics.budget import Budget
from bff_core.observe.metrics.histogram import Histogram

S = TypeVar("S")

Labels = tuple[str, ...]

OTHER: Final = "other"
"""The label of what is not known, and of what has no series of its own."""


def collapsed(labels: Labels, known: Collection[Labels], limit: int) -> Labels:
    """Return the labels under which a series is counted if there may be `limit` of its kind.

    Beyond the limit, labels are replaced by `other` from the right: a family lists first what it is
    about. Each replaced label raises the limit, so that shared series have room, up to its double.
    """
    for count in range(len(labels)):
        shared = (*labels[: len(labels) - count], *[OTHER] * count)
        if shared in known or len(known) < limit * (len(labels) + count) // len(labels):
            return shared
    return (OTHER,) * len(labels)


class Bounded(Generic[S]):
    """Series by their labels; beyond `limit` of them new ones share series: see `collapsed`."""

    __slots__ = ("_limit", "_make", "found")

    def __init__(self, make: Callable[[Labels], S], limit: int) -> None:
        self._make = make
        self._limit = limit
        self.found: dict[Labels, S] = {}

    def add(self, labels: Labels) -> S:
        """Return the series of these labels, or the one that they share; a new one is made."""
        series = self.found.get(labels)
        if series is not None:
            return series
        labels = collapsed(labels, self.found, self._limit)
        series = self.found.get(labels)
        if series is None:
            series = self.found[labels] = self._make(labels)
        return series


class ViewSeries:
    """The answers of a route, or of a root field of GraphQL.

    `counts` has the complete answers by status, `spoilt` the others by status and state. `stale`
    counts complete answers with a stale part. `durations` are the pending ones of the histogram.
    A complete answer within `good_seconds` meets the objective.
    """

    __slots__ = (
        *("budget", "counts", "durations", "good_seconds", "histogram", "label", "marked"),
        *("objective", "spoilt", "stale"),
    )

    def __init__(self, label: str, objective: Objective | None = None) -> None:
        self.label = label
        self.counts: defaultdict[int, int] = defaultdict(int)
        self.spoilt: defaultdict[tuple[int, str], int] = defaultdict(int)
        self.stale = 0
        self.histogram = Histogram()
        self.durations = self.histogram.pending
        self.marked: dict[str, int] = {}
        self.set_objective(objective)

    def set_objective(self, objective: Objective | None) -> None:
        """Set its objective, whose budget has not been spent."""
        self.objective = objective
        self.budget = None if objective is None else Budget()
        seconds = None if objective is None else objective.seconds
        self.good_seconds = inf if seconds is None else seconds

    def spend(self, state: str, seconds: float, now: float) -> str:
        """Count an answer for the objective: it is good, degraded, failed or slow."""
        objective, budget, outcome = self.objective, self.budget, state
        if objective is None or budget is None:
            return state
        if objective.is_met(state, seconds):
            outcome = "good"
        elif objective.is_met(state, 0.0):
            outcome = "slow"
        budget.count(outcome, now)
        return outcome

    def by_state(self) -> dict[str, int]:
        """Return how many answers there were of each state; a 4xx is complete."""
        complete = sum(self.counts.values())
        found = {"complete": complete, "degraded": 0, "failed": 0, "stale": self.stale}
        for (_, state), count in self.spoilt.items():
            found[state] += count
        return found


class PartSeries:
    """The runs of a part of a screen; `states` has those that did not end as ok, by state.

    `durations` are the pending ones of the histogram.
    """

    __slots__ = ("durations", "histogram", "states")

    def __init__(self, _labels: tuple[str, ...] = ()) -> None:
        self.states: defaultdict[str, int] = defaultdict(int)
        self.histogram = Histogram()
        self.durations = self.histogram.pending

    def by_state(self) -> dict[str, int]:
        """Return how many runs ended in each state."""
        fine = sum(self.histogram.counts) - sum(self.states.values())
        return {"ok": fine, **self.states} if fine else dict(self.states)


class CallSeries:
    """The calls of an operation of a service.

    `counts` are by outcome and source, but for those that the service answered with 200. The
    histogram has those that the service answered or should have answered: not those from a cache,
    and not those that were `rejected` before they were sent. `errors` of these failed, and `saved`
    were answered by a cache. `durations` are the pending ones of the histogram.
    """

    __slots__ = (
        *("counts", "durations", "errors", "histogram"),
        *("marked", "rejected", "saved"),
    )

    def __init__(self, _labels: tuple[str, ...] = ()) -> None:
        self.counts: defaultdict[tuple[str, str], int] = defaultdict(int)
        self.histogram = Histogram()
        self.durations = self.histogram.pending
        self.errors = 0
        self.rejected = 0
        self.saved = 0
        self.marked = (0, 0, 0)

    @property
    def fine(self) -> int:
        """How many calls the service answered with 200."""
        others = sum(self.counts.values()) - self.rejected - self.saved
        return sum(self.histogram.counts) - others
