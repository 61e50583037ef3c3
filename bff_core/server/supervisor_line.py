"""A worker's side of the socket that connects it to its supervisor; see `reload_rounds`."""

import asyncio
import socket
from collections.abc import Callable
from typing import Self


def _ignore(_line: str) -> None:
    """Take a line before the gateway serves."""


class SupervisorLine:
    """Sends and takes lines; `on_end` is called when the supervisor has ended.

    `take` is called with each line. It is replaced once the gateway serves.
    """

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        on_end: Callable[[], None],
    ) -> None:
        self.take: Callable[[str], None] = _ignore
        self._writer = writer
        self._listening = asyncio.create_task(self._listen(reader, on_end))

    @classmethod
    async def open(cls, descriptor: int, on_end: Callable[[], None]) -> Self:
        """Listen on an inherited socket."""
        line = socket.socket(fileno=descriptor)
        line.setblocking(False)
        return cls(*await asyncio.open_connection(sock=line), on_end)

    def say(self, line: str) -> None:
        """Send a line."""
        self._writer.write(f"{line}\n".encode())

    async def _listen(self, reader: asyncio.StreamReader, on_end: Callable[[], None]) -> None:
        try:
            while read := await reader.readline():
                self.take(read.decode().rstrip("\n"))
        except OSError:  # it was killed while it wrote
            pass
        on_end()
