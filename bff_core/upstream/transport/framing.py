"""HTTP/1.1 framing: where a response ends, and whether its connection is reusable (RFC 9112).

The parser reads the head and the chunks; this module decides everything else about framing. If it
assigned a byte to the wrong response, a viewer would get the data of another one.
"""

import math
from http import HTTPStatus
from typing import Final

from bff_core.call import Headers
from bff_core.http_statuses import WITHOUT_BODY
from bff_core.policy.upstream.connection import Connection
from bff_core.upstream.transport.chunked import ChunkedBody
from bff_core.upstream.transport.failures import ProtocolViolation, TruncatedResponse
from bff_core.upstream.transport.hop_by_hop import content_coding, end_to_end, tokens
from bff_core.upstream.transport.parser import ParserEvents, ResponseParser

MAX_INTERIM: Final = 8
"""How many 1xx responses may precede a response."""

_END_OF_HEAD: Final = b"\r\n\r\n"
_HTTP_1_1: Final = b"HTTP/1.1 "
_VERSIONS: Final = (_HTTP_1_1, b"HTTP/1.0 ")
_UNTIL_CLOSE: Final = math.inf
_KNOWN_OPTIONS: Final = frozenset({b"close", b"keep-alive"})


class ResponseFraming:
    """Frames one response: takes the bytes of the connection and decides when it is complete.

    `pieces` are the raw body; the consumer empties the list. `is_reusable` is valid once
    `is_complete` is True: the bytes ended exactly with the message, and neither side sent `close`.
    With `may_upgrade` a 101 is a final response, whose body lasts until the connection ends; its
    bytes are `head`.
    """

    __slots__ = (
        "_chunks",
        "_events",
        "_interim",
        "_interim_size",
        "_is_head",
        "_limits",
        "_may_upgrade",
        "_parser",
        "_partial_head",
        "coding",
        "head",
        "headers",
        "is_complete",
        "is_reusable",
        "left",
        "pieces",
        "received",
        "status",
    )

    def __init__(self, limits: Connection, *, is_head: bool, may_upgrade: bool = False) -> None:
        self._limits = limits
        self._is_head = is_head
        self._may_upgrade = may_upgrade
        self._events = events = ParserEvents()
        self._parser: ResponseParser | None = ResponseParser(events)  # of the head
        self._partial_head = b""  # the head so far, where it comes in several segments
        self._interim = self._interim_size = 0
        self._chunks: ChunkedBody | None = None
        self.status = 0
        self.head = b""
        self.headers: Headers = ()
        self.coding: bytes | None = None
        self.pieces: list[bytes] = []
        self.received = 0
        self.left: float = 0  # of the body; infinite until close, and when chunked
        self.is_complete = False
        self.is_reusable = False

    @property
    def has_begun(self) -> bool:
        """Whether any byte of the response arrived."""
        return self.status > 0 or bool(self._partial_head) or self._interim > 0

    @property
    def size(self) -> float:
        """The size of the raw body in bytes: as announced, or as received so far."""
        return self.received if self.left == _UNTIL_CLOSE else self.received + self.left

    def feed(self, data: bytes) -> None:
        """Take what was read; raise `ProtocolViolation`."""
        if self.status == 0:
            data = self._feed_head(data)
            if self.status == 0 or not (data or self.left == 0):
                return
        if self._chunks is None:
            self._feed_body(data)
        else:
            self._feed_chunks(self._chunks, data)

    def feed_eof(self) -> None:
        """Take the end of the connection: it completes a body of unknown length."""
        if not (self.status and self._chunks is None and self.left == _UNTIL_CLOSE):
            raise TruncatedResponse("the connection ended before the response did")
        self.is_complete, self.is_reusable = True, False

    def _feed_head(self, data: bytes) -> bytes:
        """Read heads until the final one; return what follows it."""
        while data:
            known = len(self._partial_head)
            head = self._partial_head + data if known else data
            end = head.find(_END_OF_HEAD, known - 3 if known > 3 else 0) + 4
            if end < 4:
                self._feed_part(data, len(head))
                self._partial_head = head
                break
            self._feed_part(head[known:end], end)
            data = head[end:]
            if self._conclude_head(head, end):
                return data
        return b""

    def _feed_part(self, part: bytes, size: int) -> None:
        """Parse a part of a head, which is `size` bytes long so far."""
        limits, events, parser = self._limits, self._events, self._parser
        if self._interim_size + size > limits.max_header_bytes:
            raise ProtocolViolation(f"the head is larger than {limits.max_header_bytes} bytes")
        if parser is not None:
            try:
                parser.feed_data(part)
            except parser.errors as error:
                if self._may_upgrade and isinstance(error, parser.upgrades):
                    return  # the end of the head: the rest is not HTTP
                raise ProtocolViolation(f"malformed response: {error}") from error
        if len(events.fields) + len(events.hops) > limits.max_headers:
            raise ProtocolViolation(f"more than {limits.max_headers} header fields")

    def _conclude_head(self, head: bytes, end: int) -> bool:
        """Check the head; return whether it is final. After an interim one, expect the next."""
        version, events, parser = head[:9], self._events, self._parser
        if version not in _VERSIONS or not events.is_headed or parser is None:
            raise ProtocolViolation("no response of HTTP/1.1")
        status = parser.get_status_code()
        if 200 <= status <= 599:
            self.status = status
            self.is_reusable = version == _HTTP_1_1
            self.headers = tuple(events.fields)
            self._frame(parser, events)
            return True
        if status == HTTPStatus.SWITCHING_PROTOCOLS and self._may_upgrade:
            self._upgrade(head[:end], events)
            return True
        self._interim += 1
        self._interim_size += end
        if not 100 <= status <= 199 or status == 101 or self._interim > MAX_INTERIM:
            raise ProtocolViolation(f"unexpected status {status}")
        self._partial_head = b""
        self._events = ParserEvents()
        self._parser = ResponseParser(self._events)
        return False

    def _upgrade(self, head: bytes, events: ParserEvents) -> None:
        """Hand everything after the head to another protocol (RFC 9110, section 7.8)."""
        self.status, self.head = HTTPStatus.SWITCHING_PROTOCOLS, head
        self.headers = tuple(events.fields)
        self.left = _UNTIL_CLOSE
        self._parser = None

    def _frame(self, parser: ResponseParser, events: ParserEvents) -> None:
        """Decide the length of the body (RFC 9112, section 6.3); only chunks need the parser."""
        self._parser = None
        is_chunked = self._obey_hops(events.hops) if events.hops else False
        self._measure(events.body)
        if self._is_head or self.status in WITHOUT_BODY:
            self.left, self.coding = 0, None
        elif is_chunked:
            self._chunks = ChunkedBody(parser, events, self._limits.max_header_bytes)

    def _measure(self, fields: list[tuple[bytes, bytes]]) -> None:
        """Read the length and the content coding of the body."""
        self.left = _UNTIL_CLOSE
        codings = []
        for name, value in fields:
            if name == b"content-length":
                self.left = int(value)
            else:
                codings.append(value)
        if codings:
            self.coding = content_coding(codings)

    def _obey_hops(self, hops: list[tuple[bytes, bytes]]) -> bool:
        """Apply the hop-by-hop fields; return whether the body is chunked."""
        is_chunked = False
        options = []
        for name, value in hops:
            if name == b"connection":
                options.append(value)
            elif name == b"transfer-encoding":
                self._check_chunked(value, is_chunked=is_chunked)
                is_chunked = True
        if options and not (self.is_reusable and options == [b"keep-alive"]):
            self._obey_options({token for value in options for token in tokens(value)})
        return is_chunked

    def _check_chunked(self, value: bytes, *, is_chunked: bool) -> None:
        is_http_1_1 = self.is_reusable
        if value.strip(b" \t").lower() != b"chunked" or is_chunked or not is_http_1_1:
            raise ProtocolViolation("a transfer coding that is not exactly chunked")

    def _obey_options(self, options: set[bytes]) -> None:
        """Apply a Connection field: close or not, and the fields that it names are dropped."""
        if self.is_reusable or b"keep-alive" in options:
            self.is_reusable = b"close" not in options
        named = options - _KNOWN_OPTIONS
        if named:
            self.headers = end_to_end(self.headers, named=named)

    def _feed_body(self, data: bytes) -> None:
        size = len(data)
        if size > self.left:
            data, size = data[: int(self.left)], int(self.left)
            self.is_reusable = False  # the surplus must not become the next response
        if size:
            self.pieces.append(data)
            self.received += size
            self.left -= size
        self.is_complete = self.left == 0

    def _feed_chunks(self, chunks: ChunkedBody, data: bytes) -> None:
        pieces = chunks.feed(data)
        self.received += sum(map(len, pieces))
        self.pieces += pieces
        if chunks.is_complete:
            self._chunks = None
            self.is_complete = True
            self.is_reusable = self.is_reusable and chunks.is_exact
