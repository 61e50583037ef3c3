"""Load shedding: how many requests a process admits at a time, and which it refuses first."""

from collections import deque
from math import ceil, sqrt
from typing import Final, Literal, get_args

Criticality = Literal["sheddable", "sheddable_plus", "critical", "critical_plus"]
"""How important a request is, the least first; the default is `critical`.

The classes are those of Google's "Site Reliability Engineering", chapter 21.
"""

CLASSES: Final[tuple[Criticality, ...]] = get_args(Criticality)

DEFAULT_CRITICALITY: Final[Criticality] = "critical"

CLASS_SHARES: Final[dict[Criticality, float]] = {
    "sheddable": 0.5,
    "sheddable_plus": 0.7,
    "critical": 0.9,
    "critical_plus": 1.0,
}
"""The share of the limit that each class may use; the rest is reserved for higher classes."""

BROWNOUT_SHARE = 0.4
"""The share of the limit above which answers omit their optional parts."""

ONSET_SECONDS = 0.25
"""Seconds for which the loop has to lag before the limit is cut. A shorter burst is no overload."""

MIN_TURNS = 3
"""Measured turns of the loop before the limit changes."""

WINDOW_SECONDS = 0.1
"""Seconds whose median lag counts after the limit has been cut."""


class LoadShedder:
    """An adaptive concurrency limit for one process, of which each class of requests has a share.

    The limit follows the lag of the event loop: the seconds that one turn takes, which is how long
    a ready task waits. At first, as in CoDel (RFC 8289), the smallest lag of an interval counts,
    since only a queue that never empties is a standing queue. After the limit has been cut, the
    median of a shorter interval counts. If that lag is above `max_lag`, the limit is cut, by half
    at most. If it is below, the limit grows, by its square root at most (as in Netflix's
    concurrency-limits). Both changes are in proportion to the distance from `max_lag`. So the limit
    depends on the load of this process, not on how long its services take.

    The caller counts `in_flight`, and in `arriving` the requests that are admitted but not counted
    yet. A stream is not in flight: `max_streams` limits how many are open. Below
    `lowest_threshold` requests of all classes are admitted.
    """

    __slots__ = (
        "_lags",
        "_thresholds",
        "arriving",
        "brownout_threshold",
        "ceiling",
        "dimmed",
        "floor",
        "has_brownout",
        "has_refused",
        "in_flight",
        "lag",
        "limit",
        "lowest_threshold",
        "max_lag",
        "max_streams",
        "refused",
        "streams",
    )

    def __init__(
        self,
        *,
        ceiling: int = 1000,
        floor: int = 10,
        max_lag: float = 0.002,
        brownout: bool = True,
        max_streams: int = 20_000,
    ) -> None:
        self.ceiling = ceiling
        self.max_streams = max_streams
        self.floor = min(floor, ceiling)
        self.max_lag = max_lag
        self.has_brownout = brownout
        self.limit = float(ceiling)
        self.lag = 0.0
        self.in_flight = 0
        self.arriving = 0
        self.streams = 0
        self.refused = dict.fromkeys(CLASSES, 0)
        self.has_refused = False
        self.dimmed = 0
        self._lags: deque[tuple[float, float]] = deque()
        self._thresholds: dict[Criticality, int] = {}
        self._update_thresholds()

    @property
    def is_limited(self) -> bool:
        """Whether the limit has been cut."""
        return self.limit < self.ceiling

    def admits(self, criticality: Criticality) -> bool:
        """Return whether to admit one more request of a class; count a refusal."""
        if self.in_flight + self.arriving < self._thresholds[criticality]:
            return True
        self._refuse(criticality)
        return False

    def may_continue(self, criticality: Criticality) -> bool:
        """Return whether a request in flight may continue, whose class is known only now."""
        if self.in_flight <= self._thresholds[criticality]:
            return True
        self._refuse(criticality)
        return False

    def sheds_parts(self) -> bool:
        """Return whether an answer that begins now omits its optional parts; count such answers.

        While requests are refused, all answers omit them.
        """
        if self.in_flight <= self.brownout_threshold and not self.has_refused:
            return False
        self.dimmed += 1
        return True

    def begin_stream(self) -> bool:
        """Count a request as a stream from now on; return False if there are too many already."""
        if self.streams >= self.max_streams:
            self.refused[DEFAULT_CRITICALITY] += 1
            return False
        self.in_flight -= 1
        self.streams += 1
        return True

    def end_stream(self) -> None:
        """Count a stream that has ended."""
        self.streams -= 1

    def observe(self, now: float, lag: float) -> None:
        """Record a turn of the loop that lasted `lag` seconds, and adjust the limit."""
        self.has_refused = False
        self._lags.append((now - lag, lag))
        since = now - (WINDOW_SECONDS if self.is_limited else ONSET_SECONDS)
        is_observed_whole = self._forget_before(since)
        lags = sorted(lag for _, lag in self._lags)
        self.lag = lags[len(lags) // 2] if self.is_limited else lags[0]
        if self.max_lag <= 0:
            return
        distance = 1.0 - self.lag / self.max_lag
        if distance >= 0:
            self._move(self.limit + sqrt(self.limit) * distance)
        elif is_observed_whole:
            # A limit far above the requests in flight has no effect: the cut starts from those.
            used = min(self.limit, max(self.in_flight, self.floor))
            self._move(max(used + sqrt(used) * distance, used / 2))

    def forget_lags(self) -> None:
        """Drop all measurements, after a time without any."""
        self._lags.clear()

    def report(self) -> tuple[dict[str, int], int]:
        """Return the refusals by class and the number of dimmed answers since the last report."""
        refused: dict[str, int] = {one: count for one, count in self.refused.items() if count}
        report = refused, self.dimmed
        self.refused = dict.fromkeys(CLASSES, 0)
        self.dimmed = 0
        return report

    def _refuse(self, criticality: Criticality) -> None:
        self.refused[criticality] += 1
        self.has_refused = self.has_brownout

    def _forget_before(self, since: float) -> bool:
        """Drop older lags; return whether the rest covers the interval, with `MIN_TURNS` at least.

        A single long turn is no queue: something blocked the loop.
        """
        lags = self._lags
        while len(lags) > MIN_TURNS and lags[1][0] <= since:
            lags.popleft()
        return len(lags) >= MIN_TURNS and lags[0][0] <= since

    def _move(self, limit: float) -> None:
        self.limit = min(max(limit, self.floor), self.ceiling)
        self._update_thresholds()

    def _update_thresholds(self) -> None:
        self._thresholds = {one: ceil(self.limit * share) for one, share in CLASS_SHARES.items()}
        brownout = ceil(self.limit * BROWNOUT_SHARE)
        self.brownout_threshold = brownout if self.has_brownout else self.ceiling
        self.lowest_threshold = self._thresholds["sheddable"]


def combined_criticality(route: Criticality, viewer: Criticality) -> Criticality:
    """Return the class of a request, by the classes of its route and its viewer.

    The viewer's class moves the route's by its distance from `critical`: for a viewer who is
    `critical_plus`, each route is one class higher, and the order of routes stays the same.
    """
    step = CLASSES.index(viewer) - CLASSES.index(DEFAULT_CRITICALITY)
    place = CLASSES.index(route) + step
    return CLASSES[min(max(place, 0), len(CLASSES) - 1)]
