"""Services that break off, hang, lie or flood: an error in time, and the next call is right."""

import asyncio
import json
import re
import subprocess
import sys
import time
import tracemalloc
from pathlib import Path

import pytest
from serving import running

from bff_core.errors import BadPayload, DeadlineExceeded, TransportFailed, UpstreamError
from bff_core.policy.upstream.connection import Connection
from bff_core.upstream.transport.framing import ResponseFraming
from bff_core.upstream.transport.interface import Endpoint, Load
from tests.streamed import opened

ROOT = Path(__file__).parents[3]
ON_BOTH_LOOPS = pytest.mark.parametrize(
    "loop", ["asyncio", pytest.param("uvloop", marks=pytest.mark.uvloop)]
)
PRODUCT = "/products/7"


@pytest.fixture(scope="module")
def mocks():
    """Run a mock service, which breaks on demand."""
    command = (sys.executable, "-m", "services_mock", "catalog", "--port", "0")
    with running(*command, cwd=ROOT, stderr=subprocess.PIPE) as process:
        found = re.search(r"http://127\.0\.0\.1:(\d+)", process.stderr.readline())
        yield Endpoint("http", "127.0.0.1", int(found[1]), "127.0.0.1")
        process.terminate()
        process.stderr.close()


async def whole(pool, call):
    """Take a reply complete."""
    return (await pool.send(call)).body


async def streamed(pool, call):
    """Take a reply as it comes, to its end."""
    async with opened(pool.send, call) as reply:
        return b"".join([piece async for piece in reply])


ROADS = {"whole": whole, "streamed": streamed}


async def break_next(kit, endpoint, fault):
    """Break the next call of a product, and no other; return what it should have been."""
    body = json.dumps(
        {"faults": [{"route": "GET /products/{product_id}", "times": 1, **fault}]}
    ).encode()
    async with kit.wired(endpoint) as pool:
        healthy = await whole(pool, kit.calling(target=PRODUCT, within=10))
        reply = await pool.send(kit.calling("PUT", "/__faults__", body=body, within=10))
    assert reply.status == 200, reply.body
    return healthy


FAULTS = {
    "hang": ({"kind": "hang"}, DeadlineExceeded, "no reply in time"),
    "hang mid-body": ({"kind": "hang_mid_body"}, DeadlineExceeded, "no reply in time"),
    "drip": ({"kind": "drip", "interval": 0.02}, DeadlineExceeded, "no reply in time"),
    "gzip bomb": ({"kind": "gzip_bomb"}, BadPayload, "larger than"),
    "oversized": ({"kind": "oversized"}, BadPayload, "larger than"),
    "reset": ({"kind": "reset"}, TransportFailed, "lost"),
    "reset in the head": ({"kind": "reset", "fraction": 0.05}, TransportFailed, "lost"),
    "reset in the body": ({"kind": "reset", "fraction": 0.9}, TransportFailed, "lost"),
    "truncated": ({"kind": "truncated"}, TransportFailed, "ended before"),
    "too long a length": (
        {"kind": "wrong_length", "delta": 10},
        DeadlineExceeded,
        "no reply in time",
    ),
}


@ON_BOTH_LOOPS
@pytest.mark.parametrize("fault", FAULTS)
async def test_each_fault_of_the_mocks_ends_in_time_and_harms_no_other(kit, mocks, loop, fault):
    """A service that breaks is an error by the deadline; the calls after it get what is theirs."""
    options, error, message = FAULTS[fault]
    within = 0.3 if error is DeadlineExceeded else 5

    async with kit.wired(mocks, max_connections=1) as pool:
        healthy = await break_next(kit, mocks, options)
        started = time.monotonic()
        with pytest.raises(error, match=message):
            await pool.send(kit.calling(target=PRODUCT, within=within))
        took, load = time.monotonic() - started, pool.load
        after = [await whole(pool, kit.calling(target=PRODUCT, within=10)) for _ in range(2)]

    assert took < within + 0.5
    assert load == Load(0, 0, 0)
    assert after == [healthy] * 2


SURPLUS = {
    "with the answer": {"kind": "surplus"},
    "a moment later": {"kind": "surplus", "delay": 0.02},
    "of a length that is too short": {"kind": "wrong_length", "delta": -10},
}


