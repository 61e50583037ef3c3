"""Circuit breaker: rejects calls to an upstream while too many of them fail."""

import math
from dataclasses import dataclass
from typing import Annotated, Literal

from bff_core.clock import Chance
from bff_core.errors import ConfigurationError
from bff_core.keywords import checks_keywords
from bff_core.policy.options import Option, check
from bff_core.policy.window import Window

State = Literal["closed", "open", "half-open"]

OPEN_TIME_JITTER = 0.2
"""The largest random change of an open time, so that gateways do not all probe at once."""


OUTAGE_SHARE = 1 / 10
"""How long the circuit stays open, as a share of the outage so far."""


@checks_keywords
@dataclass(frozen=True, slots=True, kw_only=True)
class Breaker:
    """When the circuit of an upstream opens and how it closes again; durations in seconds."""

    failure_ratio: Annotated[
        float, Option("The share of recent calls that must have failed to open it", 0.01, 1)
    ] = 0.5
    slow_call: Annotated[
        float | None, Option("From which latency on a call is slow; None: no call is", 0.001, 600)
    ] = 2.0
    slow_ratio: Annotated[
        float, Option("The share of recent calls that must have been slow to open it", 0.01, 1)
    ] = 0.5
    minimum_calls: Annotated[
        int, Option("How many recent calls are needed to decide", 1, 100_000)
    ] = 20
    window: Annotated[float, Option("How long a call is recent", 0.1, 3600)] = 10.0
    open_for: Annotated[
        float, Option("How long it stays open at first; grows with the outage", 0.01, 3600)
    ] = 5.0
    open_for_max: Annotated[float, Option("How long it stays open at most", 0.01, 86_400)] = 60.0
    probes: Annotated[
        int, Option("How many probes must succeed to close it; they may run at once", 1, 1000)
    ] = 3

    def __post_init__(self) -> None:
        check(self)
        if self.open_for_max < self.open_for:
            raise ConfigurationError("Breaker.open_for_max must be at least Breaker.open_for")


@dataclass(frozen=True, slots=True)
class CallCounts:
    """The recent calls that a circuit judges by, and how many of them failed or were slow."""

    calls: int
    failed: int
    slow: int


