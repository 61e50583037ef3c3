"""The reference gateways over the mock services: in this process, or in processes of their own."""

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient

from bff_core.testing import client
from tests.bffs.in_process import SCRIPTS, app_of
from tests.processes.ports import free_port, free_ports
from tests.processes.process import ForkServer, Process
from tests.processes.services import answers
from tests.processes.settings import PATIENT
from tests.reference_project import SERVICES


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


RunModule = Callable[..., AbstractContextManager[Process]]


@pytest.fixture(scope="session")
def run_module(fork_server: ForkServer, tmp_path_factory: pytest.TempPathFactory) -> RunModule:
    """Return what runs a module while a context is open, as soon as all its ports answer."""
    folder = tmp_path_factory.mktemp("logs")

    @contextmanager
    def run(*command: str, ports: Collection[int], path: str, **environ: str):
        process = Process(
            fork_server,
            *command,
            log=folder / f"{min(ports)}.log",
            environ=environ,
            is_ready=lambda: all(answers(port, path) for port in ports),
        )
        try:
            yield process.start().wait_until_ready()
        finally:
            process.stop()

    return run


@pytest.fixture(scope="session")
def served_mocks(run_module: RunModule) -> Iterator[ServedMocks]:
    """Serve the services once; tests that change them undo what they did."""
    ports = dict(zip(SERVICES, free_ports(len(SERVICES)), strict=True))
    first = str(ports["users"])
    with (
        run_module("services_mock", ports=ports.values(), path="/healthz", SERVICES_PORT=first),
        ExitStack() as up,
    ):
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
def serve(
    run_module: RunModule, served_mocks: ServedMocks
) -> Callable[..., AbstractContextManager[Served]]:
    """Serve a gateway over sockets, for what only they can show."""

    @contextmanager
    def serve_named(name: str, **environment: str) -> Iterator[Served]:
        port = free_port()
        command = ("uvicorn", f"bffs.{name}.app:app", f"--port={port}", "--log-level=warning")
        environ = served_mocks.environment | environment
        with run_module(*command, ports=[port], path="/readyz", **environ) as process:
            yield Served(f"http://127.0.0.1:{port}", process.pid)

    return serve_named


@pytest.fixture(scope="module")
def desktop_url(serve) -> Iterator[str]:
    """Serve the desktop gateway."""
    with serve("desktop") as served:
        yield served.url
