"""A gateway in a process of its own, served as `make run` serves it, that can be looked into."""

import json
import socket
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from tests.processes.process import ForkServer, Process
from tests.processes.services import Service, answers

DEVELOPMENT = {"BFF_ENV": "development", "BFF_AUTH": "demo", "BFF_LOG": "json"}

OURS = ("bff_core", "serve", "--host", "127.0.0.1")
UVICORN_ON_ASYNCIO = ("uvicorn", "--loop", "asyncio", "--no-access-log", "--log-level", "warning")


class Gateway(Process):
    """One gateway: `app` names a module whose `app` is to be served, by the usual server."""

    def __init__(
        self,
        fork_server: ForkServer,
        app: str,
        port: int,
        *,
        folder: Path,
        environ: Mapping[str, str],
        server: tuple[str, ...] = OURS,
    ) -> None:
        name = app.replace(":", ".").split(".")[-2]
        self.port = port
        self._introspection = folder / f"{name}-{port}.window"
        super().__init__(
            fork_server,
            *(*server, "tests.processes.introspection:app", "--port", str(port)),
            log=folder / f"{name}-{port}.log",
            environ={
                **DEVELOPMENT,
                "BFF_JOURNAL_URL": f"sqlite:///{folder / name}-{port}.sqlite3",
                **environ,
                "INTROSPECTED_APP": app,
                "INTROSPECTION_SOCKET": str(self._introspection),
            },
            is_ready=lambda: answers(port, "/readyz"),
        )

    def look(self) -> dict[str, Any]:
        """Return what `tests.processes.introspection` reports of it."""
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(10)
            line.connect(str(self._introspection))
            content = b"".join(iter(lambda: line.recv(65536), b""))
        return json.loads(content)

    def events(self, name: str) -> list[dict[str, Any]]:
        """Return the lines of its log about one kind of event."""
        lines = (json.loads(line) for line in self.output.splitlines() if line.startswith("{"))
        return [line for line in lines if line.get("event") == name]


def addresses(services: Iterable[Service]) -> dict[str, str]:
    """Return the variables with the addresses of services; those of one name share one."""
    found: dict[str, list[str]] = {}
    for service in services:
        found.setdefault(service.name, []).append(service.url)
    return {f"BFF_UPSTREAM_{name.upper()}": ",".join(urls) for name, urls in found.items()}
