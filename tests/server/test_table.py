"""The table of servers in docs/reference/server.md: each cell is tested."""

import asyncio
import os
import re
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from tests.processes.process import ForkServer, Process
from tests.processes.services import answers
from tests.server.conftest import DEPOT, free_port
from tests.server.talking import connect, until

ROOT = Path(__file__).parents[2]
ENVIRON = {
    "BFF_ENV": "development",
    "BFF_LOG": "off",
    "BFF_MAX_LAG": "0",
    "BFF_TIMEOUT": "1.5",
    "BFF_HEADER_TIMEOUT": "0.5",
    "BFF_BODY_TIMEOUT": "0.5",
    "BFF_SEND_TIMEOUT": "0.5",
}
HOST = b"Host: localhost\r\n"
ENOUGH = 1.2
"""Seconds in which a deadline of half a second has passed, and that of the request has not."""

Probe = Callable[[int], Awaitable[bool]]


async def say(port: int, data: bytes) -> tuple[int, bytes]:
    """Send bytes; return status and what came of the answer, 0 for none in time."""
    client = await connect(port)
    try:
        client.send(data)
        answer = await asyncio.wait_for(client.answer(), ENOUGH)
    except (TimeoutError, EOFError, OSError):
        return 0, b""
    finally:
        await client.close()
    return answer.status, answer.body


def is_answered(status: int, *requests: bytes) -> Probe:
    """Return a probe that wants each of these requests answered so."""

    async def probe(port: int) -> bool:
        return [(await say(port, data))[0] for data in requests] == [status] * len(requests)

    return probe


async def sends_problems(port: int) -> bool:
    """Try a request that reaches no application."""
    _, body = await say(port, b"GET /items/1 HTTP/1.1\r\nHost: a\r\nX : 1\r\n\r\n")
    return b'"trace_id"' in body


async def drops_trailers(port: int) -> bool:
    """Try to pass a field off behind the body."""
    head = b"POST /fields HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n"
    _, body = await say(port, head + b"1\r\na\r\n0\r\nAuthorization: forged\r\n\r\n")
    return b"host" in body and b"authorization" not in body


async def cuts_readers(port: int) -> bool:
    """Ask for much, and read none of it."""
    client = await connect(port, buffer=4096)
    client.send(b"GET /large HTTP/1.1\r\n" + HOST + b"\r\n")
    await asyncio.sleep(ENOUGH)
    try:
        await asyncio.wait_for(client.reader.read(), ENOUGH / 2)
    except ConnectionResetError:
        return True
    except TimeoutError:  # there is more and more to read
        return False
    return True


async def cancels_handlers(port: int) -> bool:
    """Leave while the handler works, and look long before its deadline."""
    client = await connect(port)
    client.send(b"GET /wait HTTP/1.1\r\n" + HOST + b"\r\n")
    await asyncio.sleep(0.2)
    await client.close()
    await asyncio.sleep(ENOUGH / 3)  # test_leaving knows how soon it is
    _, cancelled = await say(port, b"GET /cancelled HTTP/1.1\r\n" + HOST + b"\r\n")
    return cancelled == b"1"


async def reads_behind_an_offer(port: int) -> bool:
    """Post JSON as `curl --http2` does, and ask for something else behind it."""
    client = await connect(port)
    head = OFFER % (b"POST /orders", b"h2c") + b"Content-Type: application/json\r\n"
    client.send(head + b"Content-Length: 8\r\n\r\n" + b'{"a": 1}' + GET + HOST + b"\r\n")
    try:
        async with asyncio.timeout(ENOUGH):
            answers = [await client.answer() for _ in range(2)]
    except (TimeoutError, EOFError, OSError):
        return False
    finally:
        await client.close()
    return [one.status for one in answers] == [201, 200]


def refuses(*requests: bytes) -> Probe:
    """Return a probe that wants each of these requests refused, by whatever status."""

    async def probe(port: int) -> bool:
        return all([(await say(port, data))[0] in {400, 505} for data in requests])

    return probe


async def follows_targets(port: int) -> bool:
    """Let target and Host differ, each once with a host that is not served."""
    target = b"GET http://%b/items/1 HTTP/1.1\r\nHost: %b\r\n\r\n"
    away, _ = await say(port, target % (b"elsewhere.example", b"localhost"))
    here, _ = await say(port, target % (b"localhost", b"elsewhere.example"))
    return (away, here) == (400, 200)


OFFER = b"%b HTTP/1.1\r\n" + HOST + b"Connection: Upgrade\r\nUpgrade: %b\r\n"
POST = b"POST /orders HTTP/1.1\r\nContent-Type: application/json\r\n" + HOST
CHUNKS = b'8\r\n{"a": 1}\r\n0\r\n\r\n'
CHUNKED = b"Transfer-Encoding: chunked\r\n"
GET = b"GET /items/1 HTTP/1.1\r\n"

