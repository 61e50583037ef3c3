"""Notices an event loop that does not turn, and what keeps it: a thread of its own looks on."""

import asyncio
import sys
import threading
import traceback
from typing import Final

from bff_core.clock import Clock, monotonic
from bff_core.events import Events, LoopBlocked, LoopFreed

BEATS: Final = 5
"""Heartbeats of the loop within the time that it may be blocked."""

DEEPEST: Final = 40
"""Frames of the stack that are told, innermost last."""


class Watchdog:
    """Tells `LoopBlocked` once while the loop stands still, and `LoopFreed` when it turns again.

    The loop writes down the time at intervals, the thread reads it: a few wake-ups a second are
    all it costs. Where the thread could not look either (code that holds the interpreter's lock,
    a process that was stopped) only the end is told. Sinks hear `LoopBlocked` from the thread.
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
        self._interval = threshold / BEATS
        self._loop_thread = threading.get_ident()
        self._beaten_at = clock()
        self._told_of = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)

    def start(self) -> None:
        """Begin; called on the loop."""
        self._beaten_at = self._clock()
        self._timer = self._loop.call_later(self._interval, self._beat)
        self._thread.start()

    def stop(self) -> None:
        """End; returns when the thread has. One that never began has nothing to end."""
        self._is_over.set()
        if self._timer is not None:
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
            if blocked >= self._threshold and beaten_at != self._told_of and not is_late:
                self._told_of = beaten_at
                self._tell(blocked)

    def _tell(self, blocked: float) -> None:
        frame = sys._current_frames().get(self._loop_thread)  # noqa: SLF001 # the documented way
        if frame is not None and self._events.sinks:
            stack = "".join(traceback.format_stack(frame, DEEPEST)).rstrip()
            self._events.emit(LoopBlocked(blocked, stack))
