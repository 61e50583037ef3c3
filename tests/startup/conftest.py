"""Fixtures: settings, gateways that start, and servers with several processes."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from bff_core import gateway
from bff_core.events import AnyEvent, ConfigurationWarned, Events
from bff_core.gateway.app import Gateway
from bff_core.settings.model import Settings
from tests.processes.process import ForkServer, Process
from tests.processes.services import answers
from tests.server.conftest import free_port

REDIS = "redis://127.0.0.1:1/0"
"""Where no Redis is: what a check reads, nothing calls."""


def settings(**values: Any) -> Settings:
    """Return the settings of a gateway on a laptop."""
    return Settings(**{"env": "development", **values})


def production(**values: Any) -> Settings:
    """Return the settings of a gateway in production."""
    return settings(**{"env": "production", "allowed_hosts": ["shop.example"], **values})


class Started:
    """The log of a gateway that starts."""

    def __init__(self) -> None:
        self.events: list[AnyEvent] = []

    @property
    def warned(self) -> dict[str, str]:
        """The reasons of warnings, by their variables."""
        found = [one for one in self.events if isinstance(one, ConfigurationWarned)]
        assert len({one.variable for one in found}) == len(found), "a warning is logged once"
        return {one.variable: one.reason for one in found}


@asynccontextmanager
async def started(values: Settings, **options: Any) -> AsyncIterator[Started]:
    """Run the lifespan of a gateway; yield what it logs."""
    heard, add = Started(), options.pop("add", None)
    app: Gateway = gateway("till", settings=values, events=Events(heard.events.append), **options)
    if add is not None:
        add(app)
    async with app.router.lifespan_context(app):
        yield heard


Start = Callable[..., AbstractAsyncContextManager[Started]]


@pytest.fixture
def till(fork_server: ForkServer, tmp_path: Path) -> Iterator[Callable[..., Process]]:
    """Start servers of the till; `port` says where."""
    running: list[Process] = []

    def start(*command: str, **environ: str) -> Process:
        port = free_port()
        process = Process(
            fork_server,
            *(*command, "--port", str(port)),
            log=tmp_path / f"{port}.log",
            environ={"BFF_ENV": "development", "BFF_LOG": "json", **environ},
            is_ready=lambda: answers(port, "/readyz"),
        )
        running.append(process.start())
        return process

    yield start
    for process in running:
        process.kill_group()
