"""Hooks of the console in a gateway: pages at `/console`, commands of other processes.

The console is above gateways in the layers, so that its modules are loaded by name, and only where
someone opens a page or another process of the gateway sends a command.
"""

import os
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import ExitStack, asynccontextmanager
from importlib import import_module
from pathlib import Path
from typing import Final, Protocol

from starlette.types import Receive, Send
from starlette.types import Scope as ASGIScope

from bff_core.errors import ConfigurationError
from bff_core.observe.process_socket import SOCKETS_VARIABLE, Command, serve_commands
from bff_core.routing.route_table import RouteTable
from bff_core.settings.model import Settings

CONSOLE_PATH: Final = "/console"

_MODULE: Final = "bff_core.console.gateway_console"


def is_console_path(path: str) -> bool:
    """Whether a path without the root path is one of the console."""
    return path == CONSOLE_PATH or path.startswith(f"{CONSOLE_PATH}/")


class ConsolePages(Protocol):
    """The ASGI app of a console; `aclose` ends its streams."""

    async def __call__(self, scope: ASGIScope, receive: Receive, send: Send) -> None:
        """Answer a request."""

    async def aclose(self) -> None:
        """End its streams and tasks."""


class ConsoleMount:
    """The console of a gateway: made at the first request for it, or when the gateway starts.

    `started` is when this run of the gateway began, in Unix time.
    """

    def __init__(self, make: Callable[[], ConsolePages]) -> None:
        self.started = time.time()
        self._make = make
        self._pages: ConsolePages | None = None
        self._closing = ExitStack()

    async def __call__(self, scope: ASGIScope, receive: Receive, send: Send) -> None:
        """Answer a request for a path of the console."""
        if self._pages is None:
            self._pages = self._make()
        await self._pages(scope, receive, send)

    def start(self, *, is_made: bool = False) -> None:
        """Note that the gateway runs from now on; it may have been made long before.

        With `is_made` the console is made now: its modules take 0.1 s and more to import, for which
        the first request for it would block those of clients.
        """
        self.started = time.time()
        if is_made:
            self._pages = self._make()

    def on_close(self, close: Callable[[], None]) -> None:
        """Call a function once when this run of the gateway ends."""
        self._closing.callback(close)

    async def aclose(self) -> None:
        """End it; the next request makes another."""
        self._closing.close()
        pages, self._pages = self._pages, None
        if pages is not None:
            await pages.aclose()


def serves_console(settings: Settings, table: RouteTable) -> bool:
    """Whether a gateway serves `/console`: in development, or where BFF_CONSOLE=on.

    In development, a route of the application with this path wins; with BFF_CONSOLE=on it raises
    `ConfigurationError`.
    """
    if settings.console == "off" or (settings.env != "development" and settings.console is None):
        return False
    has_own = any(is_console_path(entry.path) for entry in table.entries)
    if settings.console is None:
        return not has_own
    if has_own:
        raise ConfigurationError(
            f"BFF_CONSOLE=on: a route of the gateway has the path {CONSOLE_PATH} already; rename it"
        )
    return True


@asynccontextmanager
async def serve_process_commands(
    commands: Callable[[], Mapping[str, Command]], environ: Mapping[str, str] = os.environ
) -> AsyncIterator[None]:
    """Serve the commands of this process where BFF_PROCESS_SOCKETS names a folder."""
    folder = environ.get(SOCKETS_VARIABLE, "")
    if not folder:
        yield
        return
    async with serve_commands(Path(folder), commands()):
        yield


def make_pages(gateway: object) -> ConsolePages:
    """Return the console of a running gateway."""
    pages: ConsolePages = import_module(_MODULE).pages_of(gateway)
    return pages


def make_commands(gateway: object) -> Mapping[str, Command]:
    """Return the commands of a running gateway's process."""
    commands: Mapping[str, Command] = import_module(_MODULE).commands_of(gateway)
    return commands
