"""Between credentials and balance: a timeout for each attempt."""

import asyncio

from bff_core.call import Call, Handler, Reply
from bff_core.errors import AttemptTimedOut
from bff_core.upstream.runtime import Runtime


class AttemptLayer:
    """Cancels an attempt after `timeout` seconds and raises `AttemptTimedOut`, which is retryable.

    It does nothing if the call's deadline comes first.
    """

    __slots__ = ("_clock", "_timeout", "_timers", "inner")

    def __init__(self, timeout: float, runtime: Runtime, inner: Handler) -> None:
        self.inner = inner
        self._timeout = timeout
        self._clock = runtime.clock
        self._timers = runtime.timers

    def __repr__(self) -> str:
        return f"attempt    {self._timeout:g} s each"

    async def __call__(self, call: Call) -> Reply:
        """Pass an attempt on, and cancel it at its timeout."""
        instant = self._clock() + self._timeout
        if instant >= call.deadline or call.head_timeout:  # an upload takes its time
            return await self.inner(call)
        timer = self._timers.cancel_at(instant)
        try:
            return await self.inner(call)
        except asyncio.CancelledError:
            if timer.uncancel():
                why = ", and the request had not arrived as a whole" if call.awaits_body else ""
                raise AttemptTimedOut(
                    f"no reply within {self._timeout:g} s{why}", call=call
                ) from None
            raise
        finally:
            self._timers.stop(timer)
