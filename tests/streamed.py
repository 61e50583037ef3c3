"""Streamed replies in tests: opened through any handler, and closed."""

from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

from msgspec.structs import replace

from bff_core.call import Call, Handler, Reply


@asynccontextmanager
async def opened(handler: Handler, call: Call) -> AsyncIterator[Reply]:
    """Send a call whose reply is read while it arrives."""
    async with aclosing(await handler(replace(call, is_streamed=True))) as reply:
        yield reply
