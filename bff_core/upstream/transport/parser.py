"""The parser of responses (llhttp), and the sorting of header fields for framing."""

from typing import Final

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from bff_core.upstream.transport.hop_by_hop import HOP_BY_HOP

_BODY_FIELDS: Final = frozenset({b"content-length", b"content-encoding"})
_MAX_CACHED_NAMES: Final = 1024
_MAX_NAME_BYTES: Final = 64

_ordinary: dict[bytes, bytes] = {}  # names that do not affect framing: lower-case by spelling


class ResponseParser(HttpResponseParser):
    """Node's llhttp with its strict defaults: parses heads and chunks, and calls `ParserEvents`."""

    __slots__ = ()

    errors = (HttpParserError, HttpParserUpgrade)
    """The exceptions that `feed_data` raises for bytes that are not HTTP."""

    upgrades = HttpParserUpgrade
    """The one that it raises after the head of a 101, whose bytes are of another protocol."""


class ParserEvents:
    """Collects what a parser reports about one message.

    It refers neither to the parser nor to the response: there is no reference cycle.
    """

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
        """Note a second message after the end of this one."""
        self.is_surplus = self.is_complete

    def on_header(self, name: bytes, value: bytes) -> None:
        """Store a field; separate the fields that framing depends on."""
        lowered = _ordinary.get(name)
        if lowered is not None:
            self.fields.append((lowered, value.rstrip(b" \t")))
        else:
            self._classify(name, value)

    def on_headers_complete(self) -> None:
        """Note the end of the head."""
        self.is_headed = True

    def on_body(self, data: bytes) -> None:
        """Store a piece of a chunk, unless it belongs to another message."""
        if not self.is_complete:
            self.pieces.append(data)

    def on_message_complete(self) -> None:
        """Note the end of the message."""
        self.is_complete = True

    def _classify(self, spelling: bytes, value: bytes) -> None:
        """Store a field that framing depends on, or whose name is new."""
        name = spelling.lower()
        if name in HOP_BY_HOP:
            self.hops.append((name, value))
            return
        self.fields.append((name, value.rstrip(b" \t")))
        if name in _BODY_FIELDS:
            self.body.append((name, value))
        elif len(_ordinary) < _MAX_CACHED_NAMES and len(spelling) <= _MAX_NAME_BYTES:
            _ordinary[spelling] = name
