"""Content decoding of br and zstd, which the extra `compression` installs.

A piece of zstd has up to 8 MiB: the library has no limit for its output, and gets the input in
slices.
"""

from collections.abc import Iterator
from typing import Final

import brotli  # type: ignore[import-untyped]  # it ships no types
import zstandard

from bff_core.upstream.transport.failures import Undecodable
from bff_core.upstream.transport.gzip_and_deflate import PIECE_BYTES, PartLimit

_ZSTD_WINDOW_BYTES: Final = 8 * 1024 * 1024  # the most that RFC 9659 allows for this coding
_ZSTD_SLICE_BYTES: Final = 256  # 64 blocks of 128 KiB at most, as a block takes four bytes or more


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


def brotli_of(data: bytes) -> bytes:
    """Encode a complete body with Brotli."""
    encoded: bytes = brotli.compress(data, quality=4)
    return encoded


def zstd_of(data: bytes) -> bytes:
    """Encode a complete body with Zstandard."""
    return zstandard.compress(data, 3)
