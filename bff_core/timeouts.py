"""Waiting for an answer for a bounded time, on a loop that may have been busy meanwhile."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

TURNS: Final = 12
"""Turns of the loop in which a connection is made and a command answered: three for each answer."""


@asynccontextmanager
async def bounded(within: float) -> AsyncIterator[None]:
    """Raise `TimeoutError` after so many seconds, unless the answer has arrived by then.

    A loop that was busy all that time may not have read it yet: it gets to read before it gives
    up, else every burst of requests would look like a store that is away.
    """
    loop, is_over = asyncio.get_running_loop(), False

    def expire(turns: int) -> None:
        if turns and not is_over:
            loop.call_soon(expire, turns - 1)
        elif not is_over:
            limit.reschedule(loop.time())

    async with asyncio.timeout(None) as limit:
        timer = loop.call_later(within, expire, TURNS)
        try:
            yield
        finally:
            is_over = True
            timer.cancel()
