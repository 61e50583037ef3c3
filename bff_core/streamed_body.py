"""Request bodies that are read while they are sent."""

from collections.abc import AsyncGenerator, AsyncIterable, Callable

Chunks = AsyncIterable[bytes] | Callable[[], AsyncIterable[bytes]]
"""A body in pieces: an async iterator, which is read once, or a function that returns one."""


class StreamedBody:
    """A request body that is read while it is sent.

    `chunks` is an async iterator, or a function that returns a new one. Only with a function can
    the body be sent again. `length` in bytes is sent as Content-Length, and checked; without it the
    body is sent in chunks. `is_awaited` is True while its next piece is: the service can't answer
    then.
    """

    __slots__ = ("_chunks", "_was_read", "is_awaited", "length")

    def __init__(self, chunks: Chunks, length: int | None = None) -> None:
        if not (isinstance(chunks, AsyncIterable) or callable(chunks)):
            raise TypeError(
                f"a streamed body is of type {type(chunks).__name__}: pass an async iterator of "
                "bytes, or a function that returns one"
            )
        self._chunks = chunks
        self._was_read = False
        self.is_awaited = False
        self.length = length

    @property
    def is_replayable(self) -> bool:
        """Whether each attempt can read it from its beginning."""
        return not isinstance(self._chunks, AsyncIterable)

    @property
    def can_be_opened(self) -> bool:
        """Whether it has not been read yet, or can be read again."""
        return self.is_replayable or not self._was_read

    async def open(self) -> AsyncGenerator[bytes]:
        """Yield the pieces from the beginning, without empty ones.

        Raises what the iterator raises, `TypeError` for a piece that is not bytes, and `ValueError`
        if the pieces have more or less than `length` bytes.
        """
        if not self.can_be_opened:
            raise RuntimeError("this body can be read once: pass a function that returns a new one")
        self._was_read = True
        chunks = self._chunks if isinstance(self._chunks, AsyncIterable) else self._chunks()
        iterator = aiter(chunks)
        size = 0
        try:
            self.is_awaited = True
            async for chunk in iterator:
                self.is_awaited = False
                size += _size(chunk)
                self._check_size(size, is_whole=False)
                if chunk:
                    yield chunk
                self.is_awaited = True
            self.is_awaited = False
        finally:
            close = getattr(iterator, "aclose", None)
            if close is not None:
                await close()
        self._check_size(size, is_whole=True)

    def _check_size(self, size: int, *, is_whole: bool) -> None:
        if self.length is not None and (size > self.length or (is_whole and size < self.length)):
            word = "less" if size < self.length else "more"
            raise ValueError(f"the body has {word} than the {self.length} bytes of its length")


def _size(chunk: bytes) -> int:
    if not isinstance(chunk, bytes | bytearray):
        raise TypeError(f"a piece of a body is of type {type(chunk).__name__}: yield bytes")
    return len(chunk)
