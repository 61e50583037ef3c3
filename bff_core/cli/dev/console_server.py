"""Serves the console of a run from the supervisor's process, on a port of its own."""

import asyncio
import socket
import traceback
from collections import deque
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Final, Protocol

from starlette.types import ASGIApp, Message, Receive, Send
from starlette.types import Scope as ASGIScope

from bff_core.cli.dev.feeds import Feeds
from bff_core.cli.dev.process_infos import ProcessInfos
from bff_core.cli.dev.program import Program
from bff_core.cli.dev.program_changes import ProgramChanges
from bff_core.cli.errors import CannotRun
from bff_core.cli.ports import HIGHEST, HOST, Port, PortUnusable, busy_text, port_from
from bff_core.compat.uvicorn import configuration
from bff_core.console.answers import ConsoleProblem, problem_answer
from bff_core.console.console import Console
from bff_core.console.console_app import ConsoleApp
from bff_core.console.development import Development
from bff_core.console.logs.ring import LogRing
from bff_core.console.model import EventRow
from bff_core.console.process_state import ConsoleState
from bff_core.console.program_client import ProgramClient
from bff_core.console.sign_in.access import Access
from bff_core.console.sources import GatewaySource, Sources
from bff_core.gateway.console import CONSOLE_PATH
from bff_core.server.listening_socket import CannotListen, bind, listen
from bff_core.server.protocol import HTTPProtocol
from bff_core.server.server_state import DateHeader, ServerState

PORT_VARIABLE: Final = "CONSOLE_PORT"
DEFAULT_PORT: Final = 8000
MAX_TRIES: Final = 100
"""Ports above the default that are tried if it is taken."""

SEND_TIMEOUT: Final = 30.0

CONSOLE: Final = "console"
"""The name of the console in the logs."""

_FAILED: Final = ConsoleProblem(
    500, "The console failed", "The page of logs has the error, as lines of the process console."
)


class ProgramsOfRun(Protocol):
    """The part of the supervisor that the console uses."""

    logs: LogRing
    events: deque[EventRow]

    changes: ProgramChanges


class ConsoleServer:
    """The console of a run: bound to its port from the beginning, served while programs run."""

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener
        self.address = f"http://localhost:{listener.getsockname()[1]}{CONSOLE_PATH}"

    def close(self) -> None:
        """Close the port."""
        self._listener.close()

    @asynccontextmanager
    async def serving(self, run: ProgramsOfRun, feeds: Feeds) -> AsyncIterator[None]:
        """Serve the console until the context ends; pages that are open then see it end."""
        client = ProgramClient()
        processes = ProcessInfos(run.changes.all_managed.values())
        console = _console_of(run, feeds, client, processes)
        app = ConsoleApp(console)
        loop = asyncio.get_running_loop()
        config, state, _ = configuration(_Logged(app, partial(run.logs.add, CONSOLE)))
        async with AsyncExitStack() as closing:
            closing.push_async_callback(client.aclose)
            closing.callback(processes.close)
            serving = ServerState(config, state, {}, loop=loop)
            closing.callback(serving.close)
            closing.callback(DateHeader(state, loop).close)
            make = partial(HTTPProtocol, config, state, {}, serving=serving)
            listening = await listen(self._listener, make, send_timeout=SEND_TIMEOUT)
            try:
                yield
            finally:
                await app.aclose()
                await listening.close()
                for connection in tuple(serving.connections):
                    connection.abort()
                for task in tuple(state.tasks):
                    task.cancel()


class _Logged:
    """An application whose errors are lines of a log, and answered with a problem."""

    def __init__(self, app: ASGIApp, log: Callable[[str], None]) -> None:
        self._app = app
        self._log = log

    async def __call__(self, scope: ASGIScope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        has_begun = False

        async def watched(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except Exception as error:  # noqa: BLE001 - the console goes on
            lines = "".join(traceback.format_exception(error)).splitlines()
            for line in (f"ERROR {scope['path']} failed: {error!r}", *lines):
                self._log(line)
            if not has_begun:
                await problem_answer(_FAILED)(scope, receive, send)


def _console_of(
    run: ProgramsOfRun, feeds: Feeds, client: ProgramClient, processes: ProcessInfos
) -> Console:
    managed = run.changes.all_managed.values()
    gateways = [one.program for one in managed if one.program.is_gateway]
    sources = [
        GatewaySource(name=one.name, folder=feeds.folder_of(one.name), url=one.url, token=one.token)
        for one in gateways
    ]
    return Console(
        Sources(sources),
        is_development=True,
        access=Access(is_development=True),
        run=Development(
            logs=run.logs,
            client=client,
            processes=processes,
            start=run.changes.start,
            stop=run.changes.stop,
            origins=origins_of(gateways),
        ),
        shop=shop_of(gateways),
        state=ConsoleState(actions=run.events),
    )


def shop_of(gateways: Sequence[Program]) -> str:
    """Return the address of the first gateway whose page is its root; empty without one."""
    return next((f"{one.url}/" for one in gateways if one.page == "/"), "")


def origins_of(gateways: Sequence[Program]) -> frozenset[str]:
    """Return the origins of the pages of gateways, by both names of this machine."""
    ports = [one.port.number for one in gateways]
    return frozenset(f"http://{host}:{port}" for port in ports for host in ("localhost", HOST))


def opened_console(environ: Mapping[str, str], taken: Collection[int]) -> ConsoleServer:
    """Bind the port that `CONSOLE_PORT` names, or else the first free one from 8000 on.

    `taken` are ports of the run. Raises `PortUnusable` if the named port is wrong or taken.
    """
    if environ.get(PORT_VARIABLE):
        port = port_from(environ, PORT_VARIABLE, DEFAULT_PORT)
        if port.number in taken:
            raise PortUnusable(
                f"port {port.number} is that of a program, too: choose another with {PORT_VARIABLE}"
            )
        return _bound(port)
    numbers = range(DEFAULT_PORT, min(DEFAULT_PORT + MAX_TRIES, HIGHEST))
    for number in (one for one in numbers if one not in taken):
        try:
            return _bound(Port(number, PORT_VARIABLE))
        except PortUnusable:
            continue
    raise CannotRun(f"no port from {numbers[0]} to {numbers[-1]} is free: set {PORT_VARIABLE}")


def _bound(port: Port) -> ConsoleServer:
    try:
        return ConsoleServer(bind(HOST, port.number))
    except CannotListen:
        raise PortUnusable(busy_text(port)) from None
