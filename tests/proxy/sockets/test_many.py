"""A thousand proxied web sockets in one process: memory, and a graceful shutdown."""

import asyncio
import os
import resource
from collections.abc import Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.proxy.sockets.wire import TEXT, Peer, closing, frame, opened, serving
from tests.server.talking import until

COUNT = int(os.environ.get("PROXIED_SOCKETS", "1000"))
MAX_KIB_PER_SOCKET = 80
"""Both sides, their frames, tasks and buffers; measured: half of it."""

BATCH = 50


@pytest.fixture
def many_descriptors() -> Iterator[None]:
    """Allow as many descriptors as the test and its processes need."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = 2 * COUNT + 200
    if hard < needed:
        pytest.skip(f"{needed} descriptors are needed; the hard limit is {hard}: ulimit -Hn")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, needed), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.fixture
def start_chats(depot):
    """Start a process that passes web sockets on to the service at an address."""

    def start(url: str):
        return depot(
            *("--drain-delay=0", "--grace=10"),
            app="tests.proxy.sockets.chat_gateway:app",
            BFF_UPSTREAM_CHAT=url,
            BFF_LOG="off",
        )

    return start


def memory_kib(pid: int) -> int:
    """Return the resident memory of a process."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))


def descriptors(pid: int) -> int:
    """Return how many files a process has open."""
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


class Echo:
    """A service that says everything again, and notes with which code each web socket ended."""

    def __init__(self) -> None:
        self.codes: list[int | None] = []

    async def __call__(self, peer: Peer) -> None:
        """Speak with one client."""
        while (one := await peer.message()) is not None:
            peer.send(frame(one.opcode, one.payload, masked=False))
            if one.opcode == 8:
                self.codes.append(one.code)
                return


async def talk(client) -> None:
    """Send a message, and wait for its echo."""
    client.send(frame(TEXT, b"hi"))
    answer = await client.message()
    assert answer is not None
    assert answer.payload == b"hi"


@asynccontextmanager
async def many(port: int, count: int):
    """Open web sockets, each with an echo; drop what is open at the end."""
    clients = []
    try:
        for _ in range(count // BATCH):
            clients += await asyncio.gather(*(opened(port, "/chat") for _ in range(BATCH)))
        assert {client.status for client in clients} == {101}
        for start in range(0, count, BATCH):
            await asyncio.gather(*map(talk, clients[start : start + BATCH]))
        yield clients
    finally:
        for client in clients:
            client.drop()


@pytest.mark.usefixtures("many_descriptors")
async def test_a_thousand_sockets(start_chats):
    """Each takes the same little memory; those that end leave nothing; a shutdown closes all.

    At the shutdown each client gets 1012, each service 1001, and the process ends without an error.
    """
    notes = Echo()
    async with serving(notes) as service:
        process = await asyncio.to_thread(start_chats, service.url)
        async with many(process.port, BATCH):
            pass
        await until(lambda: not service.open)
        at_rest, before = descriptors(process.pid), memory_kib(process.pid)

        async with many(process.port, COUNT // 2):
            half = memory_kib(process.pid)
        await until(lambda: descriptors(process.pid) <= at_rest)
        notes.codes.clear()
        async with many(process.port, COUNT) as clients:
            whole = memory_kib(process.pid)
            process.ask_to_end()
            closes = await asyncio.gather(*(leave(client) for client in clients))
        await until(lambda: len(notes.codes) == COUNT)
        await asyncio.to_thread(process.wait_for_end)

    each = (whole - before) / COUNT
    assert each < MAX_KIB_PER_SOCKET
    assert (whole - half) / (COUNT / 2) < MAX_KIB_PER_SOCKET
    assert {one and (one.code, one.reason) for one in closes} == {(1012, "the server restarts")}
    assert set(notes.codes) == {1001}
    assert "Traceback" not in process.output


async def leave(client):
    """Read the close frame, and answer it."""
    close = await client.close()
    client.send(closing(1012))
    return close