@pytest.mark.parametrize("road", ROADS)
@pytest.mark.parametrize("surplus", SURPLUS)
async def test_surplus_bytes_of_the_mocks_reach_no_other_call(kit, mocks, surplus, road):
    """Bytes after an answer never become the answer to another call."""
    async with kit.wired(mocks, max_connections=1) as pool:
        healthy = await break_next(kit, mocks, SURPLUS[surplus])
        first = await ROADS[road](pool, kit.calling(target=PRODUCT, within=10))
        async with asyncio.timeout(5):
            while pool.load.idle:  # noqa: ASYNC110 - it watches another process
                await asyncio.sleep(0.005)
        after = await whole(pool, kit.calling(target=PRODUCT, within=10))

    assert first == (healthy[:-10] if "length" in surplus else healthy)
    assert after == healthy


STREAM_FAULTS = {
    "hang": (DeadlineExceeded, "no reply in time"),
    "hang mid-body": (TransportFailed, "silent for"),
    "gzip bomb": (BadPayload, "larger than"),
    "oversized": (BadPayload, "larger than"),
    "reset in the head": (TransportFailed, "lost"),
    "reset in the body": (TransportFailed, "lost"),
    "truncated": (TransportFailed, "ended before"),
    "too long a length": (TransportFailed, "silent for"),
}


@pytest.mark.parametrize("fault", STREAM_FAULTS)
async def test_each_fault_of_the_mocks_ends_a_stream(kit, mocks, fault):
    """A stream says how it broke, when its reader has taken what came before."""
    error, message = STREAM_FAULTS[fault]
    within = 0.3 if error is DeadlineExceeded else 5
    bounds = {"stream_idle_timeout": 0.2, "max_streamed": 1_000_000}

    async with kit.wired(mocks, max_connections=1, **bounds) as pool:
        healthy = await break_next(kit, mocks, FAULTS[fault][0])
        started = time.monotonic()
        with pytest.raises(error, match=message):
            await streamed(pool, kit.calling(target=PRODUCT, within=within))
        took, load = time.monotonic() - started, pool.load
        after = await streamed(pool, kit.calling(target=PRODUCT, within=10))

    assert took < 3
    # A small bomb may have arrived as a whole when its size is found out: its connection is clean.
    assert load in {Load(0, 0, 0), Load(1 if fault == "gzip bomb" else 0, 0, 0)}
    assert after == healthy


async def test_the_transport_passes_on_bodies_that_are_not_json(kit, mocks):
    """The transport reads HTTP; the decoder finds out whether a body is JSON."""
    async with kit.wired(mocks, max_connections=1) as pool:
        for flavour in ("syntax", "cut", "nan", "deep", "html", "charset", "empty"):
            await break_next(kit, mocks, {"kind": "garbage", "flavour": flavour})
            reply = await pool.send(kit.calling(target=PRODUCT, within=10))
            following = await pool.send(kit.calling(target=PRODUCT, within=10))

            assert reply.status == 200
            assert reply.body != following.body
            assert json.loads(following.body)["id"] == "7"


LENGTH = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
CHUNKS = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
PHASES = {
    "before the answer": b"",
    "in the status line": b"HTTP/1.",
    "in the head": b"HTTP/1.1 200 OK\r\nX-One: 1",
    "in the end of the head": b"HTTP/1.1 200 OK\r\nX-One: 1\r\n\r",
    "after an interim answer": b"HTTP/1.1 103 Early Hints\r\n\r\n",
    "after the head": LENGTH,
    "in the body": LENGTH + b"12",
    "before the chunks": CHUNKS,
    "in the size of a chunk": CHUNKS + b"1",
    "in a chunk": CHUNKS + b"5\r\n12",
    "between chunks": CHUNKS + b"2\r\n12\r\n",
    "in the last chunk": CHUNKS + b"2\r\n12\r\n0\r\n",
    "in the trailer": CHUNKS + b"2\r\n12\r\n0\r\nX-Sum: 1",
    "in a body until close": b"HTTP/1.1 200 OK\r\n\r\n12",
}


