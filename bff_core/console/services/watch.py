"""The state of each service of a run, and a stream of its changes for pages of gateways."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Final, Literal

import msgspec

from bff_core.background import Background
from bff_core.console.answers import ConsoleProblem
from bff_core.console.development import Development
from bff_core.console.faults.control import FaultControl
from bff_core.console.live_stream import HEARTBEAT_SECONDS, MAX_PAGES
from bff_core.console.model import ProcessInfo

INTERVAL_SECONDS: Final = 0.1
"""How soon a page learns that a process has started or ended."""

FAULTS_SECONDS: Final = 1.0
"""How soon it learns of faults that were set elsewhere than in the console."""


class ServiceState(msgspec.Struct, kw_only=True):
    """A service: `faulty` is one that runs with faults, and `detail` says which.

    `since` is when it stopped, as Unix time.
    """

    name: str
    state: Literal["running", "starting", "stopped", "faulty"]
    detail: str = ""
    since: float | None = None


class ServiceStates(msgspec.Struct, kw_only=True):
    """All services of a run, in the order in which they are declared."""

    services: list[ServiceState]


class ServiceWatch:
    """Reports the services of a run; while a page listens, their faults are read."""

    def __init__(self, run: Development) -> None:
        self._run = run
        self._faults = FaultControl(run.client, run.effects)
        self._pages = 0
        self._reader: asyncio.Task[None] | None = None

    def states(self) -> ServiceStates:
        """Return all services as they are now, with the faults that were read last."""
        processes = self._run.processes()
        return ServiceStates(
            services=[self._state(one) for one in processes if one.kind == "service"]
        )

    def state(self, name: str) -> ServiceState:
        """Return one service; raises `ConsoleProblem` (404) for another name."""
        return self._state(self._run.service(name))

    async def read_faults(self) -> None:
        """Read the faults of all services."""
        await self._faults.cards(self._run.processes())

    def frames(self, background: Background) -> AsyncGenerator[bytes]:
        """Return the server-sent events of one page: all services at once and after each change.

        Raises `ConsoleProblem` if too many pages listen.
        """
        if self._pages >= MAX_PAGES:
            raise ConsoleProblem(
                503, "Too many pages are open", f"Close some: {MAX_PAGES} can be live at once."
            )
        return self._frames(background)

    async def _frames(self, background: Background) -> AsyncGenerator[bytes]:
        self._pages += 1
        try:
            yield b"retry: 1000\n\n"
            sent, quiet = None, 0.0
            while True:
                if self._reader is None or self._reader.done():
                    self._reader = background.spawn(self._read_faults())
                states = self.states()
                if states != sent:
                    sent, quiet = states, 0.0
                    yield b"data: %b\n\n" % msgspec.json.encode(states)
                elif quiet >= HEARTBEAT_SECONDS:
                    quiet = 0.0
                    yield b":\n\n"
                await asyncio.sleep(INTERVAL_SECONDS)
                quiet += INTERVAL_SECONDS
        finally:
            self._pages -= 1

    async def _read_faults(self) -> None:
        while self._pages:
            await self.read_faults()
            await asyncio.sleep(FAULTS_SECONDS)

    def _state(self, process: ProcessInfo) -> ServiceState:
        found = ServiceState(name=process.name, state="running", since=process.since)
        effects = self._run.effects
        match process.state:
            case "running":
                found.detail = effects.get(process.name, "")
                found.state = "faulty" if found.detail else "running"
                return found
            case "starting":
                found.state = "starting"
            case "stopped":
                found.state = "stopped"
            case "failed":
                found.state, found.detail = "stopped", "ended by itself"
        effects.pop(process.name, None)  # the next process has none
        return found
