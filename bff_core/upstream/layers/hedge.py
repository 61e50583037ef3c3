"""Between coalesce and retry: sends a slow call a second time and returns the first good reply."""

import asyncio

from msgspec.structs import replace

from bff_core.call import Call, Handler, Reply
from bff_core.errors import UpstreamError
from bff_core.events import Hedged, HedgeRefused, HedgeWon
from bff_core.policy.upstream.fault_classification import TIMER_TOLERANCE_SECONDS
from bff_core.policy.upstream.hedge import Hedge, Operations, is_good
from bff_core.policy.upstream.retry import RetryBudget
from bff_core.upstream.call_timer import CallTimer
from bff_core.upstream.runtime import Runtime
from bff_core.upstream.state import HedgeState


class HedgeLayer:
    """Sends a slow call once more, to another endpoint if possible, and returns the first reply.

    Only idempotent calls are hedged, within the `budget` that retries use as well. What counts is
    the time since the call was sent: a second call would not help one that waits for a permit. The
    first call runs in its caller's task, the second in a new one. The slower one is cancelled.
    """

    __slots__ = (
        "_budget",
        "_clock",
        "_options",
        "_runtime",
        "_timers",
        "inner",
        "loop",
        "operations",
    )

    def __init__(
        self, options: Hedge, budget: RetryBudget, runtime: Runtime, inner: Handler
    ) -> None:
        self.inner = inner
        self.operations = Operations(options)
        self._options = options
        self._budget = budget
        self._runtime = runtime
        self.loop = runtime.loop
        self._clock = runtime.clock
        self._timers = runtime.timers

    def __repr__(self) -> str:
        options = self._options
        return (
            f"hedge      after {options.quantile:.0%} of recent calls,"
            f" {options.delay_min:g} to {options.delay_max:g} s"
        )

    def state(self) -> HedgeState:
        """Return what operators see."""
        return HedgeState(self.operations.delays(self._clock()))

    async def __call__(self, call: Call) -> Reply:
        """Pass the call on, and a second one if it takes long."""
        if call.is_streamed or not (call.is_idempotent and isinstance(call.body, bytes)):
            return await self.inner(call)
        started = self._clock()
        latencies = self.operations.of(call.operation)
        delay = latencies.delay(started)
        if delay is None or started + delay >= call.deadline:
            reply = await self.inner(call)
        else:
            reply = await self._race(call, started, delay)
        if is_good(call, reply):
            # A call that lost counts with its time so far. Otherwise hedges would lower the
            # latencies, and that would cause more hedges.
            now = self._clock()
            latencies.add(now - call.sent_since(started), now)
        return reply

    async def _race(self, call: Call, started: float, delay: float) -> Reply:
        race = _Race(self, call, started, delay)
        self._timers.schedule(race)
        try:
            reply = await self.inner(call)
            if is_good(call, reply):
                return reply
            return await race.other() or reply
        except asyncio.CancelledError:
            if race.uncancel() and race.reply is not None:
                return race.reply
            raise
        except UpstreamError as error:
            other = await race.other()
            if other is None:
                error.attempts = max(error.attempts, len(call.trail))
                raise
            return other
        finally:
            self._timers.stop(race)
            race.leave()

    def send_if_due(self, race: "_Race") -> None:
        """Send the second call of a race if the first was sent long enough ago."""
        call, now = race.call, self._clock()
        sent = call.trail[-1].instant if call.trail else now
        # The first call may have waited for a permit, or been retried.
        if now < sent + race.delay - TIMER_TOLERANCE_SECONDS:
            race.instant = sent + race.delay
            self._timers.schedule(race)
        elif self._may_send(call, now):
            race.send(replace(call, trail=[*call.trail], is_hedge=True))

    def _may_send(self, call: Call, now: float) -> bool:
        events = self._runtime.events
        is_allowed = self._budget.withdraw(now)
        if events.sinks and is_allowed:
            events.emit(Hedged(call.upstream, call.operation, span=call.span))
        elif events.sinks:
            events.emit(HedgeRefused(call.upstream, call.operation, "budget", span=call.span))
        return is_allowed

    def spawn(self, race: "_Race", second: Call) -> asyncio.Task[None]:
        """Start the second call of a race."""
        return self._runtime.spawn(self._run(race, second))

    async def _run(self, race: "_Race", second: Call) -> None:
        try:
            reply = await self.inner(second)
        except UpstreamError:
            return  # the first call goes on, and decides the outcome
        else:
            if is_good(second, reply) and race.win(reply) and self._runtime.events.sinks:
                self._runtime.events.emit(
                    HedgeWon(second.upstream, second.operation, span=second.span)
                )
        finally:
            race.end_second()


class _Race(CallTimer):
    """A call and, from its instant on, a second one; the first good reply wins."""

    __slots__ = ("_layer", "_second", "_sent", "_task", "_waiter", "call", "delay", "reply")

    def __init__(self, layer: HedgeLayer, call: Call, started: float, delay: float) -> None:
        super().__init__(started + delay, layer.loop)
        self.call = call
        self.delay = delay
        self.reply: Reply | None = None
        self._layer = layer
        self._second: Call | None = None
        self._task: asyncio.Task[None] | None = None
        self._waiter: asyncio.Future[None] | None = None

    def fire(self) -> None:
        """Send the second call if it is due."""
        self._layer.send_if_due(self)

    def send(self, second: Call) -> None:
        """Start the second call."""
        self._second, self._sent = second, len(second.trail)
        self._task = self._layer.spawn(self, second)

    def win(self, reply: Reply) -> bool:
        """Accept the reply of the second call and cancel the first; False if the race is over."""
        if self._task is None:
            return False
        self.reply = reply
        if self._waiter is None:
            super().fire()
        return True

    def end_second(self) -> None:
        """Merge the trail of the second call into that of the first, and wake the first."""
        self._merge()
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def other(self) -> Reply | None:
        """Return the reply of the second call; None if there is none, or it failed as well."""
        task = self._task
        if self.reply is None and task is not None and not task.done():
            self._waiter = task.get_loop().create_future()
            await self._waiter
        return self.reply

    def leave(self) -> None:
        """End the race; a second call that still runs is cancelled."""
        task, self._task = self._task, None
        if task is not None and not task.done():
            task.cancel()
            self._merge()

    def _merge(self) -> None:
        second, self._second = self._second, None
        if second is not None:
            # Not at the end: the latency of the first call counts from its own last attempt.
            self.call.trail[-1:-1] = second.trail[self._sent :]
