"""Adaptive concurrency: a limit for concurrent calls that follows their latency."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from bff_core.clock import Chance
from bff_core.keywords import checks_keywords
from bff_core.policy.options import Option, check

BASELINE_SHARE = 1 / 3
"""A call counts as uncontended up to this share of the limit, and up to `least` calls."""

MIN_UTILISATION = 0.8
"""The share of the limit that calls of a window must have used to move the limit."""

MIN_GRADIENT = 0.5
"""The smallest factor for the limit, however bad a window was."""

MAX_DROP_RATIO = 0.05
"""From this share of failures on, the limit does not grow."""

MIN_CALLS = 10
"""How many calls a window needs to move the limit."""

MIN_BASELINE_CALLS = 25
"""How many baseline calls end a probe."""

MIN_WINDOW_SECONDS = 0.1
MIN_PROBE_SECONDS = 1.0

PROBE_JITTER = 0.2
"""The largest random change of the time between probes, so that gateways probe at random."""

MAX_OPERATIONS = 64
"""How many operations have a baseline of their own; further ones share one."""


@checks_keywords
@dataclass(frozen=True, slots=True, kw_only=True)
class Adaptive:
    """Options for a bulkhead whose limit follows latency; durations in seconds."""

    least: Annotated[int, Option("The lowest limit of concurrent calls", 1, 100_000)] = 4
    initial: Annotated[int, Option("The limit of concurrent calls at the start", 1, 100_000)] = 20
    tolerance: Annotated[
        float, Option("How many times its baseline latency a call may take at the limit", 1, 10)
    ] = 1.1
    probe_every: Annotated[
        float, Option("How long to go without measuring the baseline", 1, 3600)
    ] = 30.0

    def __post_init__(self) -> None:
        check(self)


class _Baseline:
    """The baseline latency of one operation: its latency without contention, in seconds.

    It is the moving average of calls without contention. If the average of a batch of them differs
    by more than chance, that one replaces it. Calls under contention take longer, so that the
    average of a batch of them is an upper bound, with some allowance.
    """

    __slots__ = (
        "_contended",
        "_contended_seconds",
        "_uncontended",
        "_uncontended_seconds",
        "seconds",
    )

    BATCH_CALLS = 25
    ALLOWANCE = 1.25
    MAX_RATIO = 1.5

    # Of the calls without contention the long ones end last: with a higher gain the average would
    # consist of those alone.
    MIN_GAIN = 0.02

    def __init__(self) -> None:
        self.seconds = 0.0
        self._uncontended = self._contended = 0
        self._uncontended_seconds = self._contended_seconds = 0.0

    def add(self, latency: float, *, is_uncontended: bool) -> float:
        """Record a call; return the latency to expect of it."""
        if is_uncontended:
            self._add_uncontended(latency)
        else:
            self._add_contended(latency)
        return self.seconds

    def _add_uncontended(self, latency: float) -> None:
        # The estimate from contended calls weighs as much as one call.
        gain = 1 / (self._uncontended + 2) if self.seconds else 1.0
        self._uncontended += 1
        self._uncontended_seconds += latency
        self.seconds += max(gain, self.MIN_GAIN) * (latency - self.seconds)
        if self._uncontended % self.BATCH_CALLS == 0:
            mean, self._uncontended_seconds = self._uncontended_seconds / self.BATCH_CALLS, 0.0
            if not self.seconds / self.MAX_RATIO <= mean <= self.seconds * self.MAX_RATIO:
                self.seconds = mean

    def _add_contended(self, latency: float) -> None:
        self._contended += 1
        self._contended_seconds += latency
        mean = self._contended_seconds / self._contended
        if not self._uncontended:
            self.seconds = mean
        elif self._contended >= self.BATCH_CALLS:
            self.seconds = min(self.seconds, self.ALLOWANCE * mean)
            self._contended, self._contended_seconds = 0, 0.0


class _Window:
    """The calls that began and ended since the limit was last evaluated."""

    __slots__ = ("actual", "began", "calls", "drops", "expected", "peak")

    def __init__(self, now: float) -> None:
        self.began = now
        self.calls = self.drops = self.peak = 0
        self.actual = self.expected = 0.0

    def is_over(self, now: float) -> bool:
        """Whether there are enough calls, and slow ones had time to end."""
        if self.calls < MIN_CALLS:
            return False
        slow = 2 * self.actual / max(self.calls - self.drops, 1)
        return now - self.began >= max(MIN_WINDOW_SECONDS, slow)

    @property
    def gradient(self) -> float:
        """Expected latency divided by actual latency; 1 means no queueing."""
        return self.expected / self.actual if self.actual else 1.0


class ConcurrencyLimit:
    """A limit between `options.least` and `most`, which settles where queueing begins.

    Calls report their results. After a window of calls that used most of the limit, the limit is
    multiplied by the *gradient*, the ratio of baseline latency to actual latency, and some headroom
    is added, so that it grows until calls slow each other down (Netflix, "Performance under load",
    2018; Envoy's adaptive concurrency filter). In this implementation

    1. each operation has its own baseline, so that a change in their mix does not look like
       congestion;
    2. the baseline is measured while at most a third of the limit is used. If that did not happen
       for `probe_every` seconds, a probe lowers the limit to that third for a moment, so that a
       lasting queue is never taken for the normal state;
    3. a failure is a drop: the limit shrinks by the share of drops, and grows slowly after them;
    4. a window whose calls used much less than the limit does not move it.

    `value` is the limit now, in whole calls.
    """

    __slots__ = (
        "_baseline_calls",
        "_baselines",
        "_chance",
        "_headroom",
        "_limit",
        "_most",
        "_next_probe_at",
        "_options",
        "_probe_ends",
        "_window",
        "value",
    )

    def __init__(self, options: Adaptive, most: int, now: float, chance: Chance) -> None:
        self._options = options
        self._most = most
        self._chance = chance
        self._limit = float(min(max(options.initial, options.least), most))
        self._headroom = math.inf
        self._baselines: dict[str, _Baseline] = {}
        self._window = _Window(now)
        self._baseline_calls = 0
        self._probe_ends: float | None = None
        self._restart_baseline_count(now)
        self.value = int(self._limit)

    @property
    def is_probing(self) -> bool:
        """Whether the limit is lowered to measure the baseline."""
        return self._probe_ends is not None

    @property
    def baselines(self) -> Mapping[str, float]:
        """The baseline latency of each operation, in seconds."""
        return {operation: baseline.seconds for operation, baseline in self._baselines.items()}

    @property
    def _baseline_limit(self) -> int:
        return max(self._options.least, int(BASELINE_SHARE * self._limit))

    def succeed(self, operation: str, started: float, now: float, in_flight: int) -> None:
        """Record a call that was answered.

        `in_flight` is how many calls there were when it started, itself included.
        """
        baseline = self._baselines.get(operation) or self._baseline_of(operation)
        is_uncontended = in_flight <= self._baseline_limit
        expected = baseline.add(now - started, is_uncontended=is_uncontended)
        window = self._window
        if started >= window.began:
            window.calls += 1
            window.actual += now - started
            window.expected += expected
            window.peak = max(window.peak, in_flight)
            if is_uncontended:
                self._baseline_calls += 1
        self._evaluate(now)

    def fail(self, started: float, now: float, in_flight: int) -> None:
        """Record a call that failed by the upstream's fault, or that it refused."""
        window = self._window
        if started >= window.began:
            window.calls += 1
            window.drops += 1
            window.peak = max(window.peak, in_flight)
        self._evaluate(now)

    def _baseline_of(self, operation: str) -> _Baseline:
        if len(self._baselines) >= MAX_OPERATIONS:
            operation = ""
        return self._baselines.setdefault(operation, _Baseline())

    def _evaluate(self, now: float) -> None:
        if self._probe_ends is not None:
            if self._baseline_calls >= MIN_BASELINE_CALLS or now >= self._probe_ends:
                self._end_probe(now)
        elif self._window.is_over(now):
            if self._window.peak >= MIN_UTILISATION * self.value:
                self._move(self._window)
            if self._baseline_calls >= MIN_BASELINE_CALLS:
                self._restart_baseline_count(now)
            self._window = _Window(now)
            if now >= self._next_probe_at and self._baseline_limit < self.value:
                self._begin_probe(now)

    def _move(self, window: _Window) -> None:
        drops = window.drops / window.calls
        gradient = min(1.0, self._options.tolerance * window.gradient) * (1 - drops)
        headroom = min(self._headroom, math.sqrt(self._limit))
        is_tolerable = drops < MAX_DROP_RATIO
        self._headroom = 2 * headroom if is_tolerable else 1.0
        room = headroom * (1 - drops / MAX_DROP_RATIO) if is_tolerable else 0.0
        limit = self._limit * max(MIN_GRADIENT, gradient) + room
        self._limit = min(max(limit, float(self._options.least)), float(self._most))
        self.value = int(self._limit)

    def _begin_probe(self, now: float) -> None:
        slowest = max((baseline.seconds for baseline in self._baselines.values()), default=0.0)
        self._probe_ends = now + max(MIN_PROBE_SECONDS, 4 * slowest)
        self._baseline_calls = 0
        self.value = self._baseline_limit

    def _end_probe(self, now: float) -> None:
        self._probe_ends = None
        self._restart_baseline_count(now)
        self.value = int(self._limit)
        self._window = _Window(now)

    def _restart_baseline_count(self, now: float) -> None:
        """Start again to count baseline calls, and schedule the next probe."""
        self._baseline_calls = 0
        jitter = 1 + PROBE_JITTER * (2 * self._chance() - 1)
        self._next_probe_at = now + self._options.probe_every * jitter
