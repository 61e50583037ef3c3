"""The reference gateways in process, over the mock services in processes of their own."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import (
    AbstractContextManager,
    ExitStack,
    asynccontextmanager,
    contextmanager,
    suppress,
)
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import httpx
import pytest

from bff_core import Gateway
from bff_core.testing import running
from scripts.run.shop import SERVICES

ROOT = Path(__file__).parents[2]
PATIENCE = 60
DEMO = {"authorization": "Bearer demo-1"}


@dataclass(frozen=True)
class Mocks:
    """The nine services and what can be done to them."""

    ports: dict[str, int]
    client: httpx.Client

    def _ask(self, service: str, method: str, path: str, **options) -> httpx.Response:
        url = f"http://127.0.0.1:{self.ports[service]}{path}"
        return self.client.request(method, url, **options)

    def get(self, service: str, path: str) -> httpx.Response:
        """Ask a service directly."""
        return self._ask(service, "GET", path)

    def send(self, service: str, method: str, path: str, **options) -> httpx.Response:
        """Write to a service directly."""
        answer = self._ask(service, method, path, **options)
        assert answer.status_code < 300, answer.text
        return answer

    def forget(self) -> None:
        """Begin to count calls anew."""
        for service in self.ports:
            self._ask(service, "DELETE", "/__calls__")

    def counted(self) -> dict[str, int]:
        """Return how many calls each service received."""
        return {service: self.calls(service)["total"] for service in self.ports}

    def calls(self, service: str) -> dict:
        """Return what one service counted."""
        return self.get(service, "/__calls__").json()

    @contextmanager
    def fault(self, service: str, **fault) -> Iterator[None]:
        """Break a service for a while."""
        answer = self._ask(service, "PUT", "/__faults__", json={"faults": [fault]})
        assert answer.status_code == 200, answer.text
        try:
            yield
        finally:
            self._ask(service, "DELETE", "/__faults__")

    @property
    def environment(self) -> dict[str, str]:
        """The settings of a gateway over these services."""
        addresses = {
            f"BFF_UPSTREAM_{name.upper()}": f"http://127.0.0.1:{port}"
            for name, port in self.ports.items()
        }
        others = {"BFF_ENV": "development", "BFF_AUTH": "demo", "BFF_LOG": "off"}
        memory = {"BFF_GC_FREEZE": "false", "BFF_JOURNAL_URL": "sqlite://"}
        # A busy machine is no reason to refuse a request of a test.
        busy = {"BFF_MAX_LAG": "0", "BFF_BROWNOUT": "false"}
        return {**memory, **others, **busy, **addresses}


def find_ports(count: int) -> list[int]:
    # Below the range from which the system gives ports to outgoing connections.
    for first in range(12_000 + os.getpid() % 10_000, 32_000, count):
        with suppress(OSError), ExitStack() as held:
            for port in range(first, first + count):
                held.enter_context(socket.create_server(("127.0.0.1", port)))
            return list(range(first, first + count))
    pytest.fail("no free ports")


def wait_for(url: str, starting: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and starting.poll() is None:
        with suppress(httpx.TransportError):
            if httpx.get(url, trust_env=False).status_code == 200:
                return
        time.sleep(0.05)
    pytest.fail(f"{url} did not come up")


@contextmanager
def process(*command: str, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    running = subprocess.Popen(
        [sys.executable, "-m", *command], cwd=ROOT, env=os.environ | environment
    )
    try:
        yield running
    finally:
        running.terminate()
        running.wait(timeout=PATIENCE)


@pytest.fixture(scope="session")
def mocks() -> Iterator[Mocks]:
    """Start the services once; tests that change them undo what they did."""
    ports = dict(zip(SERVICES, find_ports(len(SERVICES)), strict=True))
    with process("services_mock", SERVICES_PORT=str(ports["users"])) as starting:
        for port in ports.values():
            wait_for(f"http://127.0.0.1:{port}/healthz", starting)
        # Connections are given up before the services close them, after five seconds.
        limits = httpx.Limits(keepalive_expiry=2)
        with httpx.Client(trust_env=False, timeout=10, limits=limits) as client:
            yield Mocks(ports, client)


@pytest.fixture
def open_gateway(mocks, monkeypatch):
    """Open a gateway of the reference application, for a test to enter on its loop."""
    for variable, value in mocks.environment.items():
        monkeypatch.setenv(variable, value)

    @asynccontextmanager
    async def open_named(name: str, headers=DEMO) -> AsyncIterator[httpx.AsyncClient]:
        app: Gateway = import_module(f"bffs.{name}.app").app
        async with running(app, headers=headers) as client:
            yield client

    return open_named


@dataclass(frozen=True)
class Served:
    """A gateway in a process of its own."""

    url: str
    pid: int


@pytest.fixture(scope="session")
def serve(mocks) -> Callable[..., AbstractContextManager[Served]]:
    """Serve a gateway over sockets, for what only they can show."""

    @contextmanager
    def serve_named(name: str, **environment: str) -> Iterator[Served]:
        (port,) = find_ports(1)
        url = f"http://127.0.0.1:{port}"
        command = ("uvicorn", f"bffs.{name}.app:app", f"--port={port}", "--log-level=warning")
        with process(*command, **mocks.environment | environment) as starting:
            wait_for(f"{url}/readyz", starting)
            yield Served(url, starting.pid)

    return serve_named


@pytest.fixture(scope="module")
def desktop_url(serve) -> Iterator[str]:
    """Serve the desktop gateway."""
    with serve("desktop") as served:
        yield served.url
