"""Content codings undone piece by piece, so that a small body can't become a huge one unseen.

A decoder yields pieces; whoever counts them stops reading and thereby stops the decoding. Pieces
hold about 64 KiB at most, those of zstd 8 MiB: its library knows no limit, so it is fed in slices.
A body may consist of many parts that hold next to nothing: they are counted, too.
"""

import zlib
from collections.abc import Callable, Iterator
from typing import Final, Protocol

import brotli  # type: ignore[import-untyped]  # it ships no types
import zstandard

from bff_core.upstream.transport.failures import Undecodable

PIECE: Final = 64 * 1024
MAX_CODINGS: Final = 5
"""How many codings one body may have, as many as curl accepts."""
_GZIP_WINDOW: Final = 31  # zlib's code for "32 KiB window, gzip header and trailer"
_ZSTD_WINDOW: Final = 8 * 1024 * 1024  # the most that RFC 9659 allows for this coding
_ZSTD_SLICE: Final = 256  # 64 blocks of 128 KiB at most, as a block takes four bytes or more


_FREE_PARTS: Final = 128
_FAIR_PART: Final = 1024
"""Decoded bytes: to begin a part takes about as long as to decode so many."""


class Decoder(Protocol):
    """Undoes one coding."""

    @property
    def is_complete(self) -> bool:
        """Whether the data ended where the coding says that it ends."""
        ...

    def decode(self, data: bytes, /) -> Iterator[bytes]:
        """Yield what `data` decodes to; raise `Undecodable`."""
        ...


def decoders(codings: bytes) -> list[Decoder]:
    """Return new decoders for a Content-Encoding, in lower case, in the order of their use.

    The coding that was applied last is listed last (RFC 9110, section 8.4) and decoded first.
    Raises `Undecodable` for a coding that is unknown, and for a longer list than anyone needs.
    """
    listed = codings.split(b", ")
    if len(listed) > MAX_CODINGS:
        raise Undecodable(f"more than {MAX_CODINGS} content codings")
    return [_decoder(coding) for coding in reversed(listed)]


def _decoder(coding: bytes) -> Decoder:
    create = _DECODERS.get(coding)
    if create is None:
        raise Undecodable(f"unknown content coding {coding.decode('latin-1')!r}")
    return create()


class Parts:
    """Counts the members or frames of a body: a megabyte of empty ones would block the loop."""

    __slots__ = ("_left",)

    def __init__(self) -> None:
        self._left = _FREE_PARTS * _FAIR_PART

    def begin(self) -> None:
        """Note that a part begins; raise `Undecodable` when all together hold too little."""
        self._left -= _FAIR_PART
        if self._left < 0:
            raise Undecodable("many parts with next to nothing in them")

    def take(self, piece: bytes) -> None:
        """Note what a part holds."""
        self._left += len(piece)


class Gzip:
    """RFC 1952, of one member or several."""

    def __init__(self) -> None:
        self._parts = Parts()
        self._member = zlib.decompressobj(wbits=_GZIP_WINDOW)

    @property
    def is_complete(self) -> bool:
        """Whether the last member ended."""
        return self._member.eof

    def decode(self, data: bytes) -> Iterator[bytes]:
        """Yield pieces; a full one means that zlib may hold back more of the same input."""
        piece = b""
        while data or len(piece) == PIECE:
            if data and self._member.eof:
                self._parts.begin()
                self._member = zlib.decompressobj(wbits=_GZIP_WINDOW)
            try:
                piece = self._member.decompress(data, PIECE)
            except zlib.error as error:
                raise Undecodable(f"gzip: {error}") from error
            data = self._member.unconsumed_tail or self._member.unused_data
            if piece:
                self._parts.take(piece)
                yield piece


class Deflate:
    """RFC 1950, or RFC 1951 alone, as some servers send it in spite of RFC 9110, section 8.4.1.2.

    The first byte decides. One that names zlib's method would begin a block of RFC 1951 that no
    encoder writes.
    """

    def __init__(self) -> None:
        self._stream: zlib._Decompress | None = None

    @property
    def is_complete(self) -> bool:
        """Whether the stream ended."""
        return self._stream is not None and self._stream.eof

    def decode(self, data: bytes) -> Iterator[bytes]:
        """Yield pieces; a full one means that zlib may hold back more of the same input."""
        if data and self._stream is None:
            is_zlib = data[0] & 15 == zlib.DEFLATED
            self._stream = zlib.decompressobj(zlib.MAX_WBITS if is_zlib else -zlib.MAX_WBITS)
        stream, piece = self._stream, b""
        while stream is not None and (data or len(piece) == PIECE):
            if data and stream.eof:
                raise Undecodable("deflate: data after the end")
            try:
                piece = stream.decompress(data, PIECE)
            except zlib.error as error:
                raise Undecodable(f"deflate: {error}") from error
            data = stream.unconsumed_tail or stream.unused_data
            if piece:
                yield piece


class Brotli:
    """RFC 7932."""

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
                piece = self._stream.process(data, output_buffer_limit=PIECE)
            except brotli.error as error:
                raise Undecodable(f"br: {error}") from error
            data = b""
            is_drained = not piece and self._stream.can_accept_more_data()
            if piece:
                yield piece


class Zstd:
    """RFC 8878, of one frame or several."""

    def __init__(self) -> None:
        self._parts = Parts()
        self._library = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW)
        self._frame = self._library.decompressobj()

    @property
    def is_complete(self) -> bool:
        """Whether the last frame ended."""
        return self._frame.eof

    def decode(self, data: bytes) -> Iterator[bytes]:
        """Yield what each slice decodes to; what a frame leaves unused begins the next one."""
        position = 0
        while position < len(data):
            if self._frame.eof:
                self._parts.begin()
                self._frame = self._library.decompressobj()
            part = data[position : position + _ZSTD_SLICE]
            try:
                piece = self._frame.decompress(part)
            except zstandard.ZstdError as error:
                raise Undecodable(f"zstd: {error}") from error
            position += len(part) - len(self._frame.unused_data)
            if piece:
                self._parts.take(piece)
                yield piece


_DECODERS: dict[bytes, Callable[[], Decoder]] = {
    b"gzip": Gzip,
    b"x-gzip": Gzip,
    b"deflate": Deflate,
    b"br": Brotli,
    b"zstd": Zstd,
}

ENCODERS: dict[bytes, Callable[[bytes], bytes]] = {
    b"zstd": lambda data: zstandard.compress(data, 3),
    b"br": lambda data: brotli.compress(data, quality=4),
    b"gzip": lambda data: zlib.compress(data, 5, wbits=_GZIP_WINDOW),
}
"""Each applies one coding to a whole body; the first is the one we like best."""
