"""How a call that takes too long is cancelled: one timer serves all layers of an upstream."""

import asyncio
import math
from typing import TypeVar

from bff_core.clock import Clock


class Alarm:
    """One task that is to be cancelled at an instant; compared by identity."""

    __slots__ = ("_cancelling", "has_rung", "instant", "task")

    def __init__(self, task: asyncio.Task[object], instant: float) -> None:
        self.task = task
        self.instant = instant
        self.has_rung = False
        self._cancelling = task.cancelling()

    def ring(self) -> None:
        """Cancel the task."""
        self.has_rung = True
        self.task.cancel()

    def settle(self) -> bool:
        """Take the cancellation back; True if this alarm alone requested one.

        A task that something else cancelled too stays cancelled (as in `asyncio.timeout`).
        """
        if not self.has_rung:
            return False
        self.has_rung = False
        return self.task.uncancel() <= self._cancelling


Kind = TypeVar("Kind", bound=Alarm)


class AlarmClock:
    """The alarms of one upstream behind a single timer of the loop.

    Most calls end long before their instant. Setting and clearing an alarm is then an insertion
    into a set and its removal; the timer stays where it is, rings for the earliest alarm only,
    and looks for the next one when it does.
    """

    __slots__ = ("_alarms", "_clock", "_loop", "_ring_at", "_timer")

    def __init__(self, loop: asyncio.AbstractEventLoop, clock: Clock) -> None:
        self._loop = loop
        self._clock = clock
        self._alarms: set[Alarm] = set()
        self._ring_at = math.inf
        self._timer: asyncio.TimerHandle | None = None

    def set(self, instant: float) -> Alarm:
        """Cancel the current task at the instant, unless the alarm is cleared before."""
        return self.arm(Alarm, instant)

    def arm(self, kind: type[Kind], instant: float) -> Kind:
        """Set an alarm of the current task; its kind defines what happens at the instant."""
        task = asyncio.current_task(self._loop)
        assert task is not None, "a layer runs in a task"  # noqa: S101 # for the type checker
        alarm = kind(task, instant)
        self.add(alarm)
        return alarm

    def add(self, alarm: Alarm) -> None:
        """Ring an alarm at its instant; it may have rung before."""
        self._alarms.add(alarm)
        if alarm.instant < self._ring_at:
            self._wind(alarm.instant)

    def clear(self, alarm: Alarm) -> None:
        """Forget an alarm, wherever the task has left what it guarded."""
        self._alarms.discard(alarm)
        if alarm.has_rung:
            alarm.settle()

    def _wind(self, instant: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._ring_at = instant
        # By delay: the loop's own clock may run from another origin than ours.
        self._timer = self._loop.call_later(max(0.0, instant - self._clock()), self._ring)

    def _ring(self) -> None:
        """Ring what is due. A coarse timer of the loop may come early, and is wound again."""
        now = self._clock()
        self._ring_at, self._timer = math.inf, None
        for alarm in [alarm for alarm in self._alarms if alarm.instant <= now]:
            self._alarms.discard(alarm)
            alarm.ring()
        if self._alarms:
            self._wind(min(alarm.instant for alarm in self._alarms))
