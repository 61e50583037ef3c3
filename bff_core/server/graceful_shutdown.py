"""The end of a serving process: nobody who was let in is turned away, and nobody waits for ever."""

import asyncio
from typing import Final

from bff_core.edge.health import Readiness
from bff_core.events import Drained, Events
from bff_core.server.listening_socket import Listening
from bff_core.server.server_state import ServerState

POLL: Final = 0.02
"""Seconds between two looks at what is left."""

QUIET: Final = 0.5
"""Seconds that a connection has to be idle before it is closed: a request may be on its way."""

AFTERMATH: Final = 1.0
"""Seconds that cancelled handlers have to clean up, and clients to read why."""


class GracefulShutdown:
    """The steps from the first signal to the last connection.

    1. Readiness is false, and each answer closes its connection; all goes on for the delay, in
       which balancers notice.
    2. What waits to be accepted is accepted, then nothing more. Web sockets are closed with 1012
       and streams of events end: their clients connect anew, elsewhere.
    3. What is in flight goes on for the grace; connections that stay idle are closed.
    4. What is unfinished is cancelled and answered 503, or broken off where the answer has begun.

    Once `is_urgent` is set the steps wait no longer for anything.
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
        """Take the steps; durations in seconds."""
        began_at = self._serving.now()
        if self._readiness is not None:
            self._readiness.drain()
        self._serving.is_draining = True
        await self._pause(delay)
        await self._listening.close()
        self._retire()
        await self._settle(grace)
        unfinished = self._cut()
        if self._events.sinks:
            self._events.emit(Drained(unfinished, self._serving.now() - began_at))
        await self._clean_up()

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._is_urgent.wait()
        except TimeoutError:
            return

    def _retire(self) -> None:
        for connection in tuple(self._serving.state.connections):
            if connection not in self._serving.connections:
                connection.shutdown()  # a web socket: 1012, service restart
        for connection in tuple(self._serving.connections):
            connection.reconnect()

    async def _settle(self, grace: float) -> None:
        """Wait until all is answered, for no longer than the grace."""
        serving = self._serving
        until = serving.now() + grace
        while not self._is_urgent.is_set() and serving.now() < until:
            for connection in tuple(serving.connections):
                connection.close_if_idle(QUIET)
            if not (serving.state.connections or serving.state.tasks):
                return
            await self._pause(min(POLL, until - serving.now()))

    def _cut(self) -> int:
        unfinished = [c for c in tuple(self._serving.connections) if c.cut()]
        return len(unfinished)

    async def _clean_up(self) -> None:
        state = self._serving.state
        if state.tasks:
            _, stubborn = await asyncio.wait(tuple(state.tasks), timeout=AFTERMATH)
            for task in stubborn:
                task.cancel()
        until = self._serving.now() + AFTERMATH
        while state.connections and self._serving.now() < until:  # noqa: ASYNC110 # uvicorn's protocols tell no event
            await asyncio.sleep(POLL)
        for connection in tuple(self._serving.connections):
            connection.abort()
