"""Reports a blocked event loop, with the stack of the blocking code, from a thread."""

import asyncio
import sys
import threading
import traceback
from typing import Final

from bff_core.clock import Clock, monotonic
from bff_core.events import Events, LoopBlocked, LoopFreed

BEATS_PER_THRESHOLD: Final = 5
"""Heartbeats of the loop within the threshold."""

MAX_FRAMES: Final = 40
"""Reported stack frames, at most; the innermost is last."""


class Watchdog:
    """Emits `LoopBlocked` once while the loop is blocked, and `LoopFreed` when it runs again.

    It starts when it is made, on the loop. The loop stores the time at intervals, and the thread
    reads it, which costs a few wake-ups a second. If the thread can't run either (code that holds
    the GIL, a stopped process), only `LoopFreed` is emitted. Sinks get `LoopBlocked` on the thread.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        events: Events,
        *,
        threshold: float,
        clock: Clock = monotonic,
    ) -> None:
        self._loop = loop
        self._events = events
        self._threshold = threshold
        self._clock = clock
        self._interval = threshold / BEATS_PER_THRESHOLD
        self._loop_thread = threading.get_ident()
        self._beaten_at = clock()
        self._reported_at = 0.0
        self._timer = loop.call_later(self._interval, self._beat)
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop, and wait for the thread to end."""
        self._is_over.set()
        self._timer.cancel()
        self._thread.join()

    def _beat(self) -> None:
        now = self._clock()
        late = now - self._beaten_at - self._interval
        self._beaten_at = now
        self._timer = self._loop.call_later(self._interval, self._beat)
        if late >= self._threshold and self._events.sinks:
            self._events.emit(LoopFreed(late))

    def _watch(self) -> None:
        looked_at = self._clock()
        while not self._is_over.wait(self._interval):
            now, beaten_at = self._clock(), self._beaten_at
            is_late = now - looked_at > self._interval + self._threshold
            looked_at = now
            blocked = now - beaten_at - self._interval
            if blocked >= self._threshold and beaten_at != self._reported_at and not is_late:
                self._reported_at = beaten_at
                self._report(blocked)

    def _report(self, blocked: float) -> None:
        frame = sys._current_frames().get(self._loop_thread)  # noqa: SLF001 # the documented way
        if frame is not None and self._events.sinks:
            stack = "".join(traceback.format_stack(frame, MAX_FRAMES)).rstrip()
            self._events.emit(LoopBlocked(blocked, stack))
