"""Receives the requests that gateways report: a Unix socket for each of them."""

import asyncio
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final, Self

import msgspec

from bff_core.observe.request_records import RequestRecord

MAX_LINE_BYTES: Final = 1 << 22


class Feeds:
    """The sockets of a run, in a folder of their own."""

    def __init__(self, on_request: Callable[[str, RequestRecord], None]) -> None:
        self._on_request = on_request
        self._folder = tempfile.TemporaryDirectory(prefix="bff-")
        self._servers: list[asyncio.Server] = []
        self._decode = msgspec.json.Decoder(RequestRecord).decode

    async def __aenter__(self) -> Self:
        """Open the folder."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the sockets, and remove the folder."""
        for server in self._servers:
            server.close()
        self._folder.cleanup()

    async def open(self, name: str) -> str:
        """Open the socket of a gateway; return its path."""
        path = str(Path(self._folder.name) / f"{len(self._servers)}")

        async def follow(lines: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                while line := await lines.readline():
                    self._on_request(name, self._decode(line))
            except (ValueError, msgspec.DecodeError):
                pass  # the last line of a process that was killed
            finally:
                writer.close()

        server = await asyncio.start_unix_server(follow, path, limit=MAX_LINE_BYTES)
        self._servers.append(server)
        return path
