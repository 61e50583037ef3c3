"""Where one response ends, and whether the connection can carry another after it (RFC 9112).

The parser reads the head and the chunks; everything else about framing is decided here, because
one byte taken for the wrong response hands a viewer what belongs to another.
"""

import math
from collections.abc import Callable
from typing import Final, Protocol

from bff_core.call import Headers
from bff_core.policy.connection import Connection
from bff_core.upstream.transport.failures import Violation
from bff_core.upstream.transport.fields import HOP_BY_HOP, content_coding, end_to_end, tokens

MAX_INTERIM: Final = 8
"""How many 1xx responses may precede a response."""

_END_OF_HEAD: Final = b"\r\n\r\n"
_BODY_FIELDS: Final = frozenset({b"content-length", b"content-encoding"})
_KNOWN_OPTIONS: Final = frozenset({b"close", b"keep-alive"})
BODILESS: Final = frozenset({204, 304})


class Parser(Protocol):
    """Reads heads and chunks, strictly."""

    def feed(self, data: bytes, /) -> None:
        """Take bytes and call the events; raise `Violation`."""
        ...

    def get_status_code(self) -> int:
        """Return the status, once the head is complete."""
        ...


class Events:
    """What a parser reports of one message. It knows neither parser nor response: no cycle."""

    __slots__ = ("body", "fields", "hops", "is_complete", "is_headed", "is_surplus", "pieces")

    def __init__(self) -> None:
        self.fields: list[tuple[bytes, bytes]] = []
        self.hops: list[tuple[bytes, bytes]] = []
        self.body: list[tuple[bytes, bytes]] = []
        self.pieces: list[bytes] = []
        self.is_headed = False
        self.is_complete = False
        self.is_surplus = False

    def on_message_begin(self) -> None:
        """Notice a message after the end of this one."""
        self.is_surplus = self.is_complete

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a field; set those apart that framing depends on."""
        name = name.lower()
        if name in HOP_BY_HOP:
            self.hops.append((name, value))
            return
        self.fields.append((name, value.rstrip(b" \t")))
        if name in _BODY_FIELDS:
            self.body.append((name, value))

    def on_headers_complete(self) -> None:
        """Note the end of the head."""
        self.is_headed = True

    def on_body(self, data: bytes) -> None:
        """Keep a piece of a chunk, unless it belongs to another message."""
        if not self.is_complete:
            self.pieces.append(data)

    def on_message_complete(self) -> None:
        """Note the end of the message."""
        self.is_complete = True


ParserFactory = Callable[[Events], Parser]


class Response:
    """One response: is fed what the connection reads and says when it is complete.

    `pieces` are the raw body; who takes them empties the list. `is_reusable` is meaningful once
    `is_complete`: the message ended exactly where the bytes did, and neither side asked to close.
    """

    __slots__ = (
        "_events",
        "_interim",
        "_interim_size",
        "_is_head",
        "_limits",
        "_new_parser",
        "_parser",
        "_seen",
        "_silence",
        "_tail",
        "coding",
        "headers",
        "is_complete",
        "is_reusable",
        "left",
        "pieces",
        "received",
        "status",
    )

    def __init__(self, new_parser: ParserFactory, limits: Connection, *, is_head: bool) -> None:
        self._limits = limits
        self._is_head = is_head
        self._new_parser = new_parser
        self._events = Events()
        self._parser: Parser | None = new_parser(self._events)
        self._seen = b""  # the head so far, where it comes in several segments
        self._interim = self._interim_size = 0
        self._silence = 0  # bytes of chunk framing since the last of the body
        self._tail = b""
        self.status = 0
        self.headers: Headers = ()
        self.coding: bytes | None = None
        self.pieces: list[bytes] = []
        self.received = 0
        self.left: float = 0.0  # of the body; infinite until close, meaningless when chunked
        self.is_complete = False
        self.is_reusable = False

    @property
    def has_begun(self) -> bool:
        """Whether any byte of it arrived."""
        return self.status > 0 or bool(self._seen) or self._interim > 0

    @property
    def size(self) -> float:
        """How large the raw body is: as announced, or as received so far."""
        return self.received if self.left == math.inf else self.received + self.left

    def feed(self, data: bytes) -> None:
        """Take what was read; raise `Violation`."""
        if self.status == 0:
            rest = self._feed_head(data)
            if self.status == 0:
                return
            self._frame()
            if not rest and (self.left or self._parser):
                return
            data = rest
        if self._parser is not None:
            self._feed_chunks(self._parser, data)
        else:
            self._feed_body(data)

    def feed_eof(self) -> None:
        """Take the end of the connection: it completes a body that has no other end."""
        if not (self.status and self._parser is None and self.left == math.inf):
            raise Violation("the connection ended before the response did")
        self.is_complete, self.is_reusable = True, False

    def _feed_head(self, data: bytes) -> bytes:
        """Read heads until the final one; return what follows it."""
        while data:
            known = len(self._seen)
            head = self._seen + data if known else data
            end = head.find(_END_OF_HEAD, max(0, known - 3)) + 4
            if end < 4:
                self._feed_part(data, len(head))
                self._seen = head
                break
            self._feed_part(head[known:end], end)
            data = head[end:]
            if self._conclude_head(head, end):
                return data
        return b""

    def _feed_part(self, part: bytes, size: int) -> None:
        """Parse a part of a head that is `size` bytes long with it."""
        if self._interim_size + size > self._limits.max_header_bytes:
            raise Violation(f"the head is larger than {self._limits.max_header_bytes} bytes")
        if self._parser is not None:
            self._parser.feed(part)
        events = self._events
        if len(events.fields) + len(events.hops) > self._limits.max_headers:
            raise Violation(f"more than {self._limits.max_headers} header fields")

    def _conclude_head(self, head: bytes, end: int) -> bool:
        """Check the head; return whether it is the final one, or prepare for the next."""
        if not head.startswith((b"HTTP/1.1 ", b"HTTP/1.0 ")) or not self._events.is_headed:
            raise Violation("no response of HTTP/1.1")
        status = 0 if self._parser is None else self._parser.get_status_code()
        if 200 <= status <= 599:
            self.status = status
            self.is_reusable = head.startswith(b"HTTP/1.1")
            return True
        self._interim += 1
        self._interim_size += end
        if not 100 <= status <= 199 or status == 101 or self._interim > MAX_INTERIM:
            raise Violation(f"unexpected status {status}")
        self._seen = b""
        self._events = Events()
        self._parser = self._new_parser(self._events)
        return False

    def _frame(self) -> None:
        """Decide how long the body is (RFC 9112, section 6.3); only chunks need the parser on."""
        is_chunked, self.left = False, math.inf
        codings = []
        for name, value in self._events.body:
            if name == b"content-length":
                self.left = int(value)
            else:
                codings.append(value)
        if codings:
            self.coding = content_coding(codings)
        for name, value in self._events.hops:
            if name == b"transfer-encoding":
                is_chunked = self._check_chunked(value, is_chunked=is_chunked)
        self.headers = self._conclude_fields()
        if self._is_head or self.status in BODILESS:
            is_chunked, self.left, self.coding = False, 0, None
        if not is_chunked:
            self._parser = None

    def _check_chunked(self, value: bytes, *, is_chunked: bool) -> bool:
        is_http_1_1 = self.is_reusable
        if value.strip(b" \t").lower() != b"chunked" or is_chunked or not is_http_1_1:
            raise Violation("a transfer coding that is not exactly chunked")
        return True

    def _conclude_fields(self) -> Headers:
        """Obey the Connection fields and return the end-to-end ones."""
        events = self._events
        values = [value for name, value in events.hops if name == b"connection"]
        if not values:
            return tuple(events.fields)
        named = {token for value in values for token in tokens(value)}
        if self.is_reusable or b"keep-alive" in named:
            self.is_reusable = b"close" not in named
        others = named - _KNOWN_OPTIONS
        return end_to_end(events.fields, named=others) if others else tuple(events.fields)

    def _feed_body(self, data: bytes) -> None:
        size = len(data)
        if size > self.left:
            data, size = data[: int(self.left)], int(self.left)
            self.is_reusable = False  # surplus must never meet the next request
        if size:
            self.pieces.append(data)
            self.received += size
            self.left -= size
        self.is_complete = self.left == 0

    def _feed_chunks(self, parser: Parser, data: bytes) -> None:
        events = self._events
        try:
            parser.feed(data)
        except Violation:
            if not events.is_complete:
                raise
            events.is_surplus = True
        self._take_pieces(events, len(data))
        self._tail = (self._tail + data)[-5:] if len(data) < 5 else data[-5:]
        if events.is_complete:
            self._parser = None
            self.is_complete = True
            self.is_reusable = self.is_reusable and not events.is_surplus and self._is_exact()

    def _take_pieces(self, events: Events, size: int) -> None:
        self._silence = 0 if events.pieces else self._silence + size
        if self._silence > self._limits.max_header_bytes:
            raise Violation("chunk framing without a body")
        for piece in events.pieces:
            self.received += len(piece)
        self.pieces += events.pieces
        events.pieces.clear()

    def _is_exact(self) -> bool:
        """Whether the bytes end with the one empty line that ends the chunks.

        The parser skips stray line ends after a message in silence.
        """
        return self._tail.endswith(_END_OF_HEAD) and self._tail[:1] not in {b"\r", b"\n"}
