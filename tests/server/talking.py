"""A client that sends raw bytes, and a server for an application in the same loop."""

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, cast

from uvicorn import Config

from bff_core.compat.uvicorn import configuration
from bff_core.server.lifespan import Lifespan
from bff_core.server.listening_socket import Listening, bind, listen
from bff_core.server.options import ServerOptions
from bff_core.server.protocol import HTTPProtocol
from bff_core.server.server_state import DateHeader, ServerState, options_of

PATIENCE = 30.0
"""How long a client waits for an answer (seconds)."""

HELLO = b"GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n"


@dataclass
class Served:
    """An application on a socket of this machine."""

    port: int
    serving: ServerState
    listening: Listening

    @asynccontextmanager
    async def client(self, **options: Any) -> AsyncIterator["Client"]:
        """Connect."""
        client = await connect(self.port, **options)
        try:
            yield client
        finally:
            await client.close()

    async def say(self, data: bytes) -> "Answer":
        """Send bytes over a new connection; return the first answer."""
        async with self.client() as client:
            client.send(data)
            return await client.answer()


@asynccontextmanager
async def served(app: Any, *, ws: Any = "auto", **options: Any) -> AsyncIterator[Served]:
    """Serve an application as a process does, without its signals and its end.

    `ws` is the protocol of web sockets, or uvicorn's name for one.
    """
    loop = asyncio.get_running_loop()
    config, state, _ = configuration(app)
    cast("Config", config).ws = ws
    config.load()
    lifespan = Lifespan(app, loop)
    await lifespan.started()
    chosen = ServerOptions(**options) if options else options_of(None)
    serving = ServerState(config, state, lifespan.values, loop=loop, options=chosen)
    make = partial(HTTPProtocol, config, state, lifespan.values, serving=serving)
    listener = bind("127.0.0.1", 0)
    port = listener.getsockname()[1]
    dates = DateHeader(state, loop)
    listening = await listen(listener, make, send_timeout=chosen.send_timeout)
    try:
        yield Served(port, serving, listening)
    finally:
        await listening.close()
        for connection in tuple(serving.connections):
            connection.cancel()
            connection.abort()
        await until(lambda: not serving.connections and not state.tasks)
        dates.close()
        serving.close()
        await lifespan.stop()


async def connect(port: int, *, buffer: int | None = None) -> "Client":
    """Connect; what is still open when the test ends is closed then.

    `buffer` bounds what the kernel takes in for a client that does not read.
    """
    loop = asyncio.get_running_loop()
    line = socket.socket()
    if buffer is not None:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    line.setblocking(False)
    await loop.sock_connect(line, ("127.0.0.1", port))
    client = Client(*await asyncio.open_connection(sock=line, limit=buffer or 2**16))
    test = asyncio.current_task()
    assert test is not None
    test.add_done_callback(lambda _: client.writer.transport.abort())
    return client


class Client:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def send(self, data: bytes) -> None:
        """Send bytes."""
        self.writer.write(data)

    async def head(self) -> tuple[int, dict[str, str]]:
        """Read status and fields."""
        async with asyncio.timeout(PATIENCE):
            lines = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        status = int(lines[0].split()[1])
        pairs = (line.partition(": ") for line in lines[1:] if line)
        return status, {name.lower(): value for name, _, value in pairs}

    async def answer(self, *, has_body: bool = True) -> "Answer":
        """Read an answer whose length is declared, or that ends with the connection."""
        status, fields = await self.head()
        if not has_body or status in {100, 204, 304}:
            return Answer(status, fields, b"")
        async with asyncio.timeout(PATIENCE):
            if "content-length" in fields:
                body = await self.reader.readexactly(int(fields["content-length"]))
            elif fields.get("transfer-encoding") == "chunked":
                body = b"".join([chunk async for chunk in self.chunks()])
            else:
                body = await self.reader.read()
        return Answer(status, fields, body)

    async def chunks(self) -> AsyncIterator[bytes]:
        """Read chunks up to the last one; raises IncompleteReadError where there is no last one."""
        while size := int(await self.reader.readuntil(b"\r\n"), 16):
            yield (await self.reader.readexactly(size + 2))[:-2]
        await self.reader.readexactly(2)

    async def is_closed(self) -> bool:
        """Wait for the end of the connection; return False if data comes."""
        async with asyncio.timeout(PATIENCE):
            try:
                return await self.reader.read(1) == b""
            except ConnectionResetError:
                return True

    async def close(self) -> None:
        """Leave."""
        self.writer.transport.abort()
        await asyncio.sleep(0)


@dataclass
class Answer:
    """An answer."""

    status: int
    fields: dict[str, str]
    body: bytes

    @property
    def problem(self) -> dict[str, Any]:
        """The body as JSON."""
        return json.loads(self.body)


async def until(is_so: Callable[[], bool], seconds: float = PATIENCE) -> None:
    """Wait until it is true."""
    limit = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < limit, "it never became so"
        await asyncio.sleep(0.005)


@dataclass
class Shop:
    """An application that returns what it received, and records its requests."""

    scopes: list[dict[str, Any]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    running: int = 0
    cancelled: list[float] = field(default_factory=list)
    routes: dict[str, Callable[..., Awaitable[None]]] = field(default_factory=dict)

    async def __call__(self, scope, receive, send):
        if scope["type"] == "lifespan":
            await live(receive, send)
            return
        self.scopes.append(scope)
        self.running += 1
        try:
            route = self.routes.get(scope["path"], hello)
            await route(self, scope, receive, send)
        except asyncio.CancelledError:
            self.cancelled.append(time.monotonic())
            raise
        finally:
            self.running -= 1


async def live(receive, send):
    """Start and stop as ASGI wants it."""
    for phase in ("startup", "shutdown"):
        await receive()
        await send({"type": f"lifespan.{phase}.complete"})


async def hello(shop, scope, receive, send, *, status=200, body=b"hello", headers=()):
    """Answer at once."""
    length = (b"content-length", b"%d" % len(body))
    await send({"type": "http.response.start", "status": status, "headers": [length, *headers]})
    await send({"type": "http.response.body", "body": body})


async def echo(shop, scope, receive, send):
    """Answer with the body."""
    pieces, more = [], True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        pieces.append(message["body"])
        more = message["more_body"]
    shop.bodies.append(b"".join(pieces))
    await hello(shop, scope, receive, send, body=shop.bodies[-1])


async def hang(shop, scope, receive, send):
    """Never answer."""
    await asyncio.Event().wait()
