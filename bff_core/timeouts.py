"""Timeouts for answers of stores, which tolerate a busy event loop."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

LOOP_TURNS: Final = 12
"""Turns of the event loop for a connection and a command: three for each answer."""


@asynccontextmanager
async def bounded(within: float) -> AsyncIterator[None]:
    """Raise `TimeoutError` after `within` seconds, unless the answer has arrived by then.

    A busy event loop may have an answer that it has not read yet. It gets some turns to read before
    the timeout applies: otherwise every burst of requests would look like an unavailable store.
    """
    loop, is_over = asyncio.get_running_loop(), False

    def expire(turns: int) -> None:
        if turns and not is_over:
            loop.call_soon(expire, turns - 1)
        elif not is_over:
            limit.reschedule(loop.time())

    async with asyncio.timeout(None) as limit:
        timer = loop.call_later(within, expire, LOOP_TURNS)
        try:
            yield
        finally:
            is_over = True
            timer.cancel()
