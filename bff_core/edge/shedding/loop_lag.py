"""Event loop lag: measures it while requests are in flight, for load shedding."""

import asyncio

from bff_core.clock import Clock
from bff_core.events import Events, LoadShed
from bff_core.policy.edge.shedding import LoadShedder

INTERVAL_SECONDS = 0.025
"""The time between two measurements."""

REPORT_SECONDS = 1.0
"""The time that one event sums up: a log line per refusal would cost more than the refusal."""


class LoopLag:
    """Measures how long a turn of the loop takes, for `pressure`, and reports refused requests.

    There is one timer, which runs while requests are in flight or the limit has not recovered. A
    gateway without requests does not wake up.
    """

    __slots__ = (
        "_began",
        "_clock",
        "_events",
        "_loop",
        "_pressure",
        "_reported_at",
        "_timer",
        "is_on",
    )

    def __init__(self, pressure: LoadShedder, *, events: Events, clock: Clock) -> None:
        self._pressure = pressure
        self._events = events
        self._clock = clock
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._began = 0.0
        self._reported_at: float | None = None
        self.is_on = False

    def start(self) -> None:
        """Begin to measure; called when a request is admitted while `is_on` is False."""
        self.is_on = True
        self._loop = asyncio.get_running_loop()
        self._pressure.forget_lags()
        self._reported_at = None
        self._wind(self._loop)

    def stop(self) -> None:
        """Stop measuring, with a last report."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self._loop, self.is_on = None, None, False
        if self._reported_at is not None:
            self._report(self._clock(), self._reported_at)

    def _wind(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = loop.call_later(INTERVAL_SECONDS, self._look, loop)

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        # `call_soon` runs a callback in this turn of the loop with uvloop, in the next one with
        # asyncio. From one such callback to the next it is one turn with both.
        loop.call_soon(self._begin, loop)

    def _begin(self, loop: asyncio.AbstractEventLoop) -> None:
        self._began = self._clock()
        loop.call_soon(self._end, loop)

    def _end(self, loop: asyncio.AbstractEventLoop) -> None:
        if loop is not self._loop:  # stopped meanwhile
            return
        now, pressure = self._clock(), self._pressure
        pressure.observe(now, now - self._began)
        if self._reported_at is None:
            self._reported_at = self._began - INTERVAL_SECONDS
        if now - self._reported_at >= REPORT_SECONDS:
            self._report(now, self._reported_at)
        if pressure.in_flight > 0 or pressure.is_limited:
            self._wind(loop)
        else:
            self.stop()

    def _report(self, now: float, since: float) -> None:
        self._reported_at = now
        pressure = self._pressure
        refused, dimmed = pressure.report()
        if (refused or dimmed) and self._events.sinks:
            self._events.emit(
                LoadShed(
                    refused,
                    dimmed,
                    now - since,
                    pressure.in_flight,
                    pressure.limit,
                    pressure.lag,
                )
            )
