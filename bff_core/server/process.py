"""One process that serves one application: start, signals, drain, stop."""

import asyncio
import signal
import socket
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from typing import Any, Final

from bff_core.events import Events, Opened
from bff_core.gateway.app import GATEWAY, Gateway
from bff_core.server.gc import tuned_collector
from bff_core.server.graceful_shutdown import GracefulShutdown
from bff_core.server.hangup import reload_on_hangup
from bff_core.server.lifespan import Lifespan
from bff_core.server.listening_socket import Listening
from bff_core.server.options import ServerOptions
from bff_core.server.protocol import HTTPProtocol
from bff_core.server.server_state import App, Config, Dates, ServerState, State, options_of
from bff_core.server.watchdog import Watchdog
from bff_core.startup.processes import PROCESSES, Processes

STOPPING: Final = (signal.SIGTERM, signal.SIGINT)

STOP_SECONDS: Final = 10.0
"""What an application gets to close its connections; the platform's own patience is limited."""


class Process:
    """Serves until it is told to end, all inside one event loop.

    SIGTERM drains with the delay, in which balancers notice; SIGINT, from a keyboard, without.
    A second signal of either kind ends all at once. SIGHUP is the application's, and ends
    nothing. The lifespan's state has the `processes`. `delay` and `grace`, in seconds, go
    before what the settings say.
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
        self._config = config
        self._state = state
        self._delay = delay
        self._grace = grace
        self._loop = asyncio.get_running_loop()
        self._lifespan = Lifespan(app, self._loop)
        self._lifespan.values[PROCESSES] = processes
        self._told: asyncio.Future[bool] = self._loop.create_future()
        self._drain: GracefulShutdown | None = None

    def end(self, *, is_patient: bool = True) -> None:
        """Drain, at first with the delay if `is_patient`; at once when called again."""
        if not self._told.done():
            self._told.set_result(is_patient)
        elif self._drain is not None:
            self._drain.hurry()

    async def run(self, listener: socket.socket, on_open: Callable[[], None]) -> None:
        """Start, serve, drain, stop; raises LifespanFailed."""
        for number in STOPPING:
            is_patient = number == signal.SIGTERM
            self._loop.add_signal_handler(number, partial(self.end, is_patient=is_patient))
        starting = self._loop.create_task(self._lifespan.start())
        both: set[asyncio.Future[Any]] = {starting, self._told}
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        if not starting.done():
            starting.cancel()
            await self._lifespan.cancel()
            return
        starting.result()
        gateway: Gateway | None = self._lifespan.values.get(GATEWAY)
        try:
            with ExitStack() as own:
                if gateway is not None:
                    own.enter_context(tuned_collector(gateway.settings))
                    own.enter_context(reload_on_hangup(gateway, self._loop))
                await self._serve(listener, on_open, gateway)
        finally:
            await self._stop()

    async def _serve(
        self, listener: socket.socket, on_open: Callable[[], None], gateway: Gateway | None
    ) -> None:
        values, loop = self._lifespan.values, self._loop
        events = Events() if gateway is None else gateway.events
        options = self._told_otherwise(options_of(gateway))
        serving = ServerState(self._config, self._state, values, loop=loop, options=options)
        make = partial(HTTPProtocol, self._config, self._state, values, serving=serving)
        listening = Listening(listener, make, patience=options.send_timeout)
        readiness = None if gateway is None else gateway.readiness
        self._drain = GracefulShutdown(serving, listening, readiness=readiness, events=events)
        dates = Dates(self._state, loop)
        watchdog = Watchdog(loop, events, threshold=options.watchdog)
        try:
            if options.watchdog:
                watchdog.start()
            address = _written(listener)
            await listening.open()
            on_open()
            if events.sinks:
                events.emit(Opened(address))
            is_patient = await self._told
            delay = options.drain_delay if is_patient else 0.0
            await self._drain.run(delay=delay, grace=options.grace)
        finally:
            watchdog.stop()
            dates.close()
            serving.close()

    async def _stop(self) -> None:
        """Stop the application, for no longer than it may take to drain."""
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await self._lifespan.stop()
        except TimeoutError:
            await self._lifespan.cancel()

    def _told_otherwise(self, options: ServerOptions) -> ServerOptions:
        delay = options.drain_delay if self._delay is None else self._delay
        grace = options.grace if self._grace is None else self._grace
        return replace(options, drain_delay=delay, grace=grace)


def _written(listener: socket.socket) -> str:
    """Return where one can call, as one would write it."""
    address = listener.getsockname()
    if not isinstance(address, tuple):
        return str(address)
    host, port = address[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
