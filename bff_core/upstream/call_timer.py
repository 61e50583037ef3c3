"""Timeouts of calls: one timer of the event loop serves all layers of an upstream."""

import asyncio
import math

from bff_core.clock import Clock


class CallTimer:
    """Cancels the current task at an instant; compared by identity."""

    __slots__ = ("_cancelling", "has_fired", "instant", "task")

    def __init__(self, instant: float, loop: asyncio.AbstractEventLoop) -> None:
        task = asyncio.current_task(loop)
        if task is None:
            raise RuntimeError("a call must be made in a task")
        self.task: asyncio.Task[object] = task
        self.instant = instant
        self.has_fired = False
        self._cancelling = task.cancelling()

    def fire(self) -> None:
        """Cancel the task."""
        self.has_fired = True
        self.task.cancel()

    def uncancel(self) -> bool:
        """Take the cancellation back; return whether nothing else cancelled the task as well.

        A task that something else cancelled stays cancelled, as in `asyncio.timeout`.
        """
        if not self.has_fired:
            return False
        self.has_fired = False
        return self.task.uncancel() <= self._cancelling


class CallTimers:
    """The call timers of one upstream, behind a single timer of the event loop.

    Most calls end long before their instant. To start and stop a timer is then an insertion into a
    set and its removal. The loop's timer stays as it is: it fires at the earliest instant that it
    was set for, and is then set for the next one.
    """

    __slots__ = ("_clock", "_fires_at", "_handle", "_loop", "_pending")

    def __init__(self, loop: asyncio.AbstractEventLoop, clock: Clock) -> None:
        self._loop = loop
        self._clock = clock
        self._pending: set[CallTimer] = set()
        self._fires_at = math.inf
        self._handle: asyncio.TimerHandle | None = None

    def cancel_at(self, instant: float) -> CallTimer:
        """Cancel the current task at the instant, unless the timer is stopped before."""
        timer = CallTimer(instant, self._loop)
        self._pending.add(timer)
        if instant < self._fires_at:
            self._set_loop_timer(instant)
        return timer

    def schedule(self, timer: CallTimer) -> None:
        """Fire a timer at its instant; it may have fired before."""
        self._pending.add(timer)
        if timer.instant < self._fires_at:
            self._set_loop_timer(timer.instant)

    def stop(self, timer: CallTimer) -> None:
        """Remove a timer, whether or not it has fired."""
        self._pending.discard(timer)
        if timer.has_fired:
            timer.uncancel()

    def _set_loop_timer(self, instant: float) -> None:
        if self._handle is not None:
            self._handle.cancel()
        self._fires_at = instant
        # By delay: the loop's own clock may run from another origin than ours.
        self._handle = self._loop.call_later(max(0.0, instant - self._clock()), self._fire)

    def _fire(self) -> None:
        """Fire what is due. A coarse timer of the loop may come early, and is set again."""
        now = self._clock()
        self._fires_at, self._handle = math.inf, None
        for timer in [timer for timer in self._pending if timer.instant <= now]:
            self._pending.discard(timer)
            timer.fire()
        if self._pending:
            self._set_loop_timer(min(timer.instant for timer in self._pending))
