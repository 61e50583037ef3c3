"""Replies that are read while they arrive: early head, back pressure, exact ends."""

import asyncio
import gzip
import time
from contextlib import suppress

import pytest
import zstandard
from msgspec.structs import replace

from bff_core.errors import BadPayload, DeadlineExceeded, TransportFailed
from bff_core.upstream.transport.interface import Load
from tests.streamed import opened

HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-One: 1\r\n\r\n"
CLEAN = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nclean"


def chunk(data):
    """Render one chunk."""
    return b"%x\r\n%s\r\n" % (len(data), data)


async def read(connector, call, taken=None):
    """Read a stream to its end; what was read survives in `taken` when it fails."""
    taken = [] if taken is None else taken
    async with opened(connector.send, call) as reply:
        async for piece in reply:
            taken.append(piece)
    return b"".join(taken)


async def test_a_forwarded_body_is_coded_as_before(kit, connected):
    """The client has said what it reads; length, tag and digest stay true."""
    body = gzip.compress(b"x" * 1000)
    head = b'HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nETag: "1"\r\nContent-Length: %d\r\n\r\n'

    async def script(peer):
        await peer.request()
        await peer.send(head % len(body) + body)
        await peer.left()

    async with (
        kit.Service(script) as service,
        connected(service) as connector,
        opened(connector.send, kit.calling(is_forwarded=True)) as reply,
    ):
        headers = dict(reply.headers)
        received = b"".join([piece async for piece in reply])

    assert received == body
    assert headers == {
        b"content-encoding": b"gzip",
        b"etag": b'"1"',
        b"content-length": b"%d" % len(body),
    }


async def test_a_stream_that_is_not_read_ends_in_time(kit):
    """It holds its connection, and its permit, for no longer than `stream_timeout`."""

    async def script(peer):
        await peer.request()
        await peer.send(HEAD + chunk(b"one"))
        await peer.left()

    async with (
        kit.Service(script) as service,
        kit.wired(service, stream_timeout=0.15) as connector,
        opened(connector.send, kit.calling()) as reply,
    ):
        await service.until(lambda: service.open_connections == 0)
        is_over = reply.body.is_over

    assert is_over


async def test_closing_a_stream_wakes_its_reader(kit, connected):
    """Another task may close what one is waiting for."""

    async def script(peer):
        await peer.request()
        await peer.send(HEAD)
        await peer.left()

    async with kit.Service(script) as service, connected(service) as connector:
        reply = await connector.send(replace(kit.calling(), is_streamed=True))
        reading = asyncio.ensure_future(anext(aiter(reply)))
        await asyncio.sleep(0)
        await reply.aclose()

        with pytest.raises(TransportFailed, match=r"closed|ReadError"):
            await asyncio.wait_for(reading, 2)


async def test_head_and_chunks_arrive_as_they_are_sent(kit, connected):
    """The head is there before the body, and each chunk before the next is sent."""
    may_send = asyncio.Queue()

    async def script(peer):
        await peer.request()
        await peer.send(HEAD)
        while data := await may_send.get():
            await peer.send(chunk(data))
        await peer.send(b"0\r\n\r\n")
        await peer.left()

    async with (
        kit.Service(script) as service,
        connected(service) as connector,
        opened(connector.send, kit.calling()) as reply,
    ):
        head = (reply.status, dict(reply.headers))
        body = aiter(reply)
        received = []
        for data in (b"one", b"two", b"three"):
            may_send.put_nowait(data)
            received.append(await anext(body))
        may_send.put_nowait(b"")
        rest = [piece async for piece in body]

    assert head == (200, {b"x-one": b"1"})
    assert (received, rest) == ([b"one", b"two", b"three"], [])


async def test_a_stream_may_outlast_its_deadline(kit, connected):
    """The deadline is for the head; a download takes as long as it takes."""

    async def script(peer):
        await peer.request()
        await peer.send(HEAD)
        for _ in range(5):
            await asyncio.sleep(0.12)
            await peer.send(chunk(b"x"))
        await peer.send(b"0\r\n\r\n")
        await peer.left()

    async with (
        kit.Service(script) as service,
        connected(service) as connector,
        opened(connector.send, kit.calling(within=0.5)) as reply,
    ):
        pieces = [piece async for piece in reply]

    assert b"".join(pieces) == b"xxxxx"


