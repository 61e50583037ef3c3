"""A client that shares no code with the framework: what it reads is what was on the wire."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Self

HOST = "127.0.0.1"
LARGEST_HEAD = 1024 * 1024


class Cut(Exception):
    """The connection ended before the answer did."""


@dataclass(frozen=True)
class Answer:
    """A whole response; `seconds` from the first byte sent to the last one read."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    seconds: float

    def json(self) -> Any:
        """Return the body as JSON."""
        return json.loads(self.body)

    @property
    def parts(self) -> dict[str, str]:
        """Return the states of the parts that the answer reports."""
        states = self.headers.get("part-status", "")
        pairs = (
            item.partition(";")[0].strip().partition("=") for item in states.split(",") if item
        )
        return {name: state for name, _, state in pairs}


@dataclass
class Line:
    """One connection to a process, open between requests, opened anew when it was closed."""

    port: int
    within: float = 30.0
    opened: int = 0
    _reader: asyncio.StreamReader | None = None
    _writer: asyncio.StreamWriter | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()

    @property
    def is_open(self) -> bool:
        """Whether the next request goes over a connection that was used before."""
        return self._reader is not None and not self._reader.at_eof()

    async def ask(
        self,
        path: str,
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> Answer:
        """Send one request and read its whole answer; raises `Cut` when the answer has no end."""
        request = rendered(path, method=method, headers=headers, body=body)
        async with asyncio.timeout(self.within):
            reader, writer = await self._open()
            began = time.monotonic()
            try:
                writer.write(request)
                answer = await _read(reader, began, is_head=method == "HEAD")
            except (asyncio.IncompleteReadError, ConnectionError) as end:
                self.close()
                raise Cut(f"{method} {path}: {end!r}") from end
            except BaseException:
                self.close()
                raise
        if answer.headers.get("connection") == "close":
            self.close()
        return answer

    async def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._reader is None or self._writer is None or not self.is_open:
            self.close()
            self._reader, self._writer = await asyncio.open_connection(
                HOST, self.port, limit=LARGEST_HEAD
            )
            self.opened += 1
        return self._reader, self._writer

    def close(self) -> None:
        """Leave without a word."""
        if self._writer is not None:
            self._writer.transport.abort()
        self._reader = self._writer = None


async def ask(port: int, path: str, *, within: float = 30.0, **request: Any) -> Answer:
    """Ask one thing over a connection of its own."""
    async with Line(port, within) as line:
        return await line.ask(path, **request)


@asynccontextmanager
async def raw(port: int) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """Open a connection for what no client would send."""
    reader, writer = await asyncio.open_connection(HOST, port, limit=LARGEST_HEAD)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


def rendered(
    path: str,
    *,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
) -> bytes:
    """Return a request as it goes over the wire."""
    fields = {"host": "localhost", **(headers or {})}
    if body is not None:
        fields["content-length"] = str(len(body))
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items())]
    return "\r\n".join((*lines, "", "")).encode("latin-1") + (body or b"")


async def read_answer(reader: asyncio.StreamReader) -> Answer:
    """Read one answer to a GET."""
    return await _read(reader, time.monotonic(), is_head=False)


async def _read(reader: asyncio.StreamReader, began: float, *, is_head: bool) -> Answer:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.split("\r\n")
    status = int(first.split(" ")[1])
    pairs = (line.partition(":") for line in lines if line)
    headers = {name.lower(): value.strip() for name, _, value in pairs}
    if is_head or status in {204, 304}:
        body = b""
    elif headers.get("transfer-encoding") == "chunked":
        body = b"".join([chunk async for chunk in chunks(reader)])
    elif "content-length" in headers:
        body = await reader.readexactly(int(headers["content-length"]))
    else:
        body = await reader.read()
    return Answer(status, headers, body, time.monotonic() - began)


async def chunks(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    """Yield the chunks of a body (RFC 9112, section 7.1)."""
    while size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
        yield (await reader.readexactly(size + 2))[:-2]
    await reader.readuntil(b"\r\n")
