"""Describes the programs of a run for its console."""

import asyncio
from collections.abc import Collection, Mapping
from typing import Final, Literal

from bff_core.cli.dev.child import Child
from bff_core.cli.dev.faults import takes_faults
from bff_core.cli.dev.managed_program import ManagedProgram
from bff_core.console.model import ProcessInfo

States = Literal["starting", "running", "stopped", "failed"]
_STATES: Final[Mapping[str, States]] = {
    "starting": "starting",
    "ready": "running",
    "stopped": "stopped",
    "failed": "failed",
}


class ProcessInfos:
    """Returns what runs now; each new process of a service is probed once for its control route.

    Until it has answered, what is known of the process before counts.
    """

    def __init__(self, managed: Collection[ManagedProgram]) -> None:
        self._managed = managed
        self._takes_faults: dict[str, bool] = {}
        self._probed: dict[str, Child] = {}
        self._probes: set[asyncio.Task[None]] = set()

    def __call__(self) -> list[ProcessInfo]:
        """Return all programs."""
        return [self._info(one) for one in self._managed]

    def close(self) -> None:
        """End the probes."""
        for probe in self._probes:
            probe.cancel()

    def _info(self, managed: ManagedProgram) -> ProcessInfo:
        program, child = managed.program, managed.child
        is_probed = program.is_gateway or self._probed.get(program.name) is child
        if managed.state == "ready" and child is not None and not is_probed:
            self._begin(managed, child)
        return ProcessInfo(
            name=program.name,
            kind="gateway" if program.is_gateway else "service",
            port=program.port.number,
            state=_STATES[managed.state],
            takes_faults=self._takes_faults.get(program.name, False),
            since=managed.ended_at,
        )

    def _begin(self, managed: ManagedProgram, child: Child) -> None:
        self._probed[managed.name] = child
        probe = asyncio.get_running_loop().create_task(self._probe(managed))
        self._probes.add(probe)
        probe.add_done_callback(self._probes.discard)

    async def _probe(self, managed: ManagedProgram) -> None:
        self._takes_faults[managed.name] = await takes_faults(managed.program)
