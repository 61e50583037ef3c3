"""Slow clients: with the head, with the body, with reading, with the next request."""

import asyncio
import time
from contextlib import suppress

import pytest

from bff_core import Settings, gateway
from bff_core.errors import ConfigurationError
from bff_core.events import AnyEvent, Events, Refused
from bff_core.server.deadlines import ConnectionDeadlines
from bff_core.server.early_refusal import EarlyRefusals
from bff_core.server.options import ServerOptions
from tests.server.talking import HELLO, Shop, echo, hello, served, until

pytestmark = pytest.mark.uvloop

LARGE = b"x" * 8_000_000
POST = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n"


async def drip(client, data: bytes, every: float) -> None:
    """Send a byte at a time until the connection ends."""
    for byte in data:
        if client.reader.at_eof():
            return
        client.send(bytes((byte,)))
        await asyncio.sleep(every)


@pytest.mark.alone
async def test_a_slow_head_is_a_408():
    """The deadline is that of the whole head: further bytes do not extend it."""
    began = time.monotonic()

    async with served(Shop(), header_timeout=0.3) as server, server.client() as client:
        dripping = asyncio.ensure_future(drip(client, HELLO * 10, 0.02))
        answer = await client.answer()
        dripping.cancel()

    assert answer.status == 408
    assert answer.problem["code"] == "request_timeout"
    assert 0.2 < time.monotonic() - began < 2


async def test_an_unused_connection_is_closed_without_an_answer():
    """A browser preconnects: it would take a 408 for the answer to its next request."""
    async with served(Shop(), header_timeout=0.1) as server, server.client() as client:
        assert await client.is_closed()


@pytest.mark.alone
async def test_an_idle_connection_is_closed_without_an_answer():
    """After the keep-alive time; a request in time is served."""
    async with served(Shop(), keep_alive=0.2) as server, server.client() as client:
        for _ in range(2):
            client.send(HELLO)
            assert (await client.answer()).body == b"hello"

        assert await client.is_closed()


async def test_a_second_head_has_a_deadline_too():
    """A connection with half a request after a whole one is not idle."""
    async with served(Shop(), header_timeout=0.2) as server, server.client() as client:
        client.send(HELLO + HELLO[:10])

        assert [(await client.answer()).status for _ in range(2)] == [200, 408]


@pytest.mark.alone
async def test_a_slow_body_is_a_408():
    """Handler and client get the error; the rest is not awaited."""
    app = gateway("slow", settings=Settings(env="development", log="off"))
    app.post("/")(takes_a_body)
    began = time.monotonic()

    async with served(app, body_timeout=0.3) as server, server.client() as client:
        client.send(POST % 1000)
        dripping = asyncio.ensure_future(drip(client, b"x" * 1000, 0.02))
        answer = await client.answer()
        dripping.cancel()
        await until(lambda: not server.serving.state.tasks)

    assert answer.status == 408
    assert answer.problem["code"] == "request_timeout"
    assert answer.fields["connection"] == "close"
    assert 0.2 < time.monotonic() - began < 2


async def takes_a_body(body: dict[str, int]) -> dict[str, int]:
    """Answer with what was sent."""
    return body


@pytest.mark.alone
async def test_a_body_at_the_required_rate_may_take_longer():
    """A large upload over a slow line is no attack."""
    shop = Shop(routes={"/": echo})

    async with (
        served(shop, body_timeout=0.1, body_rate=100_000) as server,
        server.client() as client,
    ):
        client.send(POST % 60_000)
        for _ in range(6):
            client.send(b"x" * 10_000)
            await asyncio.sleep(0.05)  # 200 kB/s
        answer = await client.answer()

    assert len(answer.body) == 60_000


@pytest.mark.alone
async def test_the_handlers_time_does_not_count_against_the_client():
    """While the gateway does not read, the client is not slow."""
    read = asyncio.Event()

    async def late(shop, scope, receive, send):
        await asyncio.wait_for(read.wait(), 5)
        await echo(shop, scope, receive, send)

    shop = Shop(routes={"/": late})
    async with served(shop, body_timeout=0.1) as server, server.client() as client:
        client.send(POST % 400_000 + b"x" * 400_000)
        await asyncio.sleep(0.4)
        read.set()

        assert len((await client.answer()).body) == 400_000


