"""Scripted services on real sockets, and connectors of either transport to call them."""

import asyncio
import contextlib
import random
import socket
import ssl
import struct
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

import httpx
import httpx2
import pytest

from bff_core.call import Call
from bff_core.events import Events
from bff_core.policy.upstream.connection import Connection
from bff_core.policy.upstream.retry import RetryBudget
from bff_core.upstream.runtime import Runtime
from bff_core.upstream.transport.httpx_transport import HttpxTransport
from bff_core.upstream.transport.interface import Connector, Endpoint
from bff_core.upstream.transport.wire_transport import WireTransport

sys.path.insert(0, str(Path(__file__).parent))  # for what these tests share

CLIENTS = {"httpx": httpx.AsyncClient, "httpx2": httpx2.AsyncClient}


class Gone(Exception):
    """The gateway closed its side."""


@dataclass(eq=False)
class Peer:
    """One accepted connection, as the script of a service sees it."""

    service: "Service"
    number: int
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def request(self) -> bytes:
        """Read one request, body included; raise `Gone` at the end."""
        try:
            head = await self.reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            raise Gone from error
        lines = head.lower().split(b"\r\n")
        length = next((int(x[15:]) for x in lines if x.startswith(b"content-length:")), 0)
        request = head + await self.reader.readexactly(length)
        self.service.requests.append(request)
        return request

    async def send(self, *parts: bytes) -> None:
        """Write each part in a segment of its own; raise `Gone` when the gateway has closed."""
        for part in parts:
            if self.writer.is_closing():
                raise Gone
            self.writer.write(part)
            try:
                await self.writer.drain()
            except ConnectionError as error:
                raise Gone from error
            await asyncio.sleep(0)

    async def left(self) -> None:
        """Wait until the gateway closes its side."""
        with contextlib.suppress(ConnectionError):
            while await self.reader.read(65536):
                continue

    def reset(self) -> None:
        """Close with a reset."""
        linger = struct.pack("ii", 1, 0)
        self.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.writer.transport.abort()


Script = Callable[[Peer], Awaitable[None]]


@dataclass(eq=False)
class Service:
    """A service whose every connection runs a script; it notes what it sees."""

    script: Script
    tls: ssl.SSLContext | None = None
    requests: list[bytes] = field(default_factory=list)
    departures: list[float] = field(default_factory=list)
    accepted: int = 0
    tasks: set[asyncio.Task[None]] = field(default_factory=set)
    server: asyncio.Server | None = None
    port: int = 0

    @property
    def endpoint(self) -> Endpoint:
        """Where it listens."""
        scheme = "https" if self.tls else "http"
        host = "localhost" if self.tls else "127.0.0.1"
        return Endpoint(scheme, host, self.port, "127.0.0.1")

    @property
    def open_connections(self) -> int:
        """How many connections it has."""
        return len(self.tasks)

    async def __aenter__(self) -> Self:
        self.server = await asyncio.start_server(self._accept, "127.0.0.1", self.port, ssl=self.tls)
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self.server.close()
        for task in list(self.tasks):
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        self.tasks.add(task)
        self.accepted += 1
        try:
            await self.script(Peer(self, self.accepted, reader, writer))
        except (Gone, asyncio.CancelledError):
            pass
        finally:
            self.departures.append(time.monotonic())
            self.tasks.discard(task)
            writer.transport.abort()

    async def until(self, condition: Callable[[], bool], within: float = 2.0) -> None:
        """Poll what happens on the other side of a socket."""
        async with asyncio.timeout(within):
            while not condition():  # noqa: ASYNC110 - it watches another process or socket
                await asyncio.sleep(0.001)


def answering(*responses: bytes) -> Script:
    """Answer each request with the next of the responses, the last one for ever."""
    left = list(responses)

    async def script(peer: Peer) -> None:
        while True:
            await peer.request()
            await peer.send(left.pop(0) if len(left) > 1 else left[0])

    return script


def http(body: bytes = b"", *fields: str, status: str = "200 OK", length: bool = True) -> bytes:
    """Render a response."""
    lines = [f"HTTP/1.1 {status}", *fields]
    if length:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def chunked(*pieces: bytes, trailer: bytes = b"") -> bytes:
    """Render a chunked body."""
    chunks = [b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces]
    return b"".join([*chunks, b"0\r\n", trailer, b"\r\n"])


def calling(
    method: str = "GET", target: str = "/things", within: float = 2.0, **others: Any
) -> Call:
    """Make a call that has so many seconds."""
    deadline = time.monotonic() + within
    return Call("shop", method, target, f"{method} /things", deadline, **others)


def transport(*, budget: RetryBudget | None = None, **options: Any) -> WireTransport:
    """Make a wire transport in the running loop; `budget` is what it may send again."""
    loop = asyncio.get_running_loop()
    chance = random.Random(7).random
    runtime = Runtime("shop", loop, time.monotonic, chance, Events(), loop.create_task, budget)
    return WireTransport(Connection(**options), runtime)


@contextlib.asynccontextmanager
async def wired(service: Service | Endpoint, **options: Any) -> AsyncIterator[Any]:
    """Connect by the wire transport; in the end nothing may be left open."""
    endpoint = service.endpoint if isinstance(service, Service) else service
    pool = transport(**options).connect(endpoint)
    try:
        yield pool
    finally:
        await pool.aclose()
        assert pool.load == replace(pool.load, idle=0, active=0, waiting=0)


@contextlib.asynccontextmanager
async def through_client(kind: str, service: Service, **options: Any) -> AsyncIterator[Connector]:
    """Connect through a client of httpx or httpx2."""
    trusting_none = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # to load authorities takes 20 ms
    async with CLIENTS[kind](trust_env=False, verify=trusting_none) as client:
        yield HttpxTransport(client, Connection(**options)).connect(service.endpoint)


@pytest.fixture(
    params=[
        "wire",
        pytest.param("wire-uvloop", marks=pytest.mark.uvloop),
        "httpx",
        "httpx2",
    ]
)
def connected(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """Connect by each transport in turn; the wire on both event loops."""
    if request.param.startswith("wire"):
        return wired

    def connect(service: Service, **options: Any) -> Any:
        return through_client(request.param, service, **options)

    return connect


@dataclass(frozen=True)
class Kit:
    """What the tests of this folder are made of."""

    Service = Service
    Gone = Gone
    answering = staticmethod(answering)
    http = staticmethod(http)
    chunked = staticmethod(chunked)
    calling = staticmethod(calling)
    transport = staticmethod(transport)
    wired = staticmethod(wired)


@pytest.fixture
def kit() -> type[Kit]:
    """Hand out the kit."""
    return Kit
