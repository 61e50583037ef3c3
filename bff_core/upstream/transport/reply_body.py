"""Decodes the body of a reply while it arrives, up to a maximum size."""

from collections.abc import Iterator
from typing import Final

from bff_core.policy.upstream.connection import KIB, MIB
from bff_core.upstream.transport.content_coding import decoders
from bff_core.upstream.transport.failures import TooLarge, Undecodable
from bff_core.upstream.transport.gzip_and_deflate import ContentDecoder

_MAX_UNCAPPED_EXCESS_BYTES: Final = 8 * MIB
"""How many more bytes an inner coding may read than it yields, in a stream without a cap."""


class BodyDecoder:
    """Decodes the raw pieces of one body, up to `cap` bytes.

    Each of several codings has the cap: a bomb in one coding could shrink again in the next.
    """

    __slots__ = ("_cap", "_codings", "_raw_size", "_size")

    def __init__(self, coding: bytes | None, cap: int | None) -> None:
        self._codings = (
            [_Coding(one, cap, is_first=number == 0) for number, one in enumerate(decoders(coding))]
            if coding is not None
            else []
        )
        self._cap = cap
        self._size = self._raw_size = 0

    def decode(self, raw: bytes) -> Iterator[bytes]:
        """Yield the decoded pieces of a raw one; raise `Undecodable` or `TooLarge`."""
        self._raw_size += len(raw)
        pieces: Iterator[bytes] = iter((raw,))
        for stage in self._codings:
            pieces = stage.decode(pieces)
        for piece in pieces:
            self._size += len(piece)
            if self._cap is not None and self._size > self._cap:
                raise TooLarge(f"the body is larger than {self._cap} bytes")
            yield piece

    def end(self) -> None:
        """Raise `Undecodable` for a truncated coding; an empty body needs no coding."""
        if self._raw_size and not all(stage.is_complete for stage in self._codings):
            raise Undecodable("the coded body ended early")


class _Coding:
    """One coding of a body; counts the bytes that it reads and yields."""

    __slots__ = ("_cap", "_decoder", "_is_first", "_taken", "_yielded")

    def __init__(self, decoder: ContentDecoder, cap: int | None, *, is_first: bool) -> None:
        self._decoder = decoder
        self._cap = cap
        self._is_first = is_first
        self._taken = self._yielded = 0

    @property
    def is_complete(self) -> bool:
        """Whether the data ended at the end of its coding."""
        return self._decoder.is_complete

    def decode(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """Yield what the pieces decode to."""
        for piece in pieces:
            self._taken += len(piece)
            self._check_padding()
            for decoded in self._decoder.decode(piece):
                self._yielded += len(decoded)
                yield decoded

    def _check_padding(self) -> None:
        """Raise `TooLarge` if a coding reads far more than it yields, which might never end.

        In a stream without a cap, the network limits the bytes that the first coding reads. Inner
        codings read what others have expanded, without such a limit.
        """
        cap = self._cap
        if cap is not None and self._taken > cap + cap // 64 + KIB:
            raise TooLarge(f"the body is coded in far more than {cap} bytes")
        yielded = self._yielded
        is_bounded = cap is not None or self._is_first
        if not is_bounded and self._taken > yielded + yielded // 64 + _MAX_UNCAPPED_EXCESS_BYTES:
            raise TooLarge("an inner coding of the body decodes to almost nothing")