@pytest.mark.slow
async def test_a_client_that_stops_reading_is_disconnected():
    """Neither its data nor its handler is held for ever."""
    heard: list[AnyEvent] = []

    async def stream(shop, scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        while True:
            await send({"type": "http.response.body", "body": b"x" * 65536, "more_body": True})

    shop = Shop(routes={"/": stream})
    async with served(shop, send_timeout=0.3) as server:
        server.serving.refusals = EarlyRefusals(events=Events(heard.append))
        async with server.client(buffer=4096) as client:
            client.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            await until(lambda: shop.running == 1)
            await until(lambda: shop.running == 0)

    assert [event.reason for event in heard if isinstance(event, Refused)] == ["reader_too_slow"]
    assert len(shop.cancelled) == 1


@pytest.mark.slow
async def test_a_client_that_hardly_reads_is_disconnected_as_well():
    """A few bytes now and then do not hold megabytes in memory."""

    async def large(shop, scope, receive, send):
        await hello(shop, scope, receive, send, body=LARGE)

    async with served(Shop(routes={"/": large}), send_timeout=0.3) as server:
        async with server.client(buffer=2048) as client:
            client.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            with suppress(ConnectionResetError):
                while await client.reader.read(16):  # noqa: ASYNC110 # it drips
                    await asyncio.sleep(0.01)
        await until(lambda: not server.serving.connections)


@pytest.mark.alone
async def test_a_slow_client_that_reads_enough_gets_everything():
    """A client that reads the required bytes in time gets the whole answer."""

    async def large(shop, scope, receive, send):
        await hello(shop, scope, receive, send, body=LARGE)

    async with (
        served(Shop(routes={"/": large}), send_timeout=0.5) as server,
        server.client(buffer=65536) as client,
    ):
        client.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        status, _ = await client.head()
        left = len(LARGE)
        while left:
            left -= len(await client.reader.read(100_000))
            await asyncio.sleep(0.005)

    assert (status, left) == (200, 0)


@pytest.mark.alone
async def test_a_fast_handler_waits_for_its_client():
    """No more than the buffer is held for a slow client."""
    sent = 0

    async def stream(shop, scope, receive, send):
        nonlocal sent
        await send({"type": "http.response.start", "status": 200, "headers": []})
        while True:
            await send({"type": "http.response.body", "body": b"x" * 65536, "more_body": True})
            sent += 65536

    async with (
        served(Shop(routes={"/": stream}), send_buffer=65536) as server,
        server.client(buffer=4096) as client,
    ):
        client.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await until(lambda: sent > 0)
        before = -1
        while before != sent:
            before = sent
            await asyncio.sleep(0.1)

    assert 0 < sent < 16_000_000  # what the kernel takes in, and 64 KiB of ours


def test_a_handshake_has_the_rest_of_the_head_timeout():
    """From its first byte, or from the end of the head after a refused request."""
    now = 0.0
    deadlines = ConnectionDeadlines(ServerOptions(header_timeout=10, keep_alive=75), lambda: now)

    deadlines.await_head()
    now = 4.0
    assert deadlines.handshake_due() == 10

    deadlines.await_request()
    assert deadlines.handshake_due() == 14


def test_options_are_checked_when_they_are_built():
    """A wrong one names itself, its value and its range."""
    with pytest.raises(ConfigurationError, match=r"ServerOptions.grace must be 0 to 3,600, not -1"):
        ServerOptions(grace=-1)


def test_options_come_from_the_settings():
    """In production a load balancer has to notice the shutdown; on a laptop there is none."""
    settings = Settings(env="development", header_timeout=3, grace=4)

    assert ServerOptions.of(settings) == ServerOptions(header_timeout=3, grace=4, drain_delay=0)
    assert ServerOptions.of(Settings()).drain_delay == 5
    assert ServerOptions.of(Settings(drain_delay=1)).drain_delay == 1
