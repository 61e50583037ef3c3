"""Lets sinks that export send what is left when a gateway shuts down."""

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Final, Protocol, runtime_checkable

from bff_core.events import Sink

FLUSH_SECONDS: Final = 3.0
"""How long all sinks may take; a collector that does not answer must not delay a deployment."""


@runtime_checkable
class FlushedSink(Protocol):
    """A sink that sends what it received later."""

    def flush(self, seconds: float, /) -> None:
        """Send what is left, within about `seconds`; it blocks."""


@asynccontextmanager
async def flushed(sinks: Sequence[Sink], *, seconds: float = FLUSH_SECONDS) -> AsyncIterator[None]:
    """Flush the sinks at the end of the context, all at once and for `seconds` at most."""
    try:
        yield
    finally:
        flushes = [_flush(one, seconds) for one in sinks if isinstance(one, FlushedSink)]
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await asyncio.gather(*flushes)


async def _flush(sink: FlushedSink, seconds: float) -> None:
    """Flush a sink in a daemon thread: neither the loop nor the process waits for its end."""
    loop, done = asyncio.get_running_loop(), asyncio.Event()

    def work() -> None:
        try:
            sink.flush(seconds)
        except Exception:
            logging.getLogger("bff_core").exception("the sink %r could not be flushed", sink)
        with suppress(RuntimeError):  # the loop is closed: nothing waits any more
            loop.call_soon_threadsafe(done.set)

    threading.Thread(target=work, name="bff-flush", daemon=True).start()
    await done.wait()
