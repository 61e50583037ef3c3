"""The body of a reply on its way up: decoded as it comes, counted against its cap."""

from collections.abc import Iterator

from bff_core.policy.connection import KIB
from bff_core.upstream.transport.coding import decoder
from bff_core.upstream.transport.failures import TooLarge, Undecodable


class Content:
    """Turns the raw pieces of one coded body into decoded ones, never more than `cap` bytes."""

    __slots__ = ("_cap", "_decoder", "_raw_size", "_size")

    def __init__(self, coding: bytes | None, cap: int | None) -> None:
        self._decoder = None if coding is None else decoder(coding)
        self._cap = cap
        self._size = self._raw_size = 0

    def decode(self, raw: bytes) -> Iterator[bytes]:
        """Yield the decoded pieces of a raw one; raise `Undecodable` or `TooLarge`."""
        self._raw_size += len(raw)
        if self._decoder is not None:
            self._check_padding()
        for piece in (raw,) if self._decoder is None else self._decoder.decode(raw):
            self._size += len(piece)
            if self._cap is not None and self._size > self._cap:
                raise TooLarge(f"the body is larger than {self._cap} bytes")
            yield piece

    def _check_padding(self) -> None:
        """No coding makes a body much larger; where one does, it may go on without end."""
        cap = self._cap
        if cap is not None and self._raw_size > cap + cap // 64 + KIB:
            raise TooLarge(f"the body is coded in far more than {cap} bytes")

    def end(self) -> None:
        """Check that the body ended where its coding ends; an empty body needs no coding."""
        if self._decoder is not None and self._raw_size and not self._decoder.is_complete:
            raise Undecodable("the coded body ended early")