PROBES: dict[str, Probe] = {
    "no Host, or two: 400": is_answered(400, GET + b"\r\n", GET + HOST * 2 + b"\r\n"),
    "bare line feeds: 400": is_answered(400, b"GET /items/1 HTTP/1.1\nHost: localhost\n\n"),
    "a length beside a transfer coding: 400": is_answered(
        400, POST + b"Content-Length: 8\r\n" + CHUNKED + b"\r\n" + CHUNKS
    ),
    "a folded field: 400": is_answered(400, GET + HOST + b"X: 1\r\n 2\r\n\r\n"),
    "a transfer coding that is not supported: 501": is_answered(
        501, POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n" + CHUNKS
    ),
    "an expectation that is not supported: 417": is_answered(
        417, GET + HOST + b"Expect: tea\r\n\r\n"
    ),
    "a body after an offer of HTTP/2 is no request": reads_behind_an_offer,
    "a handshake of a web socket with a body: 400": is_answered(
        400, OFFER % (b"GET /chat", b"websocket") + b"Content-Length: 8\r\n\r\n"
    ),
    "HTTP/2.0 and RTSP/1.0 without negotiation: 505 or 400": refuses(
        b"GET /items/1 HTTP/2.0\r\n" + HOST + b"\r\n",
        b"GET /items/1 RTSP/1.0\r\n" + HOST + b"\r\n",
    ),
    "a user name before the host of a target, or a fragment: 400": is_answered(
        400,
        b"GET http://u@localhost/items/1 HTTP/1.1\r\n" + HOST + b"\r\n",
        b"GET /items/1#x HTTP/1.1\r\n" + HOST + b"\r\n",
    ),
    "the host of an absolute target counts, not the Host field": follows_targets,
    "100 KB of headers: 431": is_answered(431, GET + HOST + b"X: " + b"x" * 100_000 + b"\r\n\r\n"),
    "trailers are not taken for headers": drops_trailers,
    "a head that takes too long: 408": is_answered(408, GET + HOST),
    "a body that takes too long: 408": is_answered(408, POST + b"Content-Length: 8\r\n\r\n{"),
    "a reader that stops reading is cut off": cuts_readers,
    "a client that leaves: its handler ends within 0.1 s": cancels_handlers,
    "refusals are problem details with ids": sends_problems,
}


@pytest.fixture(scope="module")
def servers(
    fork_server: ForkServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, int]]:
    """Serve the depot with three servers; their ports by name."""
    folder = tmp_path_factory.mktemp("servers")
    ports = {name: free_port() for name in ("ours", "uvicorn", "granian")}
    commands = {
        "ours": ("bff_core", "serve", DEPOT, "--port", str(ports["ours"])),
        "uvicorn": ("uvicorn", DEPOT, "--port", str(ports["uvicorn"]), "--http", "httptools"),
    }
    processes = [
        Process(fork_server, *command, log=folder / name, environ=ENVIRON, is_ready=lambda: True)
        for name, command in commands.items()
    ]
    granian = subprocess.Popen(
        (
            *(sys.executable, "-m", "granian", "--interface", "asgi"),
            *("--port", str(ports["granian"]), DEPOT),
        ),
        cwd=ROOT,
        env={**os.environ, **ENVIRON},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for process in processes:
            process.start()
        limit = time.monotonic() + 30
        while not all(answers(port, "/readyz") for port in ports.values()):
            assert time.monotonic() < limit, "a server did not come up"
            time.sleep(0.05)
        yield ports
    finally:
        granian.terminate()
        for process in processes:
            process.kill()
        granian.wait(10)


def documented() -> dict[str, list[str]]:
    """Return the rows of the page's first table."""
    page = (ROOT / "docs/reference/server.md").read_text()
    table = page.partition("## HTTP parsing")[2].partition("##")[0]
    rows = re.findall(r"^\| (.+?) \| (\w+) \| (\w+) \| (\w+) \|$", table, re.MULTILINE)
    return {row[0]: list(row[1:]) for row in rows[1:]}


def test_the_table_has_all_rows():
    """The tests are those of the page, in the same order."""
    assert list(documented()) == list(PROBES)


@pytest.mark.parametrize("row", PROBES)
async def test_a_row_of_the_table_is_true(row, servers):
    """With our server, with plain uvicorn, with granian: the gateway is the same for each."""
    await until(lambda: all(answers(port, "/healthz") for port in servers.values()))

    found = await asyncio.gather(*(PROBES[row](port) for port in servers.values()))

    assert ["yes" if holds else "no" for holds in found] == documented()[row]
