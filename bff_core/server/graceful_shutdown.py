"""Graceful shutdown: answers admitted requests, within the grace period."""

import asyncio
from typing import Final

from bff_core.edge.health import Readiness
from bff_core.events import Drained, Events
from bff_core.server.listening_socket import Listening
from bff_core.server.server_state import ServerState

POLL_SECONDS: Final = 0.02
"""The time between two checks of the remaining connections."""

QUIET_SECONDS: Final = 0.5
"""How long a connection has to be idle before it is closed: a request may be in transit."""

CLEANUP_SECONDS: Final = 1.0
"""How long cancelled handlers may clean up, and clients may read their refusals."""


class GracefulShutdown:
    """The steps from the first signal to the last connection.

    1. Readiness turns false, and each answer closes its connection. The server accepts connections
       for the delay, in which load balancers notice.
    2. Connections in the backlog are accepted, then no more. Web sockets are closed with 1012 and
       event streams end: their clients reconnect, elsewhere.
    3. Requests in flight continue for the grace period; idle connections are closed.
    4. Unfinished requests are cancelled and answered 503, or aborted if their answer has begun.

    Once `is_urgent` is set, no step waits.
    """

    def __init__(
        self,
        serving: ServerState,
        listening: Listening,
        *,
        readiness: Readiness | None,
        events: Events,
        is_urgent: asyncio.Event,
    ) -> None:
        self._serving = serving
        self._listening = listening
        self._readiness = readiness
        self._events = events
        self._is_urgent = is_urgent

    async def run(self, *, delay: float, grace: float) -> None:
        """Shut down; `delay` and `grace` are in seconds."""
        began_at = self._serving.now()
        if self._readiness is not None:
            self._readiness.drain()
        self._serving.is_draining = True
        await self._pause(delay)
        await self._listening.close()
        self._end_streams()
        await self._wait_until_answered(grace)
        unfinished = [one for one in tuple(self._serving.connections) if one.cancel()]
        if self._events.sinks:
            self._events.emit(Drained(len(unfinished), self._serving.now() - began_at))
        await self._clean_up()

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._is_urgent.wait()
        except TimeoutError:
            return

    def _end_streams(self) -> None:
        for connection in tuple(self._serving.state.connections):
            if connection not in self._serving.connections:
                connection.shutdown()  # a web socket: 1012, service restart
        for connection in tuple(self._serving.connections):
            connection.end_event_stream()

    async def _wait_until_answered(self, grace: float) -> None:
        """Wait until every request is answered, at most for the grace period."""
        serving = self._serving
        until = serving.now() + grace
        while not self._is_urgent.is_set() and serving.now() < until:
            for connection in tuple(serving.connections):
                connection.close_if_idle(QUIET_SECONDS)
            if not (serving.state.connections or serving.state.tasks):
                return
            await self._pause(min(POLL_SECONDS, until - serving.now()))

    async def _clean_up(self) -> None:
        state = self._serving.state
        if state.tasks:
            _, stubborn = await asyncio.wait(tuple(state.tasks), timeout=CLEANUP_SECONDS)
            for task in stubborn:
                task.cancel()
        until = self._serving.now() + CLEANUP_SECONDS
        while state.connections and self._serving.now() < until:  # noqa: ASYNC110 # uvicorn's protocols have no event
            await asyncio.sleep(POLL_SECONDS)
        for connection in tuple(self._serving.connections):
            connection.abort()
