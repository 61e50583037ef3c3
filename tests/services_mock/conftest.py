"""The mock services for their own tests: in process, and as processes with real sockets."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import msgspec
import pytest

from services_mock import shop as mocks

ROOT = Path(__file__).parents[2]
READY = re.compile(r"http://127\.0\.0\.1:(\d+)")

Shop = Callable[[str], httpx.AsyncClient]


@pytest.fixture
def shop() -> Shop:
    """Return a function that opens a service in process; each test has services of its own."""
    opened: dict[str, httpx.AsyncClient] = {}

    def service(name: str) -> httpx.AsyncClient:
        if name not in opened:
            transport = httpx.ASGITransport(mocks.create_app(name))
            opened[name] = httpx.AsyncClient(transport=transport, base_url=f"http://{name}")
        return opened[name]

    return service


@dataclass
class Served:
    """A service in a process of its own, spoken to in raw bytes."""

    port: int
    client: httpx.Client
    pid: int

    def connect(self, *, receive_buffer: int = 0) -> socket.socket:
        """Open a connection whose reads fail after five seconds.

        `receive_buffer` is how many bytes the system may take for it before they are read.
        """
        connection = socket.socket()
        connection.settimeout(5)
        if receive_buffer:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        connection.connect(("127.0.0.1", self.port))
        return connection

    def ask(self, target: str, *, method: str = "GET", body: bytes = b"") -> tuple[int, bytes]:
        """Send one ordinary request; return status and body."""
        answer = self.client.request(method, target, content=body)
        return answer.status_code, answer.content

    def calls(self) -> dict[str, object]:
        """Return what the service counted."""
        return msgspec.json.decode(self.ask("/__calls__")[1])

    @contextmanager
    def fault(self, **fault: object) -> Iterator[None]:
        """Break the service for a while."""
        wanted = msgspec.json.encode({"faults": [fault]})
        status, answer = self.ask("/__faults__", method="PUT", body=wanted)
        assert status == 200, answer
        try:
            yield
        finally:
            self.ask("/__faults__", method="DELETE")


@pytest.fixture(scope="session")
def start() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Return a function that starts `python -m services_mock …`; whatever is left is killed."""
    started: list[subprocess.Popen[str]] = []

    def run(*arguments: str, **environment: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "services_mock", *arguments],
            cwd=ROOT,
            env={**os.environ, **environment},
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield run
    for process in started:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.communicate(timeout=10)


def printed_port(process: subprocess.Popen[str]) -> int:
    """Read the line by which a service says that it is ready."""
    assert process.stderr is not None
    line = process.stderr.readline()
    found = READY.search(line)
    assert found, f"no address in {line!r}"
    return int(found[1])


@contextmanager
def served(process: subprocess.Popen[str]) -> Iterator[Served]:
    """Wait until a service is ready, and speak to it."""
    port = printed_port(process)
    with httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
        yield Served(port, client, process.pid)


@pytest.fixture(scope="session")
def catalog(start: Callable[..., subprocess.Popen[str]]) -> Iterator[Served]:
    """Yield a catalog behind a real socket."""
    with served(start("catalog", "--port", "0")) as service:
        yield service


@pytest.fixture(scope="session")
def inventory(start: Callable[..., subprocess.Popen[str]]) -> Iterator[Served]:
    """Yield an inventory behind a real socket."""
    with served(start("inventory", "--port", "0")) as service:
        yield service


@pytest.fixture(scope="session")
def orders(start: Callable[..., subprocess.Popen[str]]) -> Iterator[Served]:
    """Yield an order service behind a real socket."""
    with served(start("orders", "--port", "0")) as service:
        yield service
