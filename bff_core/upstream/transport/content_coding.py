"""Content decoding (gzip, deflate, br, zstd) piece by piece, safe against decompression bombs.

A decoder yields pieces; the consumer counts their bytes, and may stop at any piece. A piece has at
most about 64 KiB. With zstd it has up to 8 MiB: that library has no limit for its output, and gets
the input in slices. The number of almost empty members or frames is limited, too.
"""

import zlib
from collections.abc import Callable, Iterator
from typing import Final, Protocol

import brotli  # type: ignore[import-untyped]  # it ships no types
import zstandard

from bff_core.upstream.transport.failures import Undecodable

PIECE_BYTES: Final = 64 * 1024
MAX_CODINGS: Final = 5
"""How many codings one body may have, as many as curl accepts."""
_GZIP_WBITS: Final = 31  # zlib's code for "32 KiB window, gzip header and trailer"
_ZSTD_WINDOW_BYTES: Final = 8 * 1024 * 1024  # the most that RFC 9659 allows for this coding
_ZSTD_SLICE_BYTES: Final = 256  # 64 blocks of 128 KiB at most, as a block takes four bytes or more


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


def decoders(codings: bytes) -> list[ContentDecoder]:
    """Return new decoders for a Content-Encoding, in lower case, in the order of their use.

    The coding that was applied last is listed last (RFC 9110, section 8.4) and decoded first.
    Raises `Undecodable` for an unknown coding, and for more than `MAX_CODINGS`.
    """
    listed = codings.split(b", ")
    if len(listed) > MAX_CODINGS:
        raise Undecodable(f"more than {MAX_CODINGS} content codings")
    return [_decoder(coding) for coding in reversed(listed)]


def _decoder(coding: bytes) -> ContentDecoder:
    create = _DECODERS.get(coding)
    if create is None:
        raise Undecodable(f"unknown content coding {coding.decode('latin-1')!r}")
    return create()


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
        self._member = zlib.decompressobj(wbits=_GZIP_WBITS)

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
                self._member = zlib.decompressobj(wbits=_GZIP_WBITS)
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


class Brotli:
    """Decodes Brotli (RFC 7932)."""

    def __init__(self) -> None:
        self._stream = brotli.Decompressor()

    @property
    def is_complete(self) -> bool:
        """Whether the stream ended."""
        return bool(self._stream.is_finished())

    def decode(self, data: bytes) -> Iterator[bytes]:
        """Yield pieces until the library has no more of the same input."""
        if data and self.is_complete:
            raise Undecodable("br: data after the end")
        is_drained = not data
        while not is_drained:
            try:
                piece = self._stream.process(data, output_buffer_limit=PIECE_BYTES)
            except brotli.error as error:
                raise Undecodable(f"br: {error}") from error
            data = b""
            is_drained = not piece and self._stream.can_accept_more_data()
            if piece:
                yield piece


class Zstd:
    """Decodes Zstandard (RFC 8878), of one frame or several."""

    def __init__(self) -> None:
        self._parts = PartLimit()
        self._library = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW_BYTES)
        self._frame = self._library.decompressobj()

    @property
    def is_complete(self) -> bool:
        """Whether the last frame ended."""
        return self._frame.eof

    def decode(self, data: bytes) -> Iterator[bytes]:
        """Yield the decoded slices; the unused rest of a slice begins the next frame."""
        position = 0
        while position < len(data):
            if self._frame.eof:
                self._parts.begin()
                self._frame = self._library.decompressobj()
            part = data[position : position + _ZSTD_SLICE_BYTES]
            try:
                piece = self._frame.decompress(part)
            except zstandard.ZstdError as error:
                raise Undecodable(f"zstd: {error}") from error
            position += len(part) - len(self._frame.unused_data)
            if piece:
                self._parts.take(piece)
                yield piece


_DECODERS: dict[bytes, Callable[[], ContentDecoder]] = {
    b"gzip": Gzip,
    b"x-gzip": Gzip,
    b"deflate": Deflate,
    b"br": Brotli,
    b"zstd": Zstd,
}

ENCODERS: dict[bytes, Callable[[bytes], bytes]] = {
    b"zstd": lambda data: zstandard.compress(data, 3),
    b"br": lambda data: brotli.compress(data, quality=4),
    b"gzip": lambda data: zlib.compress(data, 5, wbits=_GZIP_WBITS),
}
"""Functions that encode a complete body; the first coding is preferred."""
