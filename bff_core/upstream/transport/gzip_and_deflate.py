"""Content decoding (gzip, deflate) piece by piece, safe against decompression bombs.

A decoder yields pieces; the consumer counts their bytes, and may stop at any piece. A piece has at
most about 64 KiB. The number of almost empty members or frames is limited, too.
"""

import zlib
from collections.abc import Iterator
from typing import Final, Protocol

from bff_core.upstream.transport.failures import Undecodable

PIECE_BYTES: Final = 64 * 1024
GZIP_WBITS: Final = 31  # zlib's code for "32 KiB window, gzip header and trailer"

_MAX_EMPTY_PARTS: Final = 128
_PART_COST_BYTES: Final = 1024
"""To begin a part takes about as long as to decode this many bytes."""


class ContentDecoder(Protocol):
    """Decodes one content coding."""

    @property
    def is_complete(self) -> bool:
        """Whether the data ended at the end of its coding."""
        ...

    def decode(self, data: bytes, /) -> Iterator[bytes]:
        """Yield what `data` decodes to; raise `Undecodable`."""
        ...


class PartLimit:
    """Limits the almost empty members or frames of a body, which would block the event loop."""

    __slots__ = ("_left",)

    def __init__(self) -> None:
        self._left = _MAX_EMPTY_PARTS * _PART_COST_BYTES

    def begin(self) -> None:
        """Count a part that begins; raise `Undecodable` after too many that are almost empty."""
        self._left -= _PART_COST_BYTES
        if self._left < 0:
            raise Undecodable("too many parts that are almost empty")

    def take(self, piece: bytes) -> None:
        """Count the decoded bytes of a part."""
        self._left += len(piece)


class Gzip:
    """Decodes gzip (RFC 1952), of one member or several."""

    def __init__(self) -> None:
        self._parts = PartLimit()
        self._member = zlib.decompressobj(wbits=GZIP_WBITS)

    @property
    def is_complete(self) -> bool:
        """Whether the last member ended."""
        return self._member.eof

    def decode(self, data: bytes) -> Iterator[bytes]:
        """Yield pieces; after a full one zlib may have more output for the same input."""
        piece = b""
        while data or len(piece) == PIECE_BYTES:
            if data and self._member.eof:
                self._parts.begin()
                self._member = zlib.decompressobj(wbits=GZIP_WBITS)
            try:
                piece = self._member.decompress(data, PIECE_BYTES)
            except zlib.error as error:
                raise Undecodable(f"gzip: {error}") from error
            data = self._member.unconsumed_tail or self._member.unused_data
            if piece:
                self._parts.take(piece)
                yield piece


class Deflate:
    """Decodes deflate in zlib format (RFC 1950), or raw (RFC 1951) as some servers send it.

    RFC 9110, section 8.4.1.2, forbids the raw form. The first byte decides: no encoder begins a raw
    stream with the byte of a zlib header.
    """

    def __init__(self) -> None:
        self._stream: zlib._Decompress | None = None

    @property
    def is_complete(self) -> bool:
        """Whether the stream ended."""
        return self._stream is not None and self._stream.eof

    def decode(self, data: bytes) -> Iterator[bytes]:
        """Yield pieces; after a full one zlib may have more output for the same input."""
        if data and self._stream is None:
            is_zlib = data[0] & 15 == zlib.DEFLATED
            self._stream = zlib.decompressobj(zlib.MAX_WBITS if is_zlib else -zlib.MAX_WBITS)
        stream, piece = self._stream, b""
        while stream is not None and (data or len(piece) == PIECE_BYTES):
            if data and stream.eof:
                raise Undecodable("deflate: data after the end")
            try:
                piece = stream.decompress(data, PIECE_BYTES)
            except zlib.error as error:
                raise Undecodable(f"deflate: {error}") from error
            data = stream.unconsumed_tail or stream.unused_data
            if piece:
                yield piece
