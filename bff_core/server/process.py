"""Runs one process of the server: start, signals, graceful shutdown, stop."""

import asyncio
import signal
import socket
from contextlib import AsyncExitStack, ExitStack
from dataclasses import replace
from functools import partial
from typing import Any, Final

from bff_core.compat.uvicorn import Config, State
from bff_core.events import Events, Opened
from bff_core.gateway.app import GATEWAY, Gateway
from bff_core.server.gc import tuned_collector
from bff_core.server.graceful_shutdown import GracefulShutdown
from bff_core.server.lifespan import Lifespan
from bff_core.server.listening_socket import listen
from bff_core.server.options import ServerOptions
from bff_core.server.protocol import HTTPProtocol
from bff_core.server.reload_rounds import RELOADS
from bff_core.server.reloading import reloads
from bff_core.server.server_state import App, DateHeader, ServerState, options_of
from bff_core.server.sighup import reload_on_hangup
from bff_core.server.supervisor_line import SupervisorLine
from bff_core.server.watchdog import Watchdog
from bff_core.startup.processes import PROCESSES, Processes

STOP_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)

STOP_SECONDS: Final = 10.0
"""How long an application may take to close its connections, before the platform kills it."""


class Process:
    """Serves one application in one event loop until a signal stops it.

    SIGTERM starts the graceful shutdown with the drain delay, SIGINT without. A second signal ends
    the process at once. SIGHUP reloads policies. The lifespan state has the `processes`. `delay`
    and `grace`, in seconds, override the settings. A worker has a `line` to its supervisor.
    """

    def __init__(
        self,
        app: App,
        config: Config,
        state: State,
        processes: Processes,
        *,
        delay: float | None = None,
        grace: float | None = None,
    ) -> None:
        self._app = app
        self._config = config
        self._state = state
        self._processes = processes
        self._delay = delay
        self._grace = grace
        self._loop = asyncio.get_running_loop()
        self._end: asyncio.Future[bool] = self._loop.create_future()
        self._is_urgent = asyncio.Event()
        self.line: SupervisorLine | None = None

    def end(self, *, has_delay: bool = True) -> None:
        """Start the graceful shutdown; a second call ends the process at once."""
        if self._end.done():
            self._is_urgent.set()
        else:
            self._end.set_result(has_delay)

    async def run(self, listener: socket.socket) -> None:
        """Start, serve, shut down; raises LifespanFailed."""
        for number in STOP_SIGNALS:
            has_delay = number == signal.SIGTERM
            self._loop.add_signal_handler(number, partial(self.end, has_delay=has_delay))
        lifespan = Lifespan(self._app, self._loop, {PROCESSES: self._processes})
        starting = self._loop.create_task(lifespan.started())
        both: set[asyncio.Future[Any]] = {starting, self._end}
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        if not starting.done():
            starting.cancel()
            await lifespan.cancel()
            return
        starting.result()
        gateway: Gateway | None = lifespan.values.get(GATEWAY)
        try:
            async with AsyncExitStack() as own:
                if gateway is not None:
                    own.enter_context(tuned_collector(gateway.settings))
                    reloading = await own.enter_async_context(reloads(gateway, self.line))
                    own.enter_context(reload_on_hangup(gateway, reloading, self._loop))
                await self._serve(listener, lifespan.values, gateway)
        finally:
            await _stop(lifespan)

    async def _serve(
        self,
        listener: socket.socket,
        values: dict[str, Any],
        gateway: Gateway | None,
    ) -> None:
        loop, config, state = self._loop, self._config, self._state
        events = Events() if gateway is None else gateway.events
        options = self._overridden(options_of(gateway))
        with ExitStack() as closing:
            serving = ServerState(config, state, values, loop=loop, options=options)
            closing.callback(serving.close)
            closing.callback(DateHeader(state, loop).close)
            if options.watchdog:
                closing.callback(Watchdog(loop, events, threshold=options.watchdog).stop)
            address = _address_of(listener)
            make = partial(HTTPProtocol, config, state, values, serving=serving)
            listening = await listen(listener, make, send_timeout=options.send_timeout)
            if self.line is not None:
                has_files = gateway is not None and gateway.reloaded_files
                self.line.say(f"ready {RELOADS}" if has_files else "ready")
            if events.sinks:
                events.emit(Opened(address))
            has_delay = await self._end
            shutdown = GracefulShutdown(
                serving,
                listening,
                readiness=None if gateway is None else gateway.readiness,
                events=events,
                is_urgent=self._is_urgent,
            )
            delay = options.drain_delay if has_delay else 0.0
            await shutdown.run(delay=delay, grace=options.grace)

    def _overridden(self, options: ServerOptions) -> ServerOptions:
        delay = options.drain_delay if self._delay is None else self._delay
        grace = options.grace if self._grace is None else self._grace
        return replace(options, drain_delay=delay, grace=grace)


async def _stop(lifespan: Lifespan) -> None:
    """Stop the application, and cancel it if that takes too long."""
    try:
        async with asyncio.timeout(STOP_SECONDS):
            await lifespan.stop()
    except TimeoutError:
        await lifespan.cancel()


def _address_of(listener: socket.socket) -> str:
    """Return the address of a socket as a URL."""
    address = listener.getsockname()
    if not isinstance(address, tuple):
        return str(address)
    host, port = address[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
