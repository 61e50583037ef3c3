"""Reads a complete reply into memory, so that it can be shared and cached."""

import asyncio

from bff_core.call import Call, Reply
from bff_core.upstream.transport.failures import TooLarge
from bff_core.upstream.transport.framing import ResponseFraming
from bff_core.upstream.transport.hop_by_hop import without_coding
from bff_core.upstream.transport.reply_body import BodyDecoder


class BufferedExchange:
    """Collects one response; its future holds the reply."""

    __slots__ = ("_cap", "_content", "_pieces", "call", "future", "response")

    def __init__(
        self, call: Call, response: ResponseFraming, loop: asyncio.AbstractEventLoop, *, cap: int
    ) -> None:
        self.call = call
        self.response = response
        self.future: asyncio.Future[Reply] = loop.create_future()
        self._cap = cap
        self._content: BodyDecoder | None = None
        self._pieces: list[bytes] = []

    def feed(self, data: bytes) -> None:
        """Take what was read; raise `ProtocolViolation`, `Undecodable` or `TooLarge`."""
        response = self.response
        response.feed(data)
        if response.coding is not None:
            self._decode(response.coding)
        elif response.size > self._cap:
            raise TooLarge(f"the body is larger than {self._cap} bytes")

    def end(self) -> None:
        """Set the reply as the result; raise `Undecodable`."""
        if self.future.done():  # cancelled in the same turn of the loop
            return
        response = self.response
        if self._content is None:
            reply = Reply(response.status, response.headers, b"".join(response.pieces))
        else:
            self._content.end()
            reply = Reply(response.status, without_coding(response.headers), b"".join(self._pieces))
        self.future.set_result(reply)

    def fail(self, error: Exception) -> None:
        """Set the error as the result."""
        if not self.future.done():
            self.future.set_exception(error)

    def _decode(self, coding: bytes) -> None:
        """Decode pieces as they arrive, to refuse a decompression bomb early."""
        if self._content is None:
            self._content = BodyDecoder(coding, self._cap)
        for raw in self.response.pieces:
            self._pieces.extend(self._content.decode(raw))
        self.response.pieces.clear()
