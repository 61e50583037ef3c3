"""The sending half of a connection: backpressure, and the send timeout."""

import asyncio
from math import inf
from typing import Final

MIN_PROGRESS_BYTES: Final = 4 * 1024
"""A client that reads less within the send timeout counts as stuck."""


class ConnectionWriter:
    """Writes to a transport, suspends fast handlers, and detects clients that do not read.

    `is_blocked` is set while more than the transport's high-water mark is unsent.
    """

    __slots__ = (
        "_is_open",
        "_loop",
        "_marked_at",
        "_marked_taken",
        "_transport",
        "_waiters",
        "_written",
        "is_blocked",
    )

    def __init__(self, loop: asyncio.AbstractEventLoop, transport: asyncio.Transport) -> None:
        self._loop = loop
        self._transport = transport
        self._waiters: list[asyncio.Future[None]] = []
        self._written = self._marked_taken = 0
        self._marked_at = inf
        self.is_blocked = False
        self._is_open = True

    def write(self, data: bytes) -> None:
        """Send bytes, or buffer them until the client reads."""
        if self._is_open:
            self._written += len(data)
            self._transport.write(data)

    async def drained(self) -> None:
        """Wait until the buffer has drained, or the client left."""
        while self.is_blocked:
            waiter = self._loop.create_future()
            self._waiters.append(waiter)
            await waiter

    def release(self) -> None:
        """Resume the waiting handlers."""
        self.is_blocked = False
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    def close(self) -> None:
        """Stop sending: the client left."""
        self._is_open = False
        self.release()

    def is_stuck(self, now: float, seconds: float) -> bool:
        """Whether data is unsent and the client has hardly read for so many seconds."""
        unsent = self._transport.get_write_buffer_size()
        if not unsent:
            self._marked_at = inf
            return False
        taken = self._written - unsent
        if self._marked_at == inf or taken - self._marked_taken >= MIN_PROGRESS_BYTES:
            self._marked_at, self._marked_taken = now, taken
        return now - self._marked_at >= seconds
