"""Outermost: the deadline of a call."""

import asyncio

from bff_core.call import Call, Handler, Reply
from bff_core.errors import DeadlineExceeded
from bff_core.upstream.runtime import Runtime


class DeadlineLayer:
    """Cancels the call at `call.deadline` and raises `DeadlineExceeded`.

    A call whose deadline has passed already is not sent. A cancellation by others stays one.
    """

    __slots__ = ("_clock", "_timers", "inner")

    def __init__(self, runtime: Runtime, inner: Handler) -> None:
        self.inner = inner
        self._clock = runtime.clock
        self._timers = runtime.timers

    def __repr__(self) -> str:
        return "deadline   the call's own"

    async def __call__(self, call: Call) -> Reply:
        """Pass the call on, and cancel it at its deadline."""
        if self._clock() >= call.deadline:
            message = "its time was over before it was sent"
            raise DeadlineExceeded(message, call=call, attempts=0, is_sent=False)
        timer = self._timers.cancel_at(call.deadline)
        try:
            return await self.inner(call)
        except asyncio.CancelledError:
            if timer.uncancel():
                raise DeadlineExceeded(
                    "took until its deadline",
                    call=call,
                    attempts=len(call.trail),
                    is_sent=call.was_sent,
                ) from None
            raise
        finally:
            self._timers.stop(timer)