async def test_the_head_has_to_come_by_the_deadline(kit, connected):
    """A stream whose head is late fails like any call."""

    async def script(peer):
        await peer.request()
        await peer.left()

    async with kit.Service(script) as service, connected(service) as connector:
        with pytest.raises(DeadlineExceeded):
            async with opened(connector.send, kit.calling(within=0.05)):
                pass
        await service.until(lambda: service.open_connections == 0)

    assert len(service.requests) == 1


@pytest.mark.alone
async def test_leaving_early_reaches_the_service(kit, connected):
    """Who stops reading stops the service's work."""

    async def script(peer):
        await peer.request()
        await peer.send(HEAD)
        while True:
            await peer.send(chunk(b"x" * 1000))
            await asyncio.sleep(0.001)

    async with kit.Service(script) as service, connected(service) as connector:
        async with opened(connector.send, kit.calling()) as reply:
            first = await anext(aiter(reply))
        left = time.monotonic()
        await service.until(lambda: service.departures)

    assert first.startswith(b"x")
    assert service.departures[0] - left < 0.1


@pytest.mark.parametrize(
    "rest", [b"", b"5\r\nab", b"zz\r\n"], ids=["no end", "cut chunk", "garbage"]
)
async def test_a_stream_that_breaks_off_says_so(kit, connected, rest):
    """What was received is delivered first, then the failure: never a silent short body."""

    async def script(peer):
        await peer.request()
        await peer.send(HEAD, chunk(b"whole"))
        await peer.service.until(lambda: received)
        await peer.send(rest)

    received = []

    async with kit.Service(script) as service, connected(service) as connector:
        with pytest.raises(TransportFailed) as caught:
            await read(connector, kit.calling(), received)

    assert b"".join(received)[:5] == b"whole"
    assert caught.value.is_sent


async def test_silence_ends_a_stream(kit, connected):
    """A body that falls silent is given up."""

    async def script(peer):
        await peer.request()
        await peer.send(HEAD, chunk(b"x"))
        await peer.left()

    received = []

    async with (
        kit.Service(script) as service,
        connected(service, stream_idle_timeout=0.05) as connector,
    ):
        with pytest.raises(TransportFailed, match="silent"):
            await read(connector, kit.calling(), received)
        await service.until(lambda: service.open_connections == 0)

    assert received == [b"x"]


async def test_a_stream_ends_when_it_takes_too_long_in_all(kit, connected):
    """Also one that is never silent: its service has as long as `stream_timeout`."""

    async def script(peer):
        await peer.request()
        await peer.send(HEAD)
        with suppress(ConnectionError):
            while not peer.service.departures:
                await peer.send(chunk(b"x"))
                await asyncio.sleep(0.01)

    async with (
        kit.Service(script) as service,
        connected(service, stream_timeout=0.15) as connector,
    ):
        began = time.monotonic()
        with pytest.raises(DeadlineExceeded, match=r"longer than 0\.15 s"):
            await read(connector, kit.calling(), [])
        took = time.monotonic() - began
        await service.until(lambda: service.open_connections == 0)

    assert 0.14 < took < 1  # uvloop counts in whole milliseconds


@pytest.mark.parametrize("compress", [gzip.compress, zstandard.ZstdCompressor().compress])
async def test_a_coded_stream_arrives_decoded(kit, connected, compress):
    """A stream is decoded as it comes, in pieces of bounded size."""
    plain = b"a line of text\n" * 200_000
    coding = {gzip.compress: "gzip"}.get(compress, "zstd")
    response = kit.http(compress(plain), f"Content-Encoding: {coding}")

    async with (
        kit.Service(kit.answering(response)) as service,
        connected(service) as connector,
        opened(connector.send, kit.calling()) as reply,
    ):
        names = {name for name, _ in reply.headers}
        pieces = [piece async for piece in reply]

    assert b"".join(pieces) == plain
    assert names.isdisjoint({b"content-encoding", b"content-length"})


