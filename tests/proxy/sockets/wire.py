"""Web sockets byte by byte: frames, a raw client, and raw services; without any library."""

import asyncio
import base64
import contextlib
import hashlib
import os
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Self

PATIENCE = 10.0
"""How long any read of a test waits (seconds)."""

CONT, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def frame(
    opcode: int,
    payload: bytes = b"",
    *,
    fin: bool = True,
    rsv: int = 0,
    masked: bool = True,
    size: int | None = None,
) -> bytes:
    """Return one frame; `size` is the length that it declares, if that is not its own."""
    length = len(payload) if size is None else size
    first = (0x80 if fin else 0) | rsv << 4 | opcode
    mark = 0x80 if masked else 0
    if length < 126:
        head = struct.pack("!BB", first, mark | length)
    elif length < 65536:
        head = struct.pack("!BBH", first, mark | 126, length)
    else:
        head = struct.pack("!BBQ", first, mark | 127, length)
    if not masked:
        return head + payload
    key = os.urandom(4)
    stream = (key * (len(payload) // 4 + 1))[: len(payload)]
    mixed = int.from_bytes(payload, "big") ^ int.from_bytes(stream, "big")
    return head + key + mixed.to_bytes(len(payload), "big")


def closing(code: int | None = None, reason: str = "", *, masked: bool = True) -> bytes:
    """Return a close frame."""
    payload = b"" if code is None else struct.pack("!H", code) + reason.encode()
    return frame(CLOSE, payload, masked=masked)


@dataclass
class Got:
    """A frame that arrived."""

    opcode: int
    payload: bytes
    fin: bool = True
    rsv: int = 0
    masked: bool = False

    @property
    def code(self) -> int | None:
        """The code of a close frame; None without one."""
        return struct.unpack("!H", self.payload[:2])[0] if self.payload else None

    @property
    def reason(self) -> str:
        """The reason of a close frame."""
        return self.payload[2:].decode()


class Line:
    """One side of a connection that speaks frames."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def send(self, data: bytes) -> None:
        """Send bytes."""
        self.writer.write(data)

    async def frame(self) -> Got | None:
        """Read a frame; None at the end of the connection."""
        try:
            async with asyncio.timeout(PATIENCE):
                return await self._frame()
        except (asyncio.IncompleteReadError, ConnectionError):
            return None

    async def _frame(self) -> Got:
        first, second = await self.reader.readexactly(2)
        size = second & 0x7F
        if size == 126:
            size = struct.unpack("!H", await self.reader.readexactly(2))[0]
        elif size == 127:
            size = struct.unpack("!Q", await self.reader.readexactly(8))[0]
        key = await self.reader.readexactly(4) if second & 0x80 else b""
        payload = await self.reader.readexactly(size)
        if key:
            stream = (key * (size // 4 + 1))[:size]
            payload = (int.from_bytes(payload, "big") ^ int.from_bytes(stream, "big")).to_bytes(
                size, "big"
            )
        return Got(first & 15, payload, bool(first & 0x80), first >> 4 & 7, bool(second & 0x80))

    async def message(self) -> Got | None:
        """Read the next message, whole; None at the end; a close frame counts as one."""
        whole: Got | None = None
        while (one := await self.frame()) is not None:
            if one.opcode in (PING, PONG):
                continue
            if one.opcode == CLOSE or (one.fin and whole is None):
                return one
            if whole is None:
                whole = one
            else:
                whole.payload += one.payload
            if one.fin:
                return whole
        return None

    async def close(self) -> Got | None:
        """Read up to the close frame, dropping the rest; None if there is none."""
        while (one := await self.frame()) is not None:
            if one.opcode == CLOSE:
                return one
        return None

    async def is_closed(self) -> bool:
        """Wait for the end of the connection, dropping what comes before it."""
        async with asyncio.timeout(PATIENCE):
            with contextlib.suppress(ConnectionError):
                while await self.reader.read(65536):
                    continue
        return True

    def drop(self) -> None:
        """Vanish without a close frame."""
        self.writer.transport.abort()


def accept_of(key: bytes) -> bytes:
    """Return what answers a key (RFC 6455, section 4.2.2)."""
    return base64.b64encode(hashlib.sha1(key + GUID).digest())


Script = Callable[["Peer"], Awaitable[None]]


class Peer(Line):
    """A connection of a raw service: the request's head, frames, and how much it has sent."""

    head: bytes = b""
    sent: int = 0

    @property
    def fields(self) -> dict[bytes, bytes]:
        """The header fields of the handshake."""
        lines = self.head.split(b"\r\n")[1:-2]
        return {name.lower(): value for name, _, value in (one.partition(b": ") for one in lines)}

    def switch(self, *fields: bytes) -> None:
        """Answer the handshake with 101."""
        accept = b"Sec-WebSocket-Accept: " + accept_of(self.fields[b"sec-websocket-key"])
        lines = (b"HTTP/1.1 101 Switching Protocols", b"Upgrade: websocket", b"Connection: Upgrade")
        self.send(b"\r\n".join((*lines, accept, *fields, b"", b"")))


@dataclass
class Service:
    """A raw service on a socket of this machine."""

    port: int = 0
    peers: list[Peer] = field(default_factory=list)
    open: int = 0
    errors: list[BaseException] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"


@asynccontextmanager
async def serving(script: Script, *, accepts: bool = True) -> AsyncIterator[Service]:
    """Run a service that speaks by a script, after the handshake if it `accepts`."""
    service = Service()
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        peer = Peer(reader, writer)
        service.open += 1
        try:
            peer.head = await reader.readuntil(b"\r\n\r\n")
            service.peers.append(peer)
            if accepts:
                peer.switch()
            await script(peer)
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        except BaseException as error:  # noqa: BLE001 - for the test
            service.errors.append(error)
        finally:
            service.open -= 1
            tasks.discard(task)
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    service.port = server.sockets[0].getsockname()[1]
    try:
        yield service
    finally:
        server.close()
        for task in [*tasks]:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
    assert service.errors == []


async def echo(peer: Peer) -> None:
    """Say every message again, answer pings, and close as the other side does."""
    while (one := await peer.message()) is not None:
        peer.send(frame(one.opcode, one.payload, masked=False))
        await peer.writer.drain()
        if one.opcode == CLOSE:
            return


async def opened(
    port: int, path: str = "/", *fields: str, buffer: int | None = None
) -> "RawClient":
    """Connect, and open a web socket; the answer's head is in `head`."""
    client = await connected(port, buffer=buffer)
    client.send(offer(path, *fields))
    async with asyncio.timeout(PATIENCE):
        client.head = await client.reader.readuntil(b"\r\n\r\n")
    return client


def offer(path: str = "/", *fields: str) -> bytes:
    """Return the handshake of a client."""
    lines = (
        f"GET {path} HTTP/1.1",
        "Host: localhost",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        *fields,
    )
    return "\r\n".join((*lines, "", "")).encode()


async def connected(port: int, *, buffer: int | None = None) -> "RawClient":
    """Connect; `buffer` bounds what the kernel takes in for a client that does not read."""
    if buffer is None:
        return RawClient(*await asyncio.open_connection("127.0.0.1", port))
    line = socket.socket()
    line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    line.setblocking(False)
    await asyncio.get_running_loop().sock_connect(line, ("127.0.0.1", port))
    return RawClient(*await asyncio.open_connection(sock=line, limit=buffer))


class RawClient(Line):
    """A client; `head` is that of the answer to its handshake."""

    head: bytes = b""

    @property
    def status(self) -> int:
        """The status of the answer."""
        return int(self.head.split()[1])

    @property
    def fields(self) -> dict[str, str]:
        """The header fields of the answer."""
        lines = self.head.decode("latin-1").split("\r\n")[1:-2]
        return {name.lower(): value for name, _, value in (one.partition(": ") for one in lines)}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.drop()
