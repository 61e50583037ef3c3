"""Lets sinks that export send what is left when a gateway shuts down."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final, Protocol, runtime_checkable

from bff_core.events import Sink

FLUSH_SECONDS: Final = 3.0
"""How long each sink may take; a collector that does not answer must not delay a deployment."""


@runtime_checkable
class FlushedSink(Protocol):
    """A sink that sends what it received later."""

    def flush(self, seconds: float, /) -> None:
        """Send what is left, within about `seconds`; it blocks."""


@asynccontextmanager
async def flushed(sinks: Sequence[Sink]) -> AsyncIterator[None]:
    """Flush the sinks at the end of the context, in threads."""
    try:
        yield
    finally:
        for sink in sinks:
            if isinstance(sink, FlushedSink):
                flushing = asyncio.to_thread(sink.flush, FLUSH_SECONDS)
                await asyncio.wait([asyncio.ensure_future(flushing)], timeout=FLUSH_SECONDS + 1)
