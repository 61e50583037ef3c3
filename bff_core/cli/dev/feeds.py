"""The Unix sockets of a run: gateways report requests on one, and serve commands on others."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Final, Self

import msgspec

from bff_core.observe.connections import Connections
from bff_core.observe.dev_lines import TRACES_VARIABLE
from bff_core.observe.process_socket import SOCKETS_VARIABLE
from bff_core.observe.request_records import RequestRecord
from bff_core.observe.sockets_folder import temporary_folder

MAX_LINE_BYTES: Final = 1 << 22


class Feeds:
    """The sockets of a run, in a folder of their own."""

    def __init__(self, on_request: Callable[[str, RequestRecord], None]) -> None:
        self._on_request = on_request
        self._closing = ExitStack()
        self._folder = self._closing.enter_context(temporary_folder())
        self._folders: dict[str, Path] = {}
        self._servers: list[asyncio.Server] = []
        self._followed: list[Connections] = []
        self._decode = msgspec.json.Decoder(RequestRecord).decode

    async def __aenter__(self) -> Self:
        """Open the folder."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the sockets, and remove the folder."""
        for server in self._servers:
            server.close()
        for one in self._followed:
            await one.aclose()
        self._closing.close()

    async def open(self, name: str) -> Mapping[str, str]:
        """Open the sockets of a gateway; return the variables that it needs to find them."""
        path = str(self._folder / f"{len(self._servers)}")

        async def follow(lines: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                while line := await lines.readline():
                    self._on_request(name, self._decode(line))
            except (ValueError, msgspec.DecodeError):
                pass  # the last line of a process that was killed
            finally:
                writer.close()

        connections = Connections(follow)
        server = await asyncio.start_unix_server(connections, path, limit=MAX_LINE_BYTES)
        self._servers.append(server)
        self._followed.append(connections)
        folder = self.folder_of(name)
        folder.mkdir()
        return {TRACES_VARIABLE: path, SOCKETS_VARIABLE: str(folder)}

    def folder_of(self, name: str) -> Path:
        """Return the folder in which the processes of a gateway serve commands."""
        # A number: a long name would make the paths of sockets too long.
        default = self._folder / f"p{len(self._folders)}"
        return self._folders.setdefault(name, default)