class Circuit:
    """The state of one upstream's circuit.

    `admit` returns the circuit's `period`, and the call passes it back with its result. Each change
    of state begins a new period. A late result, from an earlier period, is ignored:

    1. admitted closed, now open: the call is one of those that opened the circuit;
    2. admitted closed, now half-open or closed again: the call began before the outage;
    3. a probe, now open: another probe failed first, and the slots of its period are gone;
    4. a probe, now closed or half-open again: other probes have decided.

    A half-open circuit admits the first `probes` calls. If all of them succeed, it closes; one
    failure opens it again, for longer.

    An operator may `force_open` it for some time, and `reset` it. After that time it is half-open.
    """

    __slots__ = (
        "_calls",
        "_chance",
        "_closed_at",
        "_failing_since",
        "_failures",
        "_forced_until",
        "_probing",
        "_reopens_at",
        "_slow",
        "_successes",
        "options",
        "period",
        "state",
    )

    def __init__(self, options: Breaker, chance: Chance) -> None:
        self.options = options
        self.state: State = "closed"
        self.period = 0
        self._chance = chance
        self._calls, self._failures, self._slow = (Window(options.window) for _ in range(3))
        self._failing_since = self._closed_at = -math.inf
        self._reopens_at = self._forced_until = 0.0
        self._probing = self._successes = 0

    def admit(self, now: float) -> int | None:
        """Return the period to pass back with the result, or None when the call is rejected."""
        if self.state == "closed":
            return self.period
        if self.state == "open":
            if now < self._reopens_at:
                return None
            self._change("half-open")
        if self._probing + self._successes >= self.options.probes:
            return None
        self._probing += 1
        return self.period

    def succeed(self, period: int, now: float, duration: float) -> None:
        """Record a call that was answered after `duration` seconds, which may be slow."""
        if period != self.period:
            return
        slow_call = self.options.slow_call
        is_slow = slow_call is not None and duration >= slow_call
        if self.state == "half-open":
            self._end_probe(now, is_good=not is_slow)
            return
        self._calls.add(now)
        if is_slow:
            self._slow.add(now)
            self._judge(now)

    def fail(self, period: int, now: float) -> None:
        """Record a call that failed by the upstream's fault."""
        if period != self.period:
            return
        if self.state == "half-open":
            self._end_probe(now, is_good=False)
            return
        self._calls.add(now)
        self._failures.add(now)
        self._judge(now)

    def fail_late(self, period: int, now: float) -> None:
        """Record that a call failed after it was recorded as answered: its body broke off."""
        if period != self.period or self.state == "open":
            return
        if self.state == "half-open":
            self._open(now)
            return
        self._failures.add(now)
        self._judge(now)

    def open(self, period: int, now: float) -> None:
        """Open a closed circuit at once, if the caller knows that no endpoint answers."""
        if period == self.period and self.state == "closed":
            self._open(now)

    def force_open(self, now: float, seconds: float) -> None:
        """Open it for some seconds in any state, as an operator demands; or change that time."""
        if self.state == "closed" and now - self._closed_at > self.options.window:
            self._failing_since = now
        self._reopens_at = self._forced_until = now + seconds
        self._change("open")

    def reset(self, now: float) -> bool:
        """Close it at once, as an operator demands; return False if it is closed."""
        if self.state == "closed":
            return False
        self._close(now)
        return True

    def forget(self, period: int) -> None:
        """Discard a call without a result: it was cancelled, or never sent."""
        if period == self.period and self.state == "half-open":
            self._probing -= 1

    def is_refusing(self, now: float) -> bool:
        """Whether it rejects every call: open, and not yet due for a probe."""
        return self.state == "open" and now < self._reopens_at

    def is_forced(self, now: float) -> bool:
        """Whether it is open because an operator opened it."""
        return self.state == "open" and now < self._forced_until

    def counts(self, now: float) -> CallCounts:
        """Return how many calls were recorded in the window that ends now."""
        calls, failed, slow = (one.total(now) for one in (self._calls, self._failures, self._slow))
        return CallCounts(calls, failed, slow)

    def retry_after(self, now: float) -> float:
        """Return after how many seconds a rejected call may be tried again."""
        return max(self._reopens_at - now, 0.0) if self.state == "open" else 1.0

    def _end_probe(self, now: float, *, is_good: bool) -> None:
        self._probing -= 1
        if not is_good:
            self._open(now)
            return
        self._successes += 1
        if self._successes >= self.options.probes:
            self._close(now)

    def _judge(self, now: float) -> None:
        calls = self._calls.total(now)
        if calls < self.options.minimum_calls:
            return
        has_failed = self._failures.total(now) >= self.options.failure_ratio * calls
        is_slow = self._slow.total(now) >= self.options.slow_ratio * calls
        if has_failed or is_slow:
            self._open(now)

    def _open(self, now: float) -> None:
        # A circuit that opens again soon after it closed continues the same outage.
        if self.state == "closed" and now - self._closed_at > self.options.window:
            self._failing_since = now
        grown = max(self.options.open_for, OUTAGE_SHARE * (now - self._failing_since))
        jitter = 1 + OPEN_TIME_JITTER * (2 * self._chance() - 1)
        self._reopens_at = now + jitter * min(grown, self.options.open_for_max)
        self._change("open")

    def _close(self, now: float) -> None:
        for window in (self._calls, self._failures, self._slow):
            window.clear()
        self._closed_at = now
        self._change("closed")

    def _change(self, state: State) -> None:
        if state != "open":
            self._forced_until = 0.0
        self.state = state
        self.period += 1
        self._probing = self._successes = 0