@ON_BOTH_LOOPS
@pytest.mark.parametrize("road", ROADS)
@pytest.mark.parametrize("phase", PHASES)
async def test_a_reset_in_any_phase_is_an_error(kit, loop, phase, road):
    """No part of an answer is taken for the whole; not even one that only a good end would end."""

    async def script(peer):
        request = await peer.request()
        if b"/next" in request:
            await peer.send(LENGTH, b"right")
            await peer.left()
        await peer.send(PHASES[phase])
        await asyncio.sleep(0.01)  # so that it is read before the reset, which would overtake it
        peer.reset()

    async with kit.Service(script) as service, kit.wired(service, max_connections=1) as pool:
        with pytest.raises(TransportFailed) as caught:
            await ROADS[road](pool, kit.calling())
        load = pool.load
        following = await ROADS[road](pool, kit.calling(target="/next"))

    assert caught.value.is_sent
    assert (load, following) == (Load(0, 0, 0), b"right")


@ON_BOTH_LOOPS
async def test_a_reset_while_a_body_is_sent_is_an_error(kit, loop):
    """A service that gives up in the middle of a request ends the call at once."""

    async def script(peer):
        await peer.reader.readuntil(b"\r\n\r\n")
        peer.reset()

    async with kit.Service(script) as service, kit.wired(service) as pool:
        with pytest.raises(TransportFailed) as caught:
            await pool.send(kit.calling("POST", body=bytes(20_000_000), within=10))
        load = pool.load

    assert caught.value.is_sent
    assert load == Load(0, 0, 0)


async def test_a_service_that_never_reads_is_left_at_the_deadline(kit):
    """A body that can't be written costs its deadline and no more; its bytes are let go."""

    async def script(peer):
        peer.writer.transport.pause_reading()
        await asyncio.Event().wait()

    async with kit.Service(script) as service, kit.wired(service) as pool:
        started = time.monotonic()
        with pytest.raises(DeadlineExceeded):
            await pool.send(kit.calling("POST", body=bytes(20_000_000), within=0.3))
        took, load = time.monotonic() - started, pool.load

    assert 0.29 < took < 1.0
    assert load == Load(0, 0, 0)


@pytest.mark.parametrize("chunk", [b"1\r\nx\r\n", b"2\r\nxy\r\n"])
def test_a_body_of_tiny_chunks_costs_no_more_memory_than_its_bytes(chunk):
    """An object for each chunk would make a gigabyte of a few megabytes."""
    response = ResponseFraming(Connection(), is_head=False)
    read, size = chunk * 40_000, int(chunk[:1]) * 40_000

    tracemalloc.start()
    response.feed(CHUNKS)
    for _ in range(25):
        response.feed(read)
    allocated, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert response.received == 25 * size
    assert allocated < 25 * size + 500_000


async def flood(peer, head, block):
    """Send a head, and then the same again and again."""
    await peer.request()
    await peer.send(head)
    while True:
        await peer.send(block)


FLOODS = {
    "a head": (b"HTTP/1.1 200 OK\r\n", b"X: 1\r\n" * 1000),
    "a field": (b"HTTP/1.1 200 OK\r\nX: ", b"x" * 8000),
    "interim answers": (b"", b"HTTP/1.1 103 Early Hints\r\n\r\n" * 300),
    "a trailer": (CHUNKS + b"0\r\n", b"X: 1\r\n" * 1000),
    "an extension": (CHUNKS + b"1;", b"x" * 8000),
    "a chunk size": (CHUNKS, b"0" * 8000),
    "line ends": (b"", b"\r\n" * 4000),
    "nothing but text": (b"", b"x" * 8000),
    "a body": (b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 8000),
    "chunks": (CHUNKS, b"5\r\nhello\r\n" * 800),
    "tiny chunks with extensions": (CHUNKS, b"1;" + b"x" * 3000 + b"\r\nx\r\n"),
}


@pytest.mark.parametrize("what", FLOODS)
async def test_a_flood_is_cut_with_memory_flat(kit, what):
    """Whatever goes on without end is refused at its cap, or at the deadline."""
    head, block = FLOODS[what]

    async def script(peer):
        await flood(peer, head, block)

    async with (
        kit.Service(script) as service,
        kit.wired(service, max_body=1_000_000) as pool,
    ):
        tracemalloc.start()
        with pytest.raises(UpstreamError):
            await pool.send(kit.calling(within=1.0))
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        await service.until(lambda: service.open_connections == 0)
        load = pool.load

    assert peak < 8_000_000
    assert load == Load(0, 0, 0)
