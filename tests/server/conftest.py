"""Processes that serve the depot."""

import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.processes.process import ForkServer, Process
from tests.processes.services import answers

DEPOT = "tests.server.depot:app"


def free_port() -> int:
    """Return a free port."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


Depot = Callable[..., Process]


@pytest.fixture
def depot(fork_server: ForkServer, tmp_path: Path) -> Iterator[Depot]:
    """Start processes that serve the depot; `port` and `log` say where."""
    started: list[Process] = []

    def start(*options: str, app: str = DEPOT, port: int | None = None, **environ: str) -> Process:
        port = port or free_port()
        process = Process(
            fork_server,
            *("bff_core", "serve", app, "--port", str(port), *options),
            log=tmp_path / f"{port}.log",
            environ={"BFF_ENV": "development", "BFF_LOG": "json", "BFF_MAX_LAG": "0", **environ},
            is_ready=lambda: answers(port, "/readyz"),
        )
        process.port = port
        started.append(process.start())
        return process.wait_until_ready()

    yield start
    for process in started:
        process.kill()
