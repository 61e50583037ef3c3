"""Hedging: when a slow call is sent a second time, and which reply is accepted."""

from bisect import bisect_left
from dataclasses import dataclass
from itertools import accumulate
from typing import Annotated

from bff_core.call import Call, Reply
from bff_core.errors import ConfigurationError
from bff_core.keywords import checks_keywords
from bff_core.policy.options import Option, check

BUCKET_RATIO = 1.1
BUCKET_BOUNDS = tuple(accumulate([0.001] + [BUCKET_RATIO] * 115, float.__mul__))
"""The upper ends of the latency buckets, in seconds: from 1 ms to a minute."""

RECOMPUTE_EVERY = 16
"""After how many calls the delay is computed again."""

MAX_OPERATIONS = 64
"""How many operations have their own latencies; all others share one record."""


@checks_keywords
@dataclass(frozen=True, slots=True, kw_only=True)
class Hedge:
    """When a slow call is sent a second time, while the first goes on; durations in seconds.

    Source: "The tail at scale", Dean and Barroso, 2013.
    """

    quantile: Annotated[
        float, Option("The quantile of recent latencies beyond which a call is slow", 0.5, 0.999)
    ] = 0.95
    minimum_calls: Annotated[
        int, Option("How many recent calls of an operation are needed to decide", 10, 100_000)
    ] = 50
    delay_min: Annotated[float, Option("The shortest delay before the second call", 0, 60)] = 0.01
    delay_max: Annotated[float, Option("The longest delay before the second call", 0.001, 60)] = 1.0
    window: Annotated[float, Option("How long a call is recent", 1, 3600)] = 60.0

    def __post_init__(self) -> None:
        check(self)
        if self.delay_max < self.delay_min:
            raise ConfigurationError("Hedge.delay_max must be at least Hedge.delay_min")


class Latencies:
    """A histogram of the recent latencies of one operation.

    Each bucket is a tenth wider than the one before. There are two histograms, each for half of
    `window`: recent calls are those of the last half to whole window.
    """

    __slots__ = ("_before", "_delay", "_known", "_now", "_options", "_rotates_at")

    def __init__(self, options: Hedge) -> None:
        self._options = options
        self._before = self._now = _empty_histogram()
        self._delay: float | None = None
        self._known = 0
        self._rotates_at = -1.0

    def add(self, latency: float, now: float) -> None:
        """Count a call; a cancelled one counts with the time until then."""
        if now >= self._rotates_at:
            self._rotate(now)
        self._now[bisect_left(BUCKET_BOUNDS, latency)] += 1
        self._known += 1
        if self._known % RECOMPUTE_EVERY == 0 or self._known == self._options.minimum_calls:
            self._delay = self._computed_delay()

    def delay(self, now: float) -> float | None:
        """Return after how many seconds a call is slow; None while there are too few calls."""
        if now >= self._rotates_at:
            self._rotate(now)
        return self._delay

    def _rotate(self, now: float) -> None:
        half = self._options.window / 2
        is_stale = now >= self._rotates_at + half
        self._before = _empty_histogram() if is_stale else self._now
        self._now = _empty_histogram()
        self._rotates_at = now + half
        self._delay = self._computed_delay()

    def _computed_delay(self) -> float | None:
        counts = [before + now for before, now in zip(self._before, self._now, strict=True)]
        self._known = sum(counts)
        if self._known < self._options.minimum_calls:
            return None
        rank = bisect_left(list(accumulate(counts)), self._options.quantile * self._known)
        slow = BUCKET_BOUNDS[min(rank, len(BUCKET_BOUNDS) - 1)]
        return min(max(slow, self._options.delay_min), self._options.delay_max)


def _empty_histogram() -> list[int]:
    return [0] * (len(BUCKET_BOUNDS) + 1)


class Operations:
    """The latencies of each operation of an upstream, for up to `MAX_OPERATIONS`."""

    __slots__ = ("_known", "_options")

    def __init__(self, options: Hedge) -> None:
        self._options = options
        self._known: dict[str, Latencies] = {}

    def __len__(self) -> int:
        return len(self._known)

    def delays(self, now: float) -> dict[str, float | None]:
        """Return after how many seconds a call of each operation is slow."""
        return {operation: latencies.delay(now) for operation, latencies in self._known.items()}

    def of(self, operation: str) -> Latencies:
        """Return the latencies of an operation."""
        return self._known.get(operation) or self._add(operation)

    def _add(self, operation: str) -> Latencies:
        if len(self._known) >= MAX_OPERATIONS:
            operation = ""
        return self._known.setdefault(operation, Latencies(self._options))


def is_good(call: Call, reply: Reply) -> bool:
    """Whether a reply wins the race, while the other call is still running.

    For a read, a 4xx is a valid answer. If a write is sent twice, the second one may conflict with
    the first, or find its target deleted: only a success wins.
    """
    if call.is_safe:
        return reply.status < 500 and reply.status != 429
    return reply.status < 400
