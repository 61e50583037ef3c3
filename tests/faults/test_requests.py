"""Requests that are slow, malformed or too much: refused before anything is done for them."""

import asyncio
import gzip
import json
import socket
import time
from collections.abc import Iterator

import pytest

from tests.faults.conftest import FAULT_GATEWAY, FaultSite
from tests.processes.client import Answer, ask, raw, read_answer, rendered
from tests.processes.gateway import Gateway
from tests.processes.waiting import until

PATIENCE = 0.6
"""Seconds that the gateway of these tests waits for a head, a body or a reader."""

LATE = 0.6
"""Seconds that a busy machine may add; the promise's own tolerance is an eighth of the patience."""

MIB = 1024 * 1024
JSON = {"content-type": "application/json"}


@pytest.fixture(scope="module")
def strict(started: FaultSite) -> Iterator[Gateway]:
    """Serve the gateway with short timeouts, so that tests can wait for them."""
    patience = {f"BFF_{what}_TIMEOUT": str(PATIENCE) for what in ("HEADER", "BODY", "SEND")}
    with started.site.serving(FAULT_GATEWAY, started.environ(**patience)) as gateway:
        yield gateway


async def drip(writer: asyncio.StreamWriter, data: bytes) -> None:
    """Send a byte now and then, until the other side has had enough."""
    for place in range(len(data)):
        writer.write(data[place : place + 1])
        await asyncio.sleep(0.05)


async def refusal(port: int, begin: bytes, rest: bytes) -> tuple[Answer, bool]:
    """Begin a request at once, drip the rest; return the answer, and whether it was the end."""
    async with raw(port) as (reader, writer):
        writer.write(begin)
        dripping = asyncio.create_task(drip(writer, rest))
        began = time.monotonic()
        try:
            answer = await read_answer(reader)
            seconds = time.monotonic() - began
            is_over = await reader.read(1) == b""
        finally:
            dripping.cancel()
            await asyncio.gather(dripping, return_exceptions=True)
    return Answer(answer.status, answer.headers, answer.body, seconds), is_over


async def test_slow_header(strict):
    """A client that spells out its request loses its connection, and learns why."""
    answer, is_over = await refusal(
        strict.port, b"GET /v1/me HTTP/1.1\r\n", b"x-slow: " + b"a" * 500
    )

    assert answer.status == 408
    assert answer.json()["trace_id"]
    assert is_over
    assert PATIENCE * 0.8 <= answer.seconds <= PATIENCE * 1.2 + LATE


async def test_slow_body(strict):
    """The same for a body that does not come."""
    begin = rendered("/v1/echo", method="POST", headers={**JSON, "content-length": "5000"})
    answer, is_over = await refusal(strict.port, begin, b'{"text": "' + b"a" * 500)

    assert answer.status == 408
    assert is_over
    assert PATIENCE * 0.8 <= answer.seconds <= PATIENCE * 1.2 + LATE


async def test_slow_reader(strict):
    """What is not read is not written: little is held for it, and not for long."""
    memory = strict.memory
    with socket.socket() as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        line.connect(("127.0.0.1", strict.port))
        line.sendall(rendered("/v1/endless"))
        began = time.monotonic()
        await until(lambda: strict.look()["streams"] == 1)
        await until(lambda: strict.look()["streams"] == 0)
        lasted = time.monotonic() - began
        grown = strict.memory - memory

    assert lasted <= PATIENCE * 2 + LATE
    assert grown <= 8 * MIB


HEAD = b"GET /v1/products/1 HTTP/1.1\r\n"
POST = b"POST /v1/echo HTTP/1.1\r\nHost: localhost\r\n"
MALFORMED = {
    "no Host": (400, HEAD + b"\r\n"),
    "two Hosts": (400, HEAD + b"Host: localhost\r\nHost: localhost\r\n\r\n"),
    "another's Host": (400, HEAD + b"Host: evil.example\r\n\r\n"),
    "bare LF": (400, b"GET /v1/products/1 HTTP/1.1\nHost: localhost\n\n"),
    "bare LF in a field": (400, HEAD + b"Host: localhost\r\nX-A: b\nX-C: d\r\n\r\n"),
    "CL+TE": (
        400,
        POST + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ),
    "two lengths": (
        400,
        POST + b"Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcde",
    ),
    "a space before the colon": (400, HEAD + b"Host : localhost\r\n\r\n"),
    "a folded field": (400, HEAD + b"Host: localhost\r\nX-A: b\r\n c\r\n\r\n"),
    "100 KB of headers": (431, HEAD + b"Host: localhost\r\nX-A: " + b"a" * 100_000 + b"\r\n\r\n"),
    "a thousand headers": (
        431,
        HEAD + b"Host: localhost\r\n" + b"".join(b"X-%d: a\r\n" % n for n in range(1000)) + b"\r\n",
    ),
}


@pytest.mark.parametrize("case", MALFORMED)
async def test_no_host_two_hosts_bare_lf_cl_te_100_kb_of_headers(started, strict, case):
    """Refused with a reason, and bytes behind it are not read as a request."""
    status, request = MALFORMED[case]
    before = started.catalog.call_count
    async with raw(strict.port) as (reader, writer):
        writer.write(request + rendered("/v1/products/1"))
        async with asyncio.timeout(5):
            answer = await read_answer(reader)
            rest = b"" if case == "another's Host" else await reader.read()

    assert answer.status == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert rest == b""
    assert case == "another's Host" or started.catalog.call_count == before


async def test_body_too_large(fault_site):
    """A length that is too large is refused unread, a body that turns out to be is cut off."""
    memory = fault_site.gateway.memory
    announced = await ask(
        fault_site.port,
        "/v1/echo",
        method="POST",
        headers={**JSON, "content-length": str(1024 * MIB)},
    )
    async with raw(fault_site.port) as (reader, writer):
        head = {**JSON, "transfer-encoding": "chunked"}
        writer.write(rendered("/v1/echo", method="POST", headers=head))
        sending = asyncio.create_task(pour(writer, 64 * MIB))
        chunked = await read_answer(reader)
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)

    assert (announced.status, chunked.status) == (413, 413)
    assert announced.json()["trace_id"]
    assert fault_site.gateway.memory - memory <= 8 * MIB


async def pour(writer: asyncio.StreamWriter, size: int) -> None:
    """Send a body in chunks of 64 KiB."""
    chunk = b"10000\r\n" + b"a" * 65536 + b"\r\n"
    for _ in range(size // 65536):
        writer.write(chunk)
        await writer.drain()


async def test_decompression_bomb_in_a_request(fault_site):
    """A gzipped body that would grow a thousandfold is not unpacked."""
    bomb = gzip.compress(json.dumps({"text": "a" * (64 * MIB)}).encode())
    memory = fault_site.gateway.memory
    headers = {**JSON, "content-encoding": "gzip"}
    answer = await ask(fault_site.port, "/v1/echo", method="POST", headers=headers, body=bomb)

    assert answer.status == 415
    assert answer.headers["content-type"] == "application/problem+json"
    assert fault_site.gateway.memory - memory <= 8 * MIB
