"""How many calls an upstream can take at once, found out from how long they take."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from bff_core.clock import Chance
from bff_core.policy.options import Option, check

CALM = 1 / 3
"""The share of the limit up to which calls are taken to be in nobody's way; the least is, too."""

APPROACHED = 0.8
"""The share of the limit that must have been used for the limit to be what matters."""

STEEPEST = 0.5
"""What the limit is multiplied with at least, however bad a window was."""

BEARABLE = 0.05
"""The share of failures from which on the limit does not grow."""

SAMPLES = 10
"""How many calls it takes to move the limit."""

LOOKS = 25
"""How many unhurried calls it takes to be sure of their pace."""

SHORTEST_WINDOW = 0.1
SHORTEST_PROBE = 1.0
"""In seconds."""

JITTER = 0.2
"""By which share probes come sooner or later, so that gateways don't make room as one."""

MOST_OPERATIONS = 64
"""How many operations have a pace of their own; further ones share one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Adaptive:
    """How the limit of a bulkhead follows what its upstream can take; durations in seconds."""

    least: Annotated[int, Option("How low the limit may go", 1, 100_000)] = 4
    initial: Annotated[int, Option("Where the limit starts", 1, 100_000)] = 20
    tolerance: Annotated[
        float, Option("How many times its unhurried time a call may take at the limit", 1, 10)
    ] = 1.1
    probe_every: Annotated[
        float, Option("How long to go without a look at unhurried calls", 1, 3600)
    ] = 30.0

    def __post_init__(self) -> None:
        check(self)


class _Pace:
    """How long the calls of one operation take when they are in nobody's way, in seconds.

    Learned from calm calls as a mean that forgets, and anew where a batch of them is off by more
    than chance. Calls that were not calm can only have taken longer: the mean of a batch of them
    is a bound, within what chance makes of so few.
    """

    __slots__ = ("_calm", "_calm_total", "_hurried", "_hurried_total", "unhurried")

    BATCH = 25
    ALLOWANCE = 1.25
    OFF = 1.5

    # Long calls of a moment of calm end last: a mean that forgot it within the moment would be
    # made of them.
    SLOWEST_GAIN = 0.02

    def __init__(self) -> None:
        self.unhurried = 0.0
        self._calm = self._hurried = 0
        self._calm_total = self._hurried_total = 0.0

    def take(self, latency: float, *, is_calm: bool) -> float:
        """Learn from a call; return how long it should have taken."""
        if is_calm:
            self._take_calm(latency)
        else:
            self._take_hurried(latency)
        return self.unhurried

    def _take_calm(self, latency: float) -> None:
        # What was learned from hurried calls weighs as much as one.
        gain = 1 / (self._calm + 2) if self.unhurried else 1.0
        self._calm += 1
        self._calm_total += latency
        self.unhurried += max(gain, self.SLOWEST_GAIN) * (latency - self.unhurried)
        if self._calm % self.BATCH == 0:
            mean, self._calm_total = self._calm_total / self.BATCH, 0.0
            if not self.unhurried / self.OFF <= mean <= self.unhurried * self.OFF:
                self.unhurried = mean

    def _take_hurried(self, latency: float) -> None:
        self._hurried += 1
        self._hurried_total += latency
        mean = self._hurried_total / self._hurried
        if not self._calm:
            self.unhurried = mean
        elif self._hurried >= self.BATCH:
            self.unhurried = min(self.unhurried, self.ALLOWANCE * mean)
            self._hurried, self._hurried_total = 0, 0.0


class _Window:
    """The calls that began and ended since the limit last moved: what the limit is judged by."""

    __slots__ = ("began", "calls", "drops", "expected", "peak", "taken")

    def __init__(self, now: float) -> None:
        self.began = now
        self.calls = self.drops = self.peak = 0
        self.taken = self.expected = 0.0

    def is_over(self, now: float) -> bool:
        """Whether there is enough to judge by: calls, time, and time for slow ones to end."""
        if self.calls < SAMPLES:
            return False
        slow = 2 * self.taken / max(self.calls - self.drops, 1)
        return now - self.began >= max(SHORTEST_WINDOW, slow)

    @property
    def gradient(self) -> float:
        """How much faster the calls should have been; 1 is as they should."""
        return self.expected / self.taken if self.taken else 1.0


class ConcurrencyLimit:
    """A limit that moves between `options.least` and `most` and settles where queues begin.

    Calls report how they ended. A window of calls that came near the limit moves it: it is
    multiplied with the *gradient*, the ratio of the time that the calls take in nobody's way to
    the time that they took, and given some headroom, so that it grows until they slow each other
    down (Netflix, "Performance under load", 2018; Envoy's adaptive concurrency filter). Here

    1. each operation is held to its own pace, so that a change in their mix is no congestion;
    2. the pace is learned while at most a third of the limit is used. Where that has not happened
       for `probe_every` seconds the limit is lowered to it for a moment, so that a lasting queue
       is never taken for the normal state;
    3. a failure is a drop: the limit shrinks by the share of drops, and grows slowly after them;
    4. a window that did not come near the limit says nothing about it, and leaves it alone.

    `value` is the limit now, in whole calls.
    """

    __slots__ = (
        "_chance",
        "_headroom",
        "_limit",
        "_looked",
        "_looks",
        "_most",
        "_options",
        "_paces",
        "_probe_ends",
        "_probe_from",
        "_window",
        "value",
    )

    def __init__(self, options: Adaptive, most: int, now: float, chance: Chance) -> None:
        self._options = options
        self._most = most
        self._chance = chance
        self._limit = float(min(max(options.initial, options.least), most))
        self._headroom = math.inf
        self._paces: dict[str, _Pace] = {}
        self._window = _Window(now)
        self._looks = 0
        self._probe_ends: float | None = None
        self._look(now)
        self.value = int(self._limit)

    @property
    def is_probing(self) -> bool:
        """Whether the limit is lowered for a look at unhurried calls."""
        return self._probe_ends is not None

    @property
    def paces(self) -> Mapping[str, float]:
        """How long the calls of each operation take in nobody's way, in seconds."""
        return {operation: pace.unhurried for operation, pace in self._paces.items()}

    @property
    def _calm_limit(self) -> int:
        return max(self._options.least, int(CALM * self._limit))

    def succeed(self, operation: str, started: float, now: float, in_flight: int) -> None:
        """Take the result of a call that was answered.

        `in_flight` is how many calls there were when it started, itself included.
        """
        pace = self._paces.get(operation) or self._meet(operation)
        is_calm = in_flight <= self._calm_limit
        expected = pace.take(now - started, is_calm=is_calm)
        window = self._window
        if started >= window.began:
            window.calls += 1
            window.taken += now - started
            window.expected += expected
            window.peak = max(window.peak, in_flight)
            if is_calm:
                self._looks += 1
        self._turn(now)

    def fail(self, started: float, now: float, in_flight: int) -> None:
        """Take the result of a call that failed by the upstream's fault, or was refused by it."""
        window = self._window
        if started >= window.began:
            window.calls += 1
            window.drops += 1
            window.peak = max(window.peak, in_flight)
        self._turn(now)

    def _meet(self, operation: str) -> _Pace:
        if len(self._paces) >= MOST_OPERATIONS:
            operation = ""
        return self._paces.setdefault(operation, _Pace())

    def _turn(self, now: float) -> None:
        if self._probe_ends is not None:
            if self._looks >= LOOKS or now >= self._probe_ends:
                self._end_probe(now)
        elif self._window.is_over(now):
            if self._window.peak >= APPROACHED * self.value:
                self._judge(self._window)
            if self._looks >= LOOKS:
                self._look(now)
            self._window = _Window(now)
            if now >= self._probe_from and self._calm_limit < self.value:
                self._begin_probe(now)

    def _judge(self, window: _Window) -> None:
        drops = window.drops / window.calls
        gradient = min(1.0, self._options.tolerance * window.gradient) * (1 - drops)
        headroom = min(self._headroom, math.sqrt(self._limit))
        is_bearable = drops < BEARABLE
        self._headroom = 2 * headroom if is_bearable else 1.0
        room = headroom * (1 - drops / BEARABLE) if is_bearable else 0.0
        limit = self._limit * max(STEEPEST, gradient) + room
        self._limit = min(max(limit, float(self._options.least)), float(self._most))
        self.value = int(self._limit)

    def _begin_probe(self, now: float) -> None:
        slowest = max((pace.unhurried for pace in self._paces.values()), default=0.0)
        self._probe_ends = now + max(SHORTEST_PROBE, 4 * slowest)
        self._looks = 0
        self.value = self._calm_limit

    def _end_probe(self, now: float) -> None:
        self._probe_ends = None
        self._look(now)
        self.value = int(self._limit)
        self._window = _Window(now)

    def _look(self, now: float) -> None:
        """Note that unhurried calls were seen."""
        self._looks = 0
        jitter = 1 + JITTER * (2 * self._chance() - 1)
        self._probe_from = now + self._options.probe_every * jitter
