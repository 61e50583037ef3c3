"""How a chunked response body is read (RFC 9112, section 7.1), and whether any bytes follow it.

The parser reads the chunks. It skips stray bytes after the last one; this module detects them.
"""

from typing import Final

from bff_core.upstream.transport.failures import Violation
from bff_core.upstream.transport.parser import ParserEvents, ResponseParser

_LAST: Final = b"\r\n\r\n"
_MAX_PIECES: Final = 16


class ChunkedBody:
    """Reads a chunked body after its head, with the same parser.

    `limit` is how many bytes of framing may come without a byte of the body.
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
        """Whether the bytes end with the one empty line that ends the chunks.

        The parser skips stray line ends after a message without an event.
        """
        tail = self._tail
        ends_once = tail.endswith(_LAST) and tail[:1] not in {b"\r", b"\n"}
        return ends_once and not self._events.is_surplus

    def feed(self, data: bytes) -> list[bytes]:
        """Take what was read and return the pieces of the body in it; raise `Violation`."""
        events, parser = self._events, self._parser
        try:
            parser.feed_data(data)
        except parser.errors as error:
            if not events.is_complete:
                raise Violation(f"malformed response: {error}") from error
            events.is_surplus = True
        pieces, events.pieces = events.pieces, []
        if len(pieces) > _MAX_PIECES:  # an object for each of a million tiny chunks is a bomb, too
            pieces = [b"".join(pieces)]
        self._framing_bytes = 0 if pieces else self._framing_bytes + len(data)
        if self._framing_bytes > self._limit:
            raise Violation("chunk framing without a body")
        self._tail = (self._tail + data)[-5:] if len(data) < 5 else data[-5:]
        return pieces
