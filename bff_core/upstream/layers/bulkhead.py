"""Between breaker and credentials: limits the concurrent calls to one upstream."""

import asyncio

from bff_core.call import Call, Handler, Reply
from bff_core.errors import BulkheadFull
from bff_core.events import CallRejected, LimitMoved
from bff_core.policy.upstream.bulkhead import Bulkhead, Permits
from bff_core.policy.upstream.concurrency import Adaptive, ConcurrencyLimit
from bff_core.policy.upstream.fault_classification import is_fault_status, is_upstream_fault
from bff_core.upstream.runtime import Runtime
from bff_core.upstream.state import BulkheadState

SPARE_SECONDS = 0.005
"""How long before its deadline a call stops waiting for a permit, which it could not use."""

Waiter = asyncio.Future[bool]
"""A call that waits for a permit; the result is whether it got one in time."""


class BulkheadLayer:
    """Limits the concurrent calls, and queues further ones, first in, first out.

    A streamed reply holds its permit until its body has ended.

    Raises `BulkheadFull` if the queue is full or the wait would outlast the deadline, and for a
    hedge that would have to wait.
    """

    __slots__ = ("_runtime", "inner", "permits")

    def __init__(self, options: Bulkhead, runtime: Runtime, inner: Handler) -> None:
        self.inner = inner
        self.permits: Permits[Waiter] = Permits(options)
        self._runtime = runtime

    def __repr__(self) -> str:
        permits, adaptive = self.permits, self.permits.options.adaptive
        bounds = f", {adaptive.least} to {permits.options.concurrent}" if adaptive else ""
        return (
            f"bulkhead   {permits.in_use} of {permits.limit} permits{bounds},"
            f" {permits.waiting} of {permits.options.queue} waiting"
        )

    def state(self) -> BulkheadState:
        """Return what operators see."""
        permits = self.permits
        return BulkheadState(
            permits.in_use, permits.limit, permits.waiting, permits.options.adaptive is not None
        )

    async def __call__(self, call: Call) -> Reply:
        """Pass the call on as soon as it has a permit."""
        if not self.permits.admit():
            await self._wait(call)
        is_open = False
        try:
            reply = await self.inner(call)
            is_open = call.is_streamed and self._holds_until_end(reply)
        finally:
            if not is_open:
                self._release()
        return reply

    def _holds_until_end(self, reply: Reply) -> bool:
        """Release the permit when the body of a streamed reply ends; return whether it is open."""
        if isinstance(reply.body, bytes):
            return False
        reply.body.on_end(lambda _: self._release())
        return True

    async def _wait(self, call: Call) -> None:
        waiter: Waiter = self._runtime.loop.create_future()
        if call.is_hedge or not self.permits.join(waiter):
            raise self._refuse(call, "bulkhead_full", "all permits are taken, the queue is full")
        left = call.deadline - SPARE_SECONDS - self._runtime.clock()
        timer = self._runtime.loop.call_later(max(0.0, left), self._time_out, waiter)
        try:
            has_permit = await waiter
        except asyncio.CancelledError:
            self._leave(waiter)
            raise
        finally:
            timer.cancel()
        if not has_permit:
            raise self._refuse(call, "queue", "no permit came free in time")

    def _time_out(self, waiter: Waiter) -> None:
        self.permits.leave(waiter)
        if not waiter.done():
            waiter.set_result(False)

    def _leave(self, waiter: Waiter) -> None:
        """Stop waiting; give back a permit that was granted in this very moment."""
        self.permits.leave(waiter)
        if waiter.done() and not waiter.cancelled() and waiter.result():
            self._release()

    def _release(self) -> None:
        permits = self.permits
        permits.release()
        while permits.waiting and (waiter := permits.promote()) is not None:
            if waiter.done():  # cancelled, but it has not left the queue yet
                permits.release()
            else:
                waiter.set_result(True)

    def _refuse(self, call: Call, reason: str, message: str) -> BulkheadFull:
        if self._runtime.events.sinks:
            self._runtime.events.emit(
                CallRejected(call.upstream, call.operation, reason, span=call.span)
            )
        return BulkheadFull(message, call=call, attempts=0)


class AdaptiveBulkheadLayer(BulkheadLayer):
    """A bulkhead whose limit follows the latency and the failures of calls.

    A call's latency counts from its permit. Faults of the upstream, a 429 and timeouts lower the
    limit; calls that were cancelled or never sent do not count.
    """

    __slots__ = ("concurrency",)

    def __init__(
        self, options: Bulkhead, adaptive: Adaptive, runtime: Runtime, inner: Handler
    ) -> None:
        super().__init__(options, runtime, inner)
        now, chance = runtime.clock(), runtime.chance
        self.concurrency = ConcurrencyLimit(adaptive, options.concurrent, now, chance)
        self.permits.limit = self.concurrency.value

    def state(self) -> BulkheadState:
        """Return what operators see."""
        state = super().state()
        state.is_probing = self.concurrency.is_probing
        return state

    async def __call__(self, call: Call) -> Reply:
        """Pass the call on as soon as it has a permit, and adapt the limit to its outcome."""
        if not self.permits.admit():
            await self._wait(call)
        in_flight, started = self.permits.in_use, self._runtime.clock()
        is_open = False
        try:
            reply = await self.inner(call)
            is_open = call.is_streamed and self._holds_until_end(reply)
        except BaseException as error:
            self._record_error(error, call, started, in_flight)
            raise
        else:
            self._record_status(reply.status, call, started, in_flight)
        finally:
            if not is_open:
                self._release()
        return reply

    def _record_status(self, status: int, call: Call, started: float, in_flight: int) -> None:
        now = self._runtime.clock()
        if is_fault_status(status) or status == 429:
            self.concurrency.fail(started, now, in_flight)
        else:
            self.concurrency.succeed(call.operation, started, now, in_flight)
        if self.concurrency.value != self.permits.limit:
            self._apply_limit(call)

    def _record_error(
        self, error: BaseException, call: Call, started: float, in_flight: int
    ) -> None:
        now = self._runtime.clock()
        if not is_upstream_fault(error, call, now=now, duration=now - started):
            return
        self.concurrency.fail(started, now, in_flight)
        if self.concurrency.value != self.permits.limit:
            self._apply_limit(call)

    def _apply_limit(self, call: Call) -> None:
        """Apply the new limit; if it is higher, the release that follows admits waiting calls."""
        self.permits.limit = self.concurrency.value
        if self._runtime.events.sinks:
            event = LimitMoved(call.upstream, call.operation, self.permits.limit, span=call.span)
            self._runtime.events.emit(event)


def bulkhead_layer(options: Bulkhead, runtime: Runtime, inner: Handler) -> BulkheadLayer:
    """Return the layer for the options: with an adaptive limit, or a fixed one."""
    if options.adaptive is None:
        return BulkheadLayer(options, runtime, inner)
    return AdaptiveBulkheadLayer(options, options.adaptive, runtime, inner)