async def test_a_cut_coding_fails_the_stream(kit, connected):
    """A body that ends where HTTP says, but not where gzip does, is broken."""
    response = kit.http(gzip.compress(b"x" * 1000)[:-4], "Content-Encoding: gzip")

    async with kit.Service(kit.answering(response)) as service, connected(service) as connector:
        with pytest.raises(BadPayload, match="ended early"):
            await read(connector, kit.calling())


async def test_an_unknown_coding_fails_the_stream_at_its_head(kit, connected):
    """What can't be decoded is not begun."""
    response = kit.http(b"uryyb", "Content-Encoding: rot13")

    async with kit.Service(kit.answering(response)) as service, connected(service) as connector:
        with pytest.raises(BadPayload, match="rot13"):
            async with opened(connector.send, kit.calling()):
                pass


async def test_a_stream_may_be_capped(kit, connected):
    """Where a cap is set, a longer stream fails at it."""
    response = kit.http(bytes(10_000))

    async with (
        kit.Service(kit.answering(response)) as service,
        connected(service, max_streamed=4096) as connector,
    ):
        with pytest.raises(BadPayload, match="larger than 4096"):
            await read(connector, kit.calling())


@pytest.mark.slow
async def test_a_slow_reader_slows_the_service(kit, connected):
    """A service can't send more than the reader takes, apart from what the kernel holds."""
    sent = 0

    async def script(peer):
        nonlocal sent
        await peer.request()
        await peer.send(HEAD)
        for _ in range(400):
            await peer.send(chunk(bytes(256 * 1024)))
            sent += 256 * 1024
        await peer.send(b"0\r\n\r\n")
        await peer.left()

    async with (
        kit.Service(script) as service,
        connected(service) as connector,
        opened(connector.send, kit.calling()) as reply,
    ):
        before = -1
        while before != sent:
            before = sent
            await asyncio.sleep(0.05)
        unread = sent
        total = sum([len(piece) async for piece in reply])

    assert unread < 20_000_000
    assert total == 400 * 256 * 1024


@pytest.mark.parametrize("loop", ["asyncio", pytest.param("uvloop", marks=pytest.mark.uvloop)])
async def test_a_stream_read_to_its_end_gives_the_connection_back(kit, loop):
    """The wire reuses a connection after a stream that ended exactly, and only then."""
    streamed = HEAD + chunk(b"x" * 200_000) + b"0\r\n\r\n"
    script = kit.answering(streamed, CLEAN, streamed + b"surplus", CLEAN)

    async with kit.Service(script) as service, kit.wired(service) as pool:
        async with opened(pool.send, kit.calling()) as reply:
            first = sum([len(piece) async for piece in reply])
        second = await pool.send(kit.calling())
        accepted = service.accepted
        async with opened(pool.send, kit.calling()) as reply:
            third = sum([len(piece) async for piece in reply])
        fourth = await pool.send(kit.calling())

    assert (first, second.body, accepted) == (200_000, b"clean", 1)
    assert (third, fourth.body, service.accepted) == (200_000, b"clean", 2)


async def test_a_stream_on_a_stale_connection_is_opened_again(kit):
    """A keep-alive that died is replaced for streams as for calls."""

    async def script(peer):
        await peer.request()
        await peer.send(CLEAN)
        await peer.request()

    async with kit.Service(script) as service, kit.wired(service) as pool:
        await pool.send(kit.calling())
        async with opened(pool.send, kit.calling()) as reply:
            pieces = [piece async for piece in reply]

    assert (pieces, service.accepted) == ([b"clean"], 2)


async def test_a_cancelled_stream_closes_its_connection(kit):
    """Cancelling a reader, at the head or in the body, leaves no connection behind."""

    async def script(peer):
        request = await peer.request()
        if b"/body" in request:
            await peer.send(HEAD, chunk(b"x"))
        await peer.left()

    async with kit.Service(script) as service, kit.wired(service) as pool:
        for target in ("/head", "/body"):
            task = asyncio.create_task(read(pool, kit.calling(target=target)))
            await service.until(lambda: service.open_connections == 1 and pool.load.active == 1)
            await asyncio.sleep(0.01)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await service.until(lambda: service.open_connections == 0)
        load = pool.load

    assert load == Load(0, 0, 0)
