"""The console of a gateway with several workers, over real processes."""

import asyncio
import os
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.processes.process import ForkServer, Process
from tests.processes.services import answers
from tests.server.conftest import free_port
from tests.server.talking import until

PAGES = ("overview", "requests", "upstreams", "sessions", "installation", "screens")
TOKEN = "the-operator-s-own-token"
BEARER = {"authorization": f"Bearer {TOKEN}"}


class Till(Process):
    """Two workers; `folder` is where their parent makes its own."""

    def __init__(self, fork_server: ForkServer, folder: Path) -> None:
        self.port, self.folder = free_port(), folder
        super().__init__(
            fork_server,
            *("bff_core", "serve", "tests.console.till:app", "--workers", "2"),
            *("--port", str(self.port)),
            log=folder / "log",
            environ={
                "BFF_ENV": "production",
                "BFF_CONSOLE": "on",
                "BFF_OPERATOR_TOKEN": TOKEN,
                "BFF_DRAIN_DELAY": "0",
                "TMPDIR": str(folder),
            },
            is_ready=lambda: answers(self.port, "/readyz"),
        )

    @property
    def sockets(self) -> list[Path]:
        """The sockets of its processes."""
        return sorted(self.folder.glob("bff-*/*.sock"))

    async def workers(self) -> list[int]:
        """Return the process ids that the console lists."""
        _, found = await self.read("installation")
        return [one["pid"] for one in found["gateways"][0]["workers"]]

    async def until_workers(self, count: int) -> list[int]:
        """Wait until the console lists so many processes; return their ids."""
        for _ in range(100):
            if len(found := await self.workers()) == count:
                break
            await asyncio.sleep(0.05)
        return found

    async def read(self, path: str) -> tuple[float, dict]:
        """Read from the API of the console; return the seconds that it took, and the answer."""
        async with httpx.AsyncClient(headers=BEARER) as client:
            began = time.monotonic()
            answered = await client.get(f"http://127.0.0.1:{self.port}/console/api/{path}")
        assert answered.status_code == 200, answered.text
        return time.monotonic() - began, answered.json()


@pytest.fixture
def till(fork_server: ForkServer) -> Iterator[Till]:
    """Serve a gateway with two workers, whose sockets have room below its folder."""
    with tempfile.TemporaryDirectory() as folder:
        process = Till(fork_server, Path(folder))
        yield process.start().wait_until_ready()
        process.kill()


async def test_the_console_of_each_worker_shows_all_workers(till):
    """The workers find each other, also the one that replaces another; at the end all is gone."""
    await until(lambda: len(till.sockets) == 2)
    (folder,) = till.folder.glob("bff-*")
    first = await till.workers()
    mode = folder.stat().st_mode & 0o777

    os.kill(first[0], signal.SIGKILL)
    dead = folder / f"{first[0]}.sock"
    await until(lambda: not dead.exists() and len(till.sockets) == 2)
    second = await till.workers()
    _, overview = await till.read("overview")
    till.signal(signal.SIGTERM)
    await until(lambda: not till.is_alive)

    assert mode == 0o700
    assert len(set(first)) == len(set(second)) == 2
    assert first[0] not in second
    assert first[1] in second
    events = [one["text"] for one in overview["events"]]
    assert events.count("a **worker** ended (SIGKILL) and is replaced") == 1
    assert not folder.exists()


async def test_a_live_page_does_not_delay_the_end(till):
    """The stream of each page ends with the graceful shutdown; it does not use up the grace."""
    frames = []
    async with httpx.AsyncClient(headers=BEARER, timeout=20) as client:
        url = f"http://127.0.0.1:{till.port}/console/api/live"
        async with client.stream("GET", url) as response:
            async for line in response.aiter_lines():
                if not frames:
                    began = time.monotonic()
                    till.signal(signal.SIGTERM)
                frames.append(line)
    await until(lambda: not till.is_alive)

    assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert frames[0] == "retry: 1000"
    assert time.monotonic() - began < 5


async def test_a_stopped_worker_delays_no_page(till):
    """Each page waits for it at most once, names it, and has all figures when it goes on."""
    await until(lambda: len(till.sockets) == 2)
    stopped = next(pid for pid in await till.workers())
    os.kill(stopped, signal.SIGSTOP)
    try:
        seconds = [(await till.read(path))[0] for path in (*PAGES, *PAGES)]
        _, overview = await till.read("overview")
    finally:
        os.kill(stopped, signal.SIGCONT)
    (found,) = overview["installation"]["gateways"]
    all_workers = await till.until_workers(2)

    assert max(seconds) < 1
    assert sum(seconds) < 3
    assert [one["pid"] for one in found["silent"]] == [stopped]
    assert found["health"] == "degraded"
    assert len(found["workers"]) == 1
    assert stopped in all_workers
