"""An event loop whose clock leaves out what the machine stood still.

A virtual machine can stop for a second: then each deadline is over before anything could meet it.
On this loop a pause counts for little more than `LONGEST_STEP_SECONDS`, so that a test fails for
what the code did, and not for what the machine did.
"""

import asyncio
import selectors
import time

LONGEST_STEP_SECONDS = 0.1
"""What one turn of the loop, or one oversleeping, advances the clock at full speed."""

SLOWED = 100
"""How many times slower the clock then goes on; it never stops, since code may wait for it."""

Ready = list[tuple[selectors.SelectorKey, int]]


class _SteadyClock(selectors.DefaultSelector):
    """Counts the time that a loop meant to wait, and its work up to the limit of a turn."""

    def __init__(self) -> None:
        super().__init__()
        self._counted = self._turn_began = time.monotonic()

    def now(self) -> float:
        """Return the instant: that of the turn, and what this turn has taken."""
        return self._counted + _steady(time.monotonic() - self._turn_began, LONGEST_STEP_SECONDS)

    def select(self, timeout: float | None = None) -> Ready:
        """Wait for sockets; then a new turn begins."""
        self._counted, began = self.now(), time.monotonic()
        ready = super().select(timeout)
        self._turn_began = time.monotonic()
        waited = self._turn_began - began
        if timeout is not None:
            waited = _steady(waited, max(timeout, 0) + LONGEST_STEP_SECONDS)
        self._counted += waited
        return ready


def _steady(seconds: float, limit: float) -> float:
    """Return what counts of some seconds: all up to the limit, and little of what is beyond it."""
    return seconds if seconds <= limit else limit + (seconds - limit) / SLOWED


class SteadyLoop(asyncio.SelectorEventLoop):
    """An asyncio loop in real time, without the pauses of the machine."""

    def __init__(self) -> None:
        self._clock = _SteadyClock()
        super().__init__(self._clock)

    def time(self) -> float:
        """Return the steady time in seconds."""
        return self._clock.now()
