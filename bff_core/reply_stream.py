"""Reply bodies that are read while they arrive."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Self

OnEnd = Callable[[BaseException | None], None]
"""Is called once when a body ends: with None, its error, or `CancelledError` if it was closed."""


class ReplyStream:
    """The body of a streamed reply: decoded bytes, read once, owned by one reader.

    Iterate it, and close it in any case: to close it early closes the connection, so that the
    service notices. Reading pauses at the socket while the reader does not iterate. Iterating
    raises `TransportFailed` when the body breaks off or is silent for too long, `BadPayload` when
    it can't be decoded or is too large, and `DeadlineExceeded` when it takes too long in all.
    `size` counts the bytes that were read.
    """

    __slots__ = ("_chunks", "_close", "_error", "_on_end", "is_over", "size")

    def __init__(
        self, chunks: AsyncIterator[bytes], close: Callable[[], Awaitable[None]] | None = None
    ) -> None:
        self._chunks = chunks
        self._close = close
        self._on_end: list[OnEnd] = []
        self._error: BaseException | None = None
        self.is_over = False
        self.size = 0

    def __repr__(self) -> str:
        return f"<stream, {'over' if self.is_over else 'open'}>"

    def on_end(self, call_back: OnEnd) -> None:
        """Call a function when the body has ended: whole, broken off, or left by its reader."""
        if self.is_over:
            call_back(self._error)
        else:
            self._on_end.append(call_back)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        try:
            chunk = await anext(self._chunks)
        except StopAsyncIteration:
            self._end(None)
            raise
        except Exception as error:
            self._end(error)
            raise
        self.size += len(chunk)
        return chunk

    def fail(self, error: Exception) -> None:
        """End the body with an error, though its reader may not be reading now."""
        self._end(error)

    async def aclose(self) -> None:
        """End the body; whatever has not arrived is not read."""
        self._end(asyncio.CancelledError())
        close, self._close = self._close, None
        if close is not None:
            await close()

    def _end(self, error: BaseException | None) -> None:
        if not self.is_over:
            self.is_over, self._error = True, error
            for call_back in self._on_end:
                call_back(error)
            self._on_end.clear()
