"""How many requests a process takes at once, and which it refuses first when it has too many."""

from collections import deque
from math import ceil, sqrt
from typing import Final, Literal, get_args

Criticality = Literal["sheddable", "sheddable_plus", "critical", "critical_plus"]
"""What a request matters, lowest first; the four classes of Google's "Site Reliability
Engineering", chapter 21. `critical` is what is not said otherwise."""

CLASSES: Final[tuple[Criticality, ...]] = get_args(Criticality)

DEFAULT_CRITICALITY: Final[Criticality] = "critical"

CLASS_SHARES: Final[dict[Criticality, float]] = {
    "sheddable": 0.5,
    "sheddable_plus": 0.7,
    "critical": 0.9,
    "critical_plus": 1.0,
}
"""The share of the limit up to which a class is admitted; the rest is for higher classes."""

BROWNOUT_SHARE = 0.4
"""The share of the limit above which answers do without their optional parts."""

ONSET_SECONDS = 0.25
"""Seconds for which the loop must lag before the limit is cut: a burst that is worked off within
is no overload."""

MIN_TURNS = 3
"""Turns that are looked at before anything is concluded."""

WINDOW_SECONDS = 0.1
"""Seconds over which the median lag counts once the limit has been cut."""


class LoadShedder:
    """The requests under way in one process, the limit for them, and who is admitted below it.

    The limit follows the loop's lag, the seconds that one turn of the event loop takes: what is
    ready waits that long for its turn. At first, as in CoDel (RFC 8289), the smallest lag of an
    interval counts, since only a queue that never empties is a standing one; once the limit has
    been cut, the median of a shorter one. While it is above `max_lag` the limit is cut, by half at
    most; while it is below, the limit grows by up to its square root (as in Netflix's
    concurrency-limits); both in proportion to the distance. So the limit settles at what holds the
    loop turning, however long the services take that requests wait for.

    `in_flight` is counted by the caller; `arriving` are those who were admitted and are not yet
    counted. A stream leaves them when it begins, and takes its place off the ceiling instead.
    Requests up to `lowest_threshold` need no decision.
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
        "refused",
        "streams",
    )

    def __init__(
        self, *, ceiling: int = 1000, floor: int = 10, max_lag: float = 0.002, brownout: bool = True
    ) -> None:
        self.ceiling = ceiling
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
        """Whether one more request of this class may begin; a refusal is counted."""
        if self.in_flight + self.arriving < self._thresholds[criticality]:
            return True
        self._refuse(criticality)
        return False

    def may_continue(self, criticality: Criticality) -> bool:
        """Whether a request that is counted already may go on, now that its class is known."""
        if self.in_flight <= self._thresholds[criticality]:
            return True
        self._refuse(criticality)
        return False

    def sheds_parts(self) -> bool:
        """Whether an answer that begins now does without optional parts; those are counted.

        As long as anybody is refused no other answer is whole.
        """
        if self.in_flight <= self.brownout_threshold and not self.has_refused:
            return False
        self.dimmed += 1
        return True

    def begin_stream(self) -> None:
        """Take a request that has become a stream out of those in flight."""
        self.in_flight -= 1
        self.streams += 1
        self._update_thresholds()

    def end_stream(self) -> None:
        """Forget a stream."""
        self.streams -= 1
        self._update_thresholds()

    def observe(self, now: float, lag: float) -> None:
        """Take a turn of the loop that lasted `lag` seconds, and move the limit."""
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
            # A limit far above what is in flight bounds nothing: the cut starts where it bites.
            used = min(self.limit, max(self.in_flight, self.floor))
            self._move(max(used + sqrt(used) * distance, used / 2))

    def forget_lags(self) -> None:
        """Begin anew with measuring, after a time without a measurement."""
        self._lags.clear()

    def report(self) -> tuple[dict[str, int], int]:
        """Return what was refused, by class, and how many answers were dimmed; begin anew."""
        refused: dict[str, int] = {one: count for one, count in self.refused.items() if count}
        report = refused, self.dimmed
        self.refused = dict.fromkeys(CLASSES, 0)
        self.dimmed = 0
        return report

    def _refuse(self, criticality: Criticality) -> None:
        self.refused[criticality] += 1
        self.has_refused = self.has_brownout

    def _forget_before(self, since: float) -> bool:
        """Keep what covers the interval; whether it is covered, by three turns at least.

        A turn that was long by itself, since something blocked the loop, is no queue.
        """
        lags = self._lags
        while len(lags) > MIN_TURNS and lags[1][0] <= since:
            lags.popleft()
        return len(lags) >= MIN_TURNS and lags[0][0] <= since

    def _move(self, limit: float) -> None:
        self.limit = min(max(limit, self.floor), self.ceiling)
        self._update_thresholds()

    def _update_thresholds(self) -> None:
        limit = min(self.limit, max(self.ceiling - self.streams, 0))
        self._thresholds = {one: ceil(limit * share) for one, share in CLASS_SHARES.items()}
        brownout = ceil(limit * BROWNOUT_SHARE)
        self.brownout_threshold = brownout if self.has_brownout else self.ceiling
        self.lowest_threshold = self._thresholds["sheddable"]


def combined_criticality(route: Criticality, viewer: Criticality) -> Criticality:
    """Return a route's class, moved by as many steps as the viewer's is away from `critical`.

    A viewer who is critical_plus raises everything by a step, so that a route which is sheddable
    for everybody stays below the others for this viewer, too.
    """
    step = CLASSES.index(viewer) - CLASSES.index(DEFAULT_CRITICALITY)
    place = CLASSES.index(route) + step
    return CLASSES[min(max(place, 0), len(CLASSES) - 1)]
