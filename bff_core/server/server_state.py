"""The state that all connections of one process share: gateway, options, date, one timer."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from email.utils import formatdate
from typing import Any, Protocol

from bff_core.clock import Chance, chance
from bff_core.compat.uvicorn import Config, State
from bff_core.edge.cors import Permissions
from bff_core.edge.security_headers import security_headers
from bff_core.gateway.app import GATEWAY, Gateway
from bff_core.server.early_refusal import EarlyRefusals
from bff_core.server.early_shedding import EarlyShedding
from bff_core.server.options import ServerOptions

App = Callable[[Any, Any, Any], Awaitable[None]]

MIN_CHECK_SECONDS = 0.02
MAX_CHECK_SECONDS = 0.5
CHECKS_PER_TIMEOUT = 8
"""The time between two checks of deadlines: an eighth of the shortest, within these bounds."""

MIN_RECONNECT_MILLISECONDS = 250
RECONNECT_SPREAD_MILLISECONDS = 1750
"""How long clients of event streams wait before they reconnect, so that not all do at once."""


class WatchedConnection(Protocol):
    """The part of a connection that the timer and the graceful shutdown use."""

    def check_deadlines(self, now: float, /) -> None:
        """Enforce its deadlines."""

    def end_event_stream(self) -> None:
        """End its event stream, if it has one."""

    def close_if_idle(self, seconds: float, /) -> None:
        """Close it if no request came for so many seconds."""

    def cancel(self) -> bool:
        """Cancel its request; return whether it had one."""
        ...

    def abort(self) -> None:
        """Reset it."""


class ServerState:
    """The shared state of one process that serves one application.

    One timer checks all connections, while there are any. So setting a deadline is an assignment,
    and a process without connections does not wake up.
    """

    __slots__ = (
        "_chance",
        "_defaults",
        "_rendered",
        "_tick",
        "_timer",
        "app",
        "config",
        "connections",
        "early_shedding",
        "is_draining",
        "loop",
        "now",
        "options",
        "reads_faults",
        "refusals",
        "root_path",
        "state",
        "values",
    )

    def __init__(
        self,
        config: Config,
        state: State,
        values: dict[str, Any],
        *,
        loop: asyncio.AbstractEventLoop,
        options: ServerOptions | None = None,
        chance: Chance = chance,
    ) -> None:
        if not config.loaded:
            config.load()
        gateway = values.get(GATEWAY)
        self.options = options or options_of(gateway)
        self.refusals = _refusals_of(gateway)
        # A gateway turns an exception of `receive` into problem details; other applications do not.
        self.reads_faults = gateway is not None
        # Middleware around the gateway may answer itself, so nothing is shed before it.
        controller = gateway.shedding if gateway and gateway is config.loaded_app else None
        self.early_shedding = EarlyShedding(controller, lambda: self.defaults, loop)
        self.config = config
        self.app: App = config.loaded_app
        self.root_path = config.root_path
        self.state = state
        self.values = values
        self.now = loop.time
        self.connections: set[WatchedConnection] = set()
        self.is_draining = False
        self._chance = chance
        self.loop = loop
        self._timer: asyncio.TimerHandle | None = None
        self._tick = _tick(self.options)
        self._defaults: list[tuple[bytes, bytes]] = []
        self._rendered = b""

    def reconnect_event(self) -> bytes:
        """Return the last event of a stream, with a random time to reconnect.

        The `retry` field is in milliseconds (HTML, section 9.2.6).
        """
        wait = MIN_RECONNECT_MILLISECONDS + int(RECONNECT_SPREAD_MILLISECONDS * self._chance())
        return b": the server restarts\nretry: %d\n\n" % wait

    @property
    def defaults(self) -> bytes:
        """The header fields of every answer, such as Date, rendered once a second."""
        current = self.state.default_headers
        if current is not self._defaults:
            self._defaults = current
            self._rendered = b"".join(b"%b: %b\r\n" % field for field in current)
        return self._rendered

    def add(self, connection: WatchedConnection) -> None:
        """Add a connection, whose deadlines are checked from now on."""
        self.connections.add(connection)
        self.state.connections.add(connection)
        if self._timer is None:
            self._timer = self.loop.call_later(self._tick, self._check_connections)

    def discard(self, connection: WatchedConnection) -> None:
        """Remove a connection."""
        self.connections.discard(connection)
        self.state.connections.discard(connection)

    def close(self) -> None:
        """Stop the timer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _check_connections(self) -> None:
        # First of all: an exception of one connection must not end the checks of the others.
        self._timer = (
            self.loop.call_later(self._tick, self._check_connections) if self.connections else None
        )
        now = self.now()
        for connection in tuple(self.connections):
            connection.check_deadlines(now)


SERVER_STATE = "bff.server"
"""The key of the `ServerState` in the lifespan state, under uvicorn's own server."""


def serving_of(
    config: Config,
    state: State,
    values: dict[str, Any],
    loop: asyncio.AbstractEventLoop | None,
) -> ServerState:
    """Return the state under uvicorn's own server; the first connection creates it."""
    serving: ServerState | None = values.get(SERVER_STATE)
    if serving is None:
        loop = loop or asyncio.get_running_loop()
        serving = values[SERVER_STATE] = ServerState(config, state, values, loop=loop)
    return serving


def options_of(gateway: Gateway | None) -> ServerOptions:
    """Return the options of a gateway's settings, or the defaults for another application."""
    return ServerOptions() if gateway is None else ServerOptions.of(gateway.settings)


def _refusals_of(gateway: Gateway | None) -> EarlyRefusals:
    if gateway is None:
        return EarlyRefusals(security_headers())
    edge = gateway.edge_options
    return EarlyRefusals(
        security_headers(policy=edge.policy, hsts=edge.hsts),
        cors=Permissions(edge.cors),
        events=gateway.events,
    )


def _tick(options: ServerOptions) -> float:
    """Return the time between two checks of deadlines."""
    shortest = min(
        options.header_timeout, options.body_timeout, options.send_timeout, options.keep_alive
    )
    return min(MAX_CHECK_SECONDS, max(MIN_CHECK_SECONDS, shortest / CHECKS_PER_TIMEOUT))


class DateHeader:
    """Updates the Date field of answers, as uvicorn's own server would."""

    __slots__ = ("_loop", "_state", "_timer")

    def __init__(self, state: State, loop: asyncio.AbstractEventLoop) -> None:
        self._state = state
        self._loop = loop
        self._timer = self._write()

    def close(self) -> None:
        """Stop the clock."""
        self._timer.cancel()

    def _write(self) -> asyncio.TimerHandle:
        now = time.time()
        self._state.default_headers = [(b"date", formatdate(now, usegmt=True).encode())]
        return self._loop.call_later(1.0 - now % 1.0, self._renew)

    def _renew(self) -> None:
        self._timer = self._write()
