"""A service on a real socket that answers by a table, for clients of either transport."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

Said = tuple[int, list[str], bytes]
"""Status, lines of header fields, body."""


@dataclass
class Service:
    """What is answered to "GET /path?query"; `requests` holds each as head and body."""

    answers: dict[str, Said | list[Said]] = field(default_factory=dict)
    requests: list[tuple[str, bytes]] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        """Where it is called."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def lines(self) -> list[str]:
        """The method and target of each request."""
        return [head.split(" HTTP/")[0] for head, _ in self.requests]

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection."""
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                fields = [line.partition(":") for line in head.lower().splitlines()]
                length = next((int(n) for name, _, n in fields if name == "content-length"), 0)
                self.requests.append((head, await reader.readexactly(length)))
                writer.write(self._answer(head.split(" HTTP/")[0]))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def _answer(self, line: str) -> bytes:
        said = self.answers.get(line, (404, [], b""))
        if isinstance(said, list):
            said = said.pop(0) if len(said) > 1 else said[0]
        status, lines, body = said
        length = [] if status == 204 else [f"content-length: {len(body)}"]
        head = [f"HTTP/1.1 {status} Said", *length, *lines]
        return "\r\n".join([*head, "", ""]).replace("{port}", str(self.port)).encode() + body


@asynccontextmanager
async def serving(answers: dict[str, Said | list[Said]]) -> AsyncIterator[Service]:
    """Serve until the context is left; "{port}" in a header is the service's own."""
    service = Service(answers)
    async with await asyncio.start_server(service.accept, "127.0.0.1", 0) as server:
        service.port = server.sockets[0].getsockname()[1]
        yield service
