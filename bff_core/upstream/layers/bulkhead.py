"""Between breaker and attempt: bounds the calls that are under way to one upstream."""

import asyncio

from bff_core.call import Call, Handler, Reply
from bff_core.errors import BulkheadFull
from bff_core.events import Shed
from bff_core.policy.bulkhead import Bulkhead, Permits
from bff_core.upstream.runtime import Runtime

SPARE = 0.005
"""How many seconds before its deadline a call stops waiting: a later permit is of no use to it."""

Waiter = asyncio.Future[bool]
"""Who waits for a permit; True tells that it has one, False that its time is over."""


class BulkheadLayer:
    """Lets `concurrent` calls pass and queues further ones, first come, first served.

    Raises `BulkheadFull` when the queue is full, too, or the wait would outlast the deadline.
    """

    __slots__ = ("_runtime", "inner", "permits")

    def __init__(self, options: Bulkhead, runtime: Runtime, inner: Handler) -> None:
        self.inner = inner
        self.permits: Permits[Waiter] = Permits(options)
        self._runtime = runtime

    def __repr__(self) -> str:
        permits = self.permits
        return (
            f"bulkhead   {permits.in_use} of {permits.limit} permits,"
            f" {permits.waiting} of {permits.options.queue} waiting"
        )

    async def __call__(self, call: Call) -> Reply:
        """Pass the call on as soon as it has a permit."""
        if not self.permits.admit():
            await self._wait(call)
        try:
            return await self.inner(call)
        finally:
            self._release()

    async def _wait(self, call: Call) -> None:
        waiter: Waiter = self._runtime.loop.create_future()
        if not self.permits.join(waiter):
            raise self._refuse(call, "bulkhead_full", "all permits are taken, the queue is full")
        left = call.deadline - SPARE - self._runtime.clock()
        timer = self._runtime.loop.call_later(max(0.0, left), self._give_up, waiter)
        try:
            has_permit = await waiter
        except asyncio.CancelledError:
            self._leave(waiter)
            raise
        finally:
            timer.cancel()
        if not has_permit:
            raise self._refuse(call, "queue", "no permit came free in time")

    def _give_up(self, waiter: Waiter) -> None:
        self.permits.leave(waiter)
        if not waiter.done():
            waiter.set_result(False)

    def _leave(self, waiter: Waiter) -> None:
        """Stop waiting; a permit that was just handed over passes on."""
        self.permits.leave(waiter)
        if waiter.done() and not waiter.cancelled() and waiter.result():
            self._release()

    def _release(self) -> None:
        permits = self.permits
        permits.release()
        while permits.waiting and (waiter := permits.promote()) is not None:
            if waiter.done():  # cancelled, and not yet awake to leave the queue
                permits.release()
            else:
                waiter.set_result(True)

    def _refuse(self, call: Call, reason: str, message: str) -> BulkheadFull:
        if self._runtime.events.sinks:
            self._runtime.events.emit(Shed(call.upstream, call.operation, reason))
        return BulkheadFull(message, call=call, attempts=0)
