"""The console of a gateway with several workers, over real processes."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.processes.process import ForkServer, Process
from tests.processes.services import answers
from tests.server.conftest import free_port
from tests.server.talking import until

TOKEN = "the-operator-s-own-token"
BEARER = {"authorization": f"Bearer {TOKEN}"}


@pytest.fixture(scope="module")
def fork_server() -> Iterator[ForkServer]:
    """Fork processes, and end them with the module."""
    fork_server = ForkServer()
    yield fork_server
    fork_server.close()


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
        async with httpx.AsyncClient(headers=BEARER) as client:
            url = f"http://127.0.0.1:{self.port}/console/api/installation"
            (found,) = (await client.get(url)).json()["gateways"]
        return [one["pid"] for one in found["workers"]]


@pytest.fixture
def till(fork_server: ForkServer, tmp_path: Path) -> Iterator[Till]:
    """Serve a gateway with two workers."""
    process = Till(fork_server, tmp_path)
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
    till.signal(signal.SIGTERM)
    await until(lambda: not till.is_alive)

    assert mode == 0o700
    assert len(set(first)) == len(set(second)) == 2
    assert first[0] not in second
    assert first[1] in second
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
