"""The representations of a file: its bytes as they are, and with each content coding."""

import asyncio
import os
from collections.abc import Callable
from hashlib import sha256
from io import FileIO
from pathlib import Path
from typing import Final

from bff_core.call import Headers

NOT_IN_304: Final = frozenset(
    {b"accept-ranges", b"content-encoding", b"content-length", b"content-type"}
)
"""Headers of the content, which a 304 leaves out (RFC 9110, section 15.4.5)."""


class Representation:
    """Bytes that answer a request, with the headers of a 200; `body` is None if it is too large.

    `etag` is strong: that of a body in memory is a hash of it, so that all processes have the same.
    `open` opens the file of a large one; it returns None if the file has changed since.
    """

    __slots__ = ("body", "content_type", "etag", "headers", "known_headers", "open", "size")

    def __init__(
        self,
        content_type: bytes,
        shared: Headers,
        *,
        body: bytes | None,
        size: int,
        etag: bytes = b"",
        coding: bytes = b"",
        open_file: "Callable[[], FileIO | None] | None" = None,
    ) -> None:
        self.body = body
        self.size = size
        self.content_type = content_type
        self.open = open_file
        self.etag = etag or entity_tag_of(body or b"")
        self.headers = (
            (b"content-type", content_type),
            (b"content-length", b"%d" % size),
            (b"etag", self.etag),
            *(((b"content-encoding", coding),) if coding else ()),
            *shared,
        )
        self.known_headers = tuple(one for one in self.headers if one[0] not in NOT_IN_304)


def entity_tag_of(body: bytes) -> bytes:
    """Return a strong entity tag of a whole body."""
    return b'"%b"' % sha256(body).hexdigest()[:32].encode()


class FileReader:
    """Reads an open file piece by piece in threads; it is closed after the piece under way."""

    __slots__ = ("_file", "_reading")

    def __init__(self, file: FileIO) -> None:
        self._file = file
        self._reading: asyncio.Future[bytes] | None = None

    @classmethod
    async def opened(cls, open_file: "Callable[[], FileIO | None]") -> "FileReader | None":
        """Open a file in a thread; None if it has changed."""
        opening = asyncio.get_running_loop().run_in_executor(None, open_file)
        try:
            file = await asyncio.shield(opening)
        except asyncio.CancelledError:
            opening.add_done_callback(_close_opened)
            raise
        return None if file is None else cls(file)

    async def read(self, start: int, size: int) -> bytes:
        """Return bytes from a place; raise `FileTruncated` if there are none any more."""
        loop = asyncio.get_running_loop()
        self._reading = loop.run_in_executor(None, _read_at, self._file, start, size)
        # Cancelled by a client that leaves, it still ends before the file is closed.
        piece = await asyncio.shield(self._reading)
        if not piece:
            raise FileTruncated(f"{self._file.name} became shorter while it was sent")
        return piece

    def close(self) -> None:
        """Close the file, now or when the thread has read its piece."""
        if self._reading is None or self._reading.done():
            self._file.close()
        else:
            self._reading.add_done_callback(self._close_after)

    def _close_after(self, read: "asyncio.Future[bytes]") -> None:
        self._file.close()
        if not read.cancelled():
            read.exception()  # without a look at it, asyncio would report it


def _close_opened(opening: "asyncio.Future[FileIO | None]") -> None:
    if not opening.cancelled() and opening.exception() is None:
        file = opening.result()
        if file is not None:
            file.close()


class FileTruncated(Exception):
    """A file became shorter while it was sent: the answer is cut off, never filled up."""


def _read_at(file: FileIO, start: int, size: int) -> bytes:
    file.seek(start)
    return file.read(size) or b""


def open_regular(path: Path) -> FileIO:
    """Open a regular file without waiting for a writer, as a pipe would; raises `OSError`."""
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
    flags |= getattr(os, "O_BINARY", 0)
    return FileIO(os.open(path, flags))
