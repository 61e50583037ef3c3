"""What a parser of responses is, and what it reports: header fields, each put where it belongs."""

from collections.abc import Callable
from typing import Final, Protocol

from bff_core.upstream.transport.hop_by_hop import HOP_BY_HOP

_BODY_FIELDS: Final = frozenset({b"content-length", b"content-encoding"})
_MEMORY: Final = 1024  # spellings
_LONGEST: Final = 64  # bytes

_ordinary: dict[bytes, bytes] = {}  # field names that framing need not know, by their spelling


class Parser(Protocol):
    """Reads heads and chunks, strictly."""

    @property
    def errors(self) -> tuple[type[Exception], ...]:
        """What it raises where bytes are no HTTP."""
        ...

    def feed_data(self, data: bytes, /) -> None:
        """Take bytes and call the events; raise one of `errors`."""
        ...

    def get_status_code(self) -> int:
        """Return the status, once the head is complete."""
        ...


class ParserEvents:
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
        lowered = _ordinary.get(name)
        if lowered is not None:
            self.fields.append((lowered, value.rstrip(b" \t")))
        else:
            self._classify(name, value)

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

    def _classify(self, spelling: bytes, value: bytes) -> None:
        """Keep a field of a name that matters, or that was not seen before."""
        name = spelling.lower()
        if name in HOP_BY_HOP:
            self.hops.append((name, value))
            return
        self.fields.append((name, value.rstrip(b" \t")))
        if name in _BODY_FIELDS:
            self.body.append((name, value))
        elif len(_ordinary) < _MEMORY and len(spelling) <= _LONGEST:
            _ordinary[spelling] = name


ParserFactory = Callable[[ParserEvents], Parser]
