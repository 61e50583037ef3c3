"""The mock services, one process each, with faults and request counts from outside."""

import http.client
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.processes.process import ForkServer, Process

HOST = "127.0.0.1"


class Service(Process):
    """One mock service. Its faults and its counters are gone when it is started again."""

    def __init__(
        self, fork_server: ForkServer, name: str, port: int, *, folder: Path, host: str = HOST
    ) -> None:
        super().__init__(
            fork_server,
            *("services_mock", name, "--host", host, "--port", str(port), "--access-log"),
            log=folder / f"{name}-{host}-{port}.log",
            environ={},
            is_ready=lambda: answers(port, "/healthz", host),
        )
        self.name = name
        self.port = port
        self._host = host

    @property
    def url(self) -> str:
        """Its address, as a gateway calls it."""
        return f"http://{self._host}:{self.port}"

    def ask(self, method: str, path: str, value: object = None) -> Any:
        """Call it directly, without a gateway; return its answer."""
        status, body = request(self.port, method, path, value, host=self._host)
        assert status < 300, f"{self.name}: {method} {path}: {status} {body!r}"
        return json.loads(body) if body else None

    def break_by(self, *faults: Mapping[str, object]) -> None:
        """Replace its faults."""
        self.ask("PUT", "/__faults__", {"faults": faults})

    def heal(self) -> None:
        """Remove its faults."""
        self.ask("DELETE", "/__faults__")

    @contextmanager
    def fault(self, kind: str, **options: object) -> Iterator[None]:
        """Inject a fault while the context is open."""
        self.break_by({"kind": kind, **options})
        try:
            yield
        finally:
            self.heal()

    def forget(self) -> None:
        """Reset its counters."""
        self.ask("DELETE", "/__calls__")

    @property
    def calls(self) -> Any:
        """Its counters: total, active, aborted, routes."""
        return self.ask("GET", "/__calls__")

    @property
    def call_count(self) -> int:
        """How many calls it received since the last reset."""
        return int(self.calls["total"])

    def access_log(self) -> list[tuple[str, str]]:
        """Return method and path of every request that it answered, restarts included."""
        lines = (line for line in self.output.splitlines() if '" ' in line and " - " in line)
        requests = (line.split('"')[1].split(" ") for line in lines)
        return [(words[0], words[1]) for words in requests if not words[1].startswith("/__")]


def request(
    port: int, method: str, path: str, value: object = None, *, host: str = HOST
) -> tuple[int, bytes]:
    """Send a request to a port; return status and body."""
    connection = http.client.HTTPConnection(host, port, timeout=10)
    try:
        body = None if value is None else json.dumps(value)
        connection.request(method, path, body, {"content-type": "application/json"} if body else {})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def answers(port: int, path: str, host: str = HOST) -> bool:
    """Return whether a server there answers with 200."""
    try:
        return request(port, "GET", path, host=host)[0] == 200
    except OSError:
        return False
