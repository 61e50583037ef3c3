"""An event loop whose clock leaves out what the machine stood still.

A virtual machine can stop for a second: then each deadline is over before anything could meet it.
On this loop a pause counts for at most `LONGEST_STEP_SECONDS`, so that a test fails for what the
code did, and not for what the machine did.
"""

import asyncio
import selectors
import time

LONGEST_STEP_SECONDS = 0.1
"""The most that one turn of the loop, or one oversleeping, advances the clock."""

Ready = list[tuple[selectors.SelectorKey, int]]


class _SteadyClock(selectors.DefaultSelector):
    """Counts the time that a loop meant to wait, and its work up to the limit of a turn."""

    def __init__(self) -> None:
        super().__init__()
        self._counted = self._turn_began = time.monotonic()

    def now(self) -> float:
        """Return the instant: that of the turn, and what this turn has taken."""
        taken = time.monotonic() - self._turn_began
        return self._counted + min(taken, LONGEST_STEP_SECONDS)

    def select(self, timeout: float | None = None) -> Ready:
        """Wait for sockets; then a new turn begins."""
        self._counted, began = self.now(), time.monotonic()
        ready = super().select(timeout)
        self._turn_began = time.monotonic()
        waited = self._turn_began - began
        if timeout is not None:
            waited = min(waited, max(timeout, 0) + LONGEST_STEP_SECONDS)
        self._counted += waited
        return ready


class SteadyLoop(asyncio.SelectorEventLoop):
    """An asyncio loop in real time, without the pauses of the machine."""

    def __init__(self) -> None:
        self._clock = _SteadyClock()
        super().__init__(self._clock)

    def time(self) -> float:
        """Return the steady time in seconds."""
        return self._clock.now()
