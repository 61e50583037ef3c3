"""Forwarded requests over real sockets: both bodies are streams; each side follows the other."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import pytest

from bff_core import Settings
from tests.server.forwarding_gateway import make_app, make_proxied_app
from tests.server.talking import Client, served

pytestmark = pytest.mark.uvloop

AT_ONCE = 0.1
"""Seconds within which one side follows the other."""

PIECE = bytes(64 * 1024)
GET = b"GET /files/a%2Fb?tag=x&tag=y HTTP/1.1\r\nHost: localhost\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"

MAKE = [make_app]
"""How the gateway of the running test is made."""


REFUSED = {make_app: 404, make_proxied_app: 400}
"""The status of a path that is not forwarded."""


@pytest.fixture(autouse=True, params=[make_app, make_proxied_app], ids=["view", "route"])
def made(request):
    """Run each test with a view that forwards, and with a proxied route."""
    MAKE[0] = request.param


Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def before(talk: Talk) -> AsyncIterator[Client]:
    """Serve a gateway before a service that talks as it likes; connect to the gateway."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            await talk(reader, writer)
        writer.close()

    service = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = service.sockets[0].getsockname()[1]
    settings = Settings(
        env="development", log="off", upstreams={"files": (f"http://127.0.0.1:{port}",)}
    )
    async with served(MAKE[0](settings)) as gate, gate.client(buffer=64 * 1024) as client:
        yield client
    service.close()


async def head_of(reader: asyncio.StreamReader) -> bytes:
    """Read the head of a request."""
    return await reader.readuntil(b"\r\n\r\n")


def chunk(data: bytes) -> bytes:
    """Return a chunk of a body."""
    return b"%x\r\n%b\r\n" % (len(data), data)


async def test_a_request_is_passed_on_as_it_came() -> None:
    """Its target, and the reply's status, headers and body."""
    heard = []

    async def talk(reader, writer):
        heard.append(await head_of(reader))
        writer.write(b"HTTP/1.1 206 Part\r\nx-tag: 1\r\nx-tag: 2\r\ncontent-length: 4\r\n\r\nhere")

    async with before(talk) as client:
        client.send(GET.replace(b"\r\n\r\n", b"\r\nCookie: a=b\r\nRange: bytes=0-3\r\n\r\n"))
        answer = await client.answer()

    (head,) = heard
    assert head.startswith(b"GET /files/a%2Fb?tag=x&tag=y HTTP/1.1\r\n")
    assert b"range: bytes=0-3\r\n" in head
    assert b"cookie" not in head.lower()
    assert (answer.status, answer.body) == (206, b"here")
    assert answer.fields["content-length"] == "4"


async def test_a_client_that_leaves_ends_the_service_s_body() -> None:
    """The service notices within a tenth of a second, although it is silent just now."""
    ended = asyncio.get_running_loop().create_future()

    async def talk(reader, writer):
        await head_of(reader)
        writer.write(OK + chunk(b"one"))
        await reader.read()
        ended.set_result(time.monotonic())

    async with before(talk) as client:
        client.send(GET)
        await client.head()
        await client.reader.readexactly(3)
        left_at = time.monotonic()
        client.writer.transport.abort()
        took = await asyncio.wait_for(ended, 10) - left_at

    assert took < AT_ONCE


async def test_a_body_that_breaks_off_breaks_off_for_the_client() -> None:
    """It must not look complete."""
    broken = asyncio.get_running_loop().create_future()

    async def talk(reader, writer):
        await head_of(reader)
        writer.write(OK + chunk(b"one"))
        await writer.drain()
        broken.set_result(time.monotonic())
        writer.transport.abort()

    async with before(talk) as client:
        client.send(GET)
        await client.head()
        with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
            [piece async for piece in client.chunks()]
        took = time.monotonic() - await broken

    assert took < AT_ONCE


async def test_a_slow_client_slows_the_service() -> None:
    """What the service can write, while the client does not read, is bounded."""
    written = 0

    async def talk(reader, writer):
        nonlocal written
        await head_of(reader)
        writer.write(OK)
        writer.transport.set_write_buffer_limits(0)
        while written < 2**28:
            writer.write(chunk(PIECE))
            await writer.drain()
            written += len(PIECE)

    async with before(talk) as client:
        client.send(GET)
        await client.head()
        before_it_stalls = -1
        while before_it_stalls != written:
            before_it_stalls = written
            await asyncio.sleep(0.2)

    assert 0 < written < 2**24


async def test_a_reply_may_begin_before_the_request_has_ended() -> None:
    """Both bodies flow at once."""

    async def talk(reader, writer):
        await head_of(reader)
        first = await reader.readuntil(b"one\r\n")
        writer.write(OK + chunk(first[-5:-2]))
        await reader.readuntil(b"two\r\n")
        writer.write(chunk(b"two") + b"0\r\n\r\n")

    async with before(talk) as client:
        client.send(
            b"POST /files/x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n"
            b"Content-Type: application/octet-stream\r\n\r\n" + chunk(b"one")
        )
        await client.head()
        pieces = client.chunks()
        first = await anext(pieces)
        client.send(chunk(b"two") + b"0\r\n\r\n")
        rest = [piece async for piece in pieces]

    assert (first, rest) == (b"one", [b"two"])


async def test_a_client_that_leaves_ends_its_upload() -> None:
    """The service sees a request that breaks off, not one that is complete."""
    begun, ended = asyncio.Event(), asyncio.get_running_loop().create_future()

    async def talk(reader, writer):
        await head_of(reader)
        await reader.readuntil(b"one\r\n")
        begun.set()
        rest = await reader.read()
        ended.set_result((time.monotonic(), rest))

    async with before(talk) as client:
        client.send(
            b"POST /files/x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n"
            b"Content-Type: application/octet-stream\r\n\r\n" + chunk(b"one")
        )
        await begun.wait()
        left_at = time.monotonic()
        client.writer.transport.abort()
        at, rest = await asyncio.wait_for(ended, 10)

    assert (at - left_at < AT_ONCE, rest) == (True, b"")


@pytest.mark.parametrize("path", [b"../x", b"%2e%2e/x", b"a%2F..%2Fx", b"..;/x", b"a%5c..%5cx"])
async def test_no_path_leaves_what_is_forwarded(path: bytes) -> None:
    """The client gets an error; the service hears nothing."""
    heard = []

    async def talk(reader, writer):
        heard.append(await head_of(reader))

    async with before(talk) as client:
        client.send(b"GET /files/" + path + b" HTTP/1.1\r\nHost: localhost\r\n\r\n")
        answer = await client.answer()

    assert (answer.status, heard) == (REFUSED[MAKE[0]], [])
