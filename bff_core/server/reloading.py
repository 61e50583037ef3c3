"""Reloads the files of a gateway in this process, together with the other workers if there are any.

A reload is wanted by a signal, an operator's request or a changed file.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Final

from bff_core.background import Background
from bff_core.errors import ConfigurationError
from bff_core.events import ReloadSkipped
from bff_core.gateway.app import Gateway
from bff_core.gateway.reload import PreparedReload, prepare_reload
from bff_core.server.changed_files import watch
from bff_core.server.supervisor_line import SupervisorLine

NOT_CONFIGURED: Final = "neither BFF_POLICIES nor BFF_PROXY is set: nothing to reload"

Spawn = Callable[[Coroutine[object, object, None]], object]
"""Starts background work."""

Say = Callable[[str], None]
"""Sends a line to the supervisor."""


@asynccontextmanager
async def reloads(gateway: Gateway, line: SupervisorLine | None) -> AsyncIterator["Reloading"]:
    """Yield the reloads of a gateway that serves, until it stops."""
    background = Background(asyncio.get_running_loop(), gateway.events)
    reloading = Reloading(gateway, background.spawn, None if line is None else line.say)
    if line is not None:
        line.take = reloading.take
    gateway.reload_everywhere = reloading.reload
    if gateway.route_reload is not None:
        gateway.route_reload.roll_back_everywhere = reloading.roll_back
    if gateway.reloaded_files and gateway.settings.reload_on_change:
        background.spawn(watch(gateway.reloaded_files, reloading.request))
    try:
        yield reloading
    finally:
        gateway.reload_everywhere = None
        await background.aclose()


class Reloading:
    """The reloads of one process: it decides alone, or a supervisor decides for all workers.

    `say` sends a line to the supervisor; it is None without one.
    """

    def __init__(self, gateway: Gateway, spawn: Spawn, say: Say | None = None) -> None:
        self._gateway = gateway
        self._spawn = spawn
        self._say = say
        self._lock = asyncio.Lock()
        self._prepared: dict[str, PreparedReload | ConfigurationError] = {}
        self._abandoned: dict[str, str] = {}
        self._requested: list[asyncio.Future[tuple[str, ...]]] = []
        self._in_round: list[asyncio.Future[tuple[str, ...]]] = []

    def request(self) -> None:
        """Reload soon; a wrong file is logged."""
        if not self._gateway.reloaded_files:
            self._skip(NOT_CONFIGURED)
        elif self._say is not None:
            self._say("reload")
        else:
            self._spawn(self._reload_and_log())

    async def reload(self) -> tuple[str, ...]:
        """Reload, and return what changed; raise `ConfigurationError` if this is refused."""
        if self._say is None:
            return await self._reload_alone()
        outcome: asyncio.Future[tuple[str, ...]] = asyncio.get_running_loop().create_future()
        self._requested.append(outcome)
        self._say("reload")
        return await outcome

    def take(self, line: str) -> None:
        """Do what the supervisor says."""
        word, _, rest = line.partition(" ")
        number, _, reason = rest.partition(" ")
        if word == "prepare":
            self._spawn(self._prepare(number))
        elif word == "switch":
            self._switch(number)
        elif word == "abandon":
            self._abandon(number, reason)
        elif word == "rollback":
            self._roll_back(number, reason)

    def roll_back(self, digest: str, reason: str) -> None:
        """Take the content of a file of routes back, in all workers, for this reason."""
        if self._say is not None:
            self._say(f"rollback {digest} {reason}")
        else:  # not within the request that noticed it
            asyncio.get_running_loop().call_soon(self._roll_back, digest, reason)

    def _roll_back(self, digest: str, reason: str) -> None:
        if self._gateway.route_reload is not None:
            self._gateway.route_reload.roll_back(digest, reason)

    async def _reload_and_log(self) -> None:
        with suppress(ConfigurationError):  # it is logged as `policies.refused`
            await self._reload_alone()

    async def _prepare_here(self) -> PreparedReload:
        return await prepare_reload(self._gateway.route_reload, self._gateway.running.policies)

    async def _reload_alone(self) -> tuple[str, ...]:
        async with self._lock:
            prepared = await self._prepare_here()
            prepared.switch()
            return prepared.changes

    async def _prepare(self, number: str) -> None:
        self._in_round += self._requested  # what is prepared from now on has what they need
        self._requested = []
        try:
            self._prepared[number] = await self._prepare_here()
            answer = f"prepared {number}"
        except ConfigurationError as error:
            self._prepared[number] = error
            answer = f"refused {number} {' '.join(str(error).split())}"
        if self._say is not None:
            self._say(answer)
        if number in self._abandoned:  # while it prepared
            self._abandon(number, self._abandoned.pop(number))

    def _switch(self, number: str) -> None:
        prepared = self._prepared.pop(number, None)
        if prepared is not None and not isinstance(prepared, ConfigurationError):
            prepared.switch()
            self._end_round(prepared.changes)

    def _abandon(self, number: str, reason: str) -> None:
        prepared = self._prepared.pop(number, None)
        if prepared is None:
            self._abandoned[number] = reason
            return
        if isinstance(prepared, ConfigurationError):
            self._end_round(prepared)
            return
        prepared.discard()
        self._skip(f"another worker refused: {reason}")
        self._end_round(ConfigurationError(reason))

    def _end_round(self, outcome: tuple[str, ...] | ConfigurationError) -> None:
        waiting, self._in_round = self._in_round, []
        for one in waiting:
            if one.done():  # its request has ended
                continue
            if isinstance(outcome, ConfigurationError):
                one.set_exception(outcome)
            else:
                one.set_result(outcome)

    def _skip(self, reason: str) -> None:
        events = self._gateway.events
        if events.sinks:
            events.emit(ReloadSkipped(reason))
