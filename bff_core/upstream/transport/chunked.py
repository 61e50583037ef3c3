"""Reads chunked response bodies (RFC 9112, section 7.1), and detects bytes that follow them.

The parser reads the chunks, but ignores stray bytes after the last one.
"""

from typing import Final

from bff_core.upstream.transport.failures import ProtocolViolation
from bff_core.upstream.transport.parser import ParserEvents, ResponseParser

_END_OF_CHUNKS: Final = b"\r\n\r\n"
_MAX_PIECES: Final = 16


class ChunkedBody:
    """Reads a chunked body after its head, with the same parser.

    `limit` is how many bytes of framing may arrive in a row without a byte of the body.
    """

    __slots__ = ("_events", "_framing_bytes", "_limit", "_parser", "_tail")

    def __init__(self, parser: ResponseParser, events: ParserEvents, limit: int) -> None:
        self._parser = parser
        self._events = events
        self._limit = limit
        self._framing_bytes = 0  # since the last byte of the body
        self._tail = b""

    @property
    def is_complete(self) -> bool:
        """Whether the last chunk and its trailer were read."""
        return self._events.is_complete

    @property
    def is_exact(self) -> bool:
        """Whether the bytes end exactly with the empty line that ends the chunks.

        The parser skips stray line ends after a message, and reports no event.
        """
        tail = self._tail
        ends_once = tail.endswith(_END_OF_CHUNKS) and tail[:1] not in {b"\r", b"\n"}
        return ends_once and not self._events.is_surplus

    def feed(self, data: bytes) -> list[bytes]:
        """Take what was read and return the pieces of the body in it; raise `ProtocolViolation`."""
        events, parser = self._events, self._parser
        try:
            parser.feed_data(data)
        except parser.errors as error:
            if not events.is_complete:
                raise ProtocolViolation(f"malformed response: {error}") from error
            events.is_surplus = True
        pieces, events.pieces = events.pieces, []
        if len(pieces) > _MAX_PIECES:  # a million tiny chunks must not become a million objects
            pieces = [b"".join(pieces)]
        self._framing_bytes = 0 if pieces else self._framing_bytes + len(data)
        if self._framing_bytes > self._limit:
            raise ProtocolViolation("chunk framing without a body")
        self._tail = (self._tail + data)[-5:] if len(data) < 5 else data[-5:]
        return pieces
