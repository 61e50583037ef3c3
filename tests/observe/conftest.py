"""Runs the failing gateway behind real servers."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.observe.otlp_receiver import OTLPReceiver, otlp_receiver
from tests.processes.process import ForkServer, Process
from tests.processes.services import answers
from tests.server.conftest import free_port


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[OTLPReceiver]:
    """Receive what gateways of the test export over OTLP."""
    with otlp_receiver() as receiver:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url)
        monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "60000")
        yield receiver


@pytest.fixture
def serve(fork_server: ForkServer, tmp_path: Path) -> Iterator[Callable[..., tuple[Process, int]]]:
    """Start a server of the failing gateway; return it with its port when it serves."""
    running: list[Process] = []

    def start(server: str, **environ: str) -> tuple[Process, int]:
        port = free_port()
        process = Process(
            fork_server,
            *(("bff_core", "serve") if server == "bff serve" else (server,)),
            *("tests.observe.serving:app", "--port", str(port)),
            log=tmp_path / f"{port}.log",
            environ={"BFF_ENV": "development", "BFF_DRAIN_DELAY": "0", **environ},
            is_ready=lambda: answers(port, "/readyz"),
        )
        running.append(process.start())
        return process.wait_until_ready(), port

    yield start
    for process in running:
        process.kill()
