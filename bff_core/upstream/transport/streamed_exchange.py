"""Reads a streamed reply as fast as its consumer does, with backpressure."""

import asyncio
import math
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Final

from bff_core.call import Call, Headers
from bff_core.errors import DeadlineExceeded, TransportFailed
from bff_core.policy.upstream.connection import Connection
from bff_core.reply_stream import ReplyStream
from bff_core.upstream.transport.connection import WireConnection
from bff_core.upstream.transport.failures import RESPONSE_ERRORS, upstream_error
from bff_core.upstream.transport.framing import ResponseFraming
from bff_core.upstream.transport.hop_by_hop import without_coding
from bff_core.upstream.transport.reply_body import BodyDecoder

HIGH_WATER_BYTES: Final = 64 * 1024
"""Reading pauses when more undecoded bytes than this are buffered."""

YIELD_BYTES: Final = 256 * 1024
"""After how many decoded bytes other tasks get a turn."""

LOW_WATER_BYTES: Final = 16 * 1024
"""Reading continues when no more than this are left."""


class StreamedExchange:
    """A streamed reply of the wire transport; iterate it once, inside its context.

    Raw pieces are queued in `_raw`, and decoded when the consumer iterates: a compressed body
    expands only as fast as it is consumed.
    """

    def __init__(
        self,
        call: Call,
        response: ResponseFraming,
        connection: WireConnection,
        options: Connection,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self.call = call
        self.response = response
        self._connection = connection
        self._options = options
        self._loop = loop
        self._content: BodyDecoder | None = None
        self._raw: deque[bytes] = deque()
        self._buffered = 0
        self._unyielded = 0
        self._is_paused = False
        self._pieces: Iterator[bytes] = iter(())
        self._error: Exception | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._ends_at = math.inf
        self._timer: asyncio.TimerHandle | None = None
        self.upload: asyncio.Task[None] | None = None
        self.on_time_out: Callable[[Exception], None] | None = None

    @property
    def status(self) -> int:
        """The status of the response."""
        return self.response.status

    @property
    def headers(self) -> Headers:
        """The end-to-end header fields of the decoded body."""
        response = self.response
        return response.headers if self._coding is None else without_coding(response.headers)

    @property
    def _coding(self) -> bytes | None:
        """The content coding to decode; a forwarded body is not decoded."""
        return None if self.call.is_forwarded else self.response.coding

    def body(self) -> ReplyStream:
        """Return the body for its reader."""
        return ReplyStream(self, self.aclose)

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        while True:
            try:
                piece = next(self._pieces, None)
                if piece is None and not self._raw and self.response.is_complete:
                    self._end_of_content()
                    raise StopAsyncIteration
            except RESPONSE_ERRORS as error:
                self.close()
                raise upstream_error(error, self.call) from error
            if piece is not None:
                await self._yield_sometimes(len(piece))
                return piece
            self._check_time()
            await self._advance()

    async def _yield_sometimes(self, size: int) -> None:
        """Let other tasks run after much data without a wait: a small coded body may be huge."""
        self._unyielded += size
        if self._unyielded >= YIELD_BYTES:
            self._unyielded = 0
            await asyncio.sleep(0)

    async def head(self) -> None:
        """Wait until status and headers have arrived."""
        while self._content is None:
            if self._error is not None:
                raise self._error
            await self._wait()
        if self._options.stream_timeout is not None:
            self._ends_at = self._loop.time() + self._options.stream_timeout
            self._timer = self._loop.call_at(self._ends_at, self._time_out)

    def _time_out(self) -> None:
        """End a stream that takes too long, also one that is not read."""
        self._error = error = self._too_long()
        on_time_out = self.on_time_out
        self.close()
        if on_time_out is not None:
            on_time_out(error)

    def feed(self, data: bytes) -> None:
        """Queue the bytes that were read; pause the socket if the consumer is too slow."""
        response = self.response
        response.feed(data)
        if response.status and self._content is None:
            self._content = self._decoder()
        self._raw.extend(response.pieces)
        self._buffered += sum(map(len, response.pieces))
        response.pieces.clear()
        if self._buffered > HIGH_WATER_BYTES and not (self._is_paused or response.is_complete):
            self._is_paused = True
            self._connection.pause()
        self._wake()

    def _decoder(self) -> BodyDecoder:
        return BodyDecoder(self._coding, self._options.max_streamed)

    def end(self) -> None:
        """Wake the consumer: the response is complete."""
        self._wake()

    def fail(self, error: Exception) -> None:
        """Raise an error in the consumer, after the pieces that arrived before it."""
        self._error = error
        self._wake()

    def close(self) -> None:
        """Close the connection unless the response was read to its end; end the upload."""
        self._raw.clear()
        if self._timer is not None:
            self._timer.cancel()
        if self.upload is not None:
            self.upload.cancel()
        if self._error is None and not self.response.is_complete:
            self._error = TransportFailed("the body was closed", call=self.call, is_sent=True)
        self._connection.leave(self)
        self._wake()
        self.on_time_out = None  # it refers to the body, which refers to this

    async def aclose(self) -> None:
        """Close the connection, as `ReplyStream` calls it."""
        self.close()

    async def _advance(self) -> None:
        """Decode the next raw piece, or wait for one."""
        if self._raw:
            self._begin_piece(self._raw.popleft())
        elif self._error is not None:
            raise self._error
        else:
            await self._within_idle_timeout()

    def _begin_piece(self, raw: bytes) -> None:
        self._buffered -= len(raw)
        if self._content is not None:
            self._pieces = self._content.decode(raw)
        if self._is_paused and self._buffered <= LOW_WATER_BYTES:
            self._is_paused = False
            self._connection.resume()

    async def _within_idle_timeout(self) -> None:
        own, left = self.call.idle_timeout, self._ends_at - self._loop.time()
        idle = self._options.stream_idle_timeout if own is None else own
        try:
            async with asyncio.timeout(min(idle, left)):
                await self._wait()
        except TimeoutError:
            self.close()
            if left <= idle:  # a timer may fire a little early
                raise self._too_long() from None
            if self.call.awaits_body:
                message = f"silent for {idle} s, and the request had not arrived as a whole"
                raise DeadlineExceeded(message, call=self.call) from None
            raise TransportFailed(f"silent for {idle} s", call=self.call, is_sent=True) from None

    def _check_time(self) -> None:
        """Raise `DeadlineExceeded` for a stream that takes longer than `stream_timeout`."""
        if self._loop.time() >= self._ends_at:
            self.close()
            raise self._too_long()

    def _too_long(self) -> DeadlineExceeded:
        message = f"the stream took longer than {self._options.stream_timeout} s"
        return DeadlineExceeded(message, call=self.call)

    async def _wait(self) -> None:
        self._waiter = self._loop.create_future()
        await self._waiter

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _end_of_content(self) -> None:
        if self._content is not None:
            self._content.end()
