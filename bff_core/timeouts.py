"""Timeouts that allow for an event loop that was busy meanwhile."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

TURNS: Final = 12
"""Turns of the loop that a connection and a command take: three for each answer."""


@asynccontextmanager
async def bounded(within: float) -> AsyncIterator[None]:
    """Raise `TimeoutError` after `within` seconds, unless the answer has arrived by then.

    A loop that was busy all that time may not have read it yet: it reads before it gives up, else
    every burst of requests would look like a store that is unavailable.
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
