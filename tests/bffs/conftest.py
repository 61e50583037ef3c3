"""The reference gateways over the mock services: in this process, or in processes of their own."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient

from bff_core.testing import client
from tests.bffs.in_process import SCRIPTS, app_of
from tests.processes.ports import free_port, free_ports
from tests.processes.settings import PATIENT
from tests.reference_project import SERVICES

ROOT = Path(__file__).parents[2]
PATIENCE = 60


@dataclass(frozen=True)
class Mocks:
    """The services and what can be done to them; each has a client."""

    clients: Mapping[str, Any]

    def _ask(self, service: str, method: str, path: str, **options) -> Any:
        return self.clients[service].request(method, path, **options)

    def get(self, service: str, path: str) -> Any:
        """Ask a service directly."""
        return self._ask(service, "GET", path)

    def send(self, service: str, method: str, path: str, **options) -> Any:
        """Write to a service directly."""
        answer = self._ask(service, method, path, **options)
        assert answer.status_code < 300, answer.text
        return answer

    def forget(self) -> None:
        """Begin to count calls anew."""
        for service in self.clients:
            self._ask(service, "DELETE", "/__calls__")

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


@dataclass(frozen=True)
class ServedMocks(Mocks):
    """The services in processes of their own."""

    ports: Mapping[str, int]

    @property
    def environment(self) -> dict[str, str]:
        """The settings of a gateway over these services."""
        addresses = {
            f"BFF_UPSTREAM_{name.upper()}": f"http://127.0.0.1:{port}"
            for name, port in self.ports.items()
        }
        others = {"BFF_ENV": "development", "BFF_AUTH": "demo", "BFF_LOG": "off"}
        memory = {"BFF_GC_FREEZE": "false", "BFF_JOURNAL_URL": "sqlite://"}
        return {**memory, **others, **PATIENT, **addresses}


@pytest.fixture(scope="session")
def mocks() -> Mocks:
    """Return the services in this process; tests that change them undo what they did."""
    return Mocks({name: TestClient(app_of(name)) for name in SCRIPTS})


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
def served_mocks() -> Iterator[ServedMocks]:
    """Serve the services once; tests that change them undo what they did."""
    ports = dict(zip(SERVICES, free_ports(len(SERVICES)), strict=True))
    with process("services_mock", SERVICES_PORT=str(ports["users"])) as starting, ExitStack() as up:
        for port in ports.values():
            wait_for(f"http://127.0.0.1:{port}/healthz", starting)
        # Connections are given up before the services close them, after five seconds.
        options = {"trust_env": False, "timeout": 10, "limits": httpx.Limits(keepalive_expiry=2)}
        clients = {
            name: up.enter_context(httpx.Client(base_url=f"http://127.0.0.1:{port}", **options))
            for name, port in ports.items()
        }
        yield ServedMocks(clients, ports)


@pytest.fixture
def open_gateway():
    """Open a gateway of the reference application, or another one, over these services."""

    def open_app(app, *, viewer="1", headers=None, **options):
        named = f"bffs.{app}.app:app" if isinstance(app, str) else app
        viewer = viewer if headers is None else None
        return client(named, SCRIPTS, viewer=viewer, headers=headers, **options)

    return open_app


@dataclass(frozen=True)
class Served:
    """A gateway in a process of its own."""

    url: str
    pid: int


@pytest.fixture(scope="session")
def serve(served_mocks) -> Callable[..., AbstractContextManager[Served]]:
    """Serve a gateway over sockets, for what only they can show."""

    @contextmanager
    def serve_named(name: str, **environment: str) -> Iterator[Served]:
        port = free_port()
        url = f"http://127.0.0.1:{port}"
        command = ("uvicorn", f"bffs.{name}.app:app", f"--port={port}", "--log-level=warning")
        with process(*command, **served_mocks.environment | environment) as starting:
            wait_for(f"{url}/readyz", starting)
            yield Served(url, starting.pid)

    return serve_named


@pytest.fixture(scope="module")
def desktop_url(serve) -> Iterator[str]:
    """Serve the desktop gateway."""
    with serve("desktop") as served:
        yield served.url
