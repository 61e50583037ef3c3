"""What `bff dev` lends the console: its processes, and the lines that they write."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from bff_core.console.answers import ConsoleProblem
from bff_core.console.logs.ring import LogRing
from bff_core.console.model import ProcessInfo
from bff_core.console.program_client import ProgramClient


@dataclass(frozen=True, slots=True, kw_only=True)
class Development:
    """A run of `bff dev`: the `run` of its console.

    `processes` returns gateways and services as they are now. `start` and `stop` change one of them
    at once, and do not wait for it. Pages of `origins`, those of the gateways, may read, start and
    stop the services. `effects` say in words which faults running services had when they were read
    last, by name.
    """

    logs: LogRing
    client: ProgramClient
    processes: Callable[[], Sequence[ProcessInfo]]
    start: Callable[[str], None]
    stop: Callable[[str], None]
    origins: frozenset[str] = frozenset()
    effects: dict[str, str] = field(default_factory=dict)

    def process(self, name: str) -> ProcessInfo:
        """Return a process; raises `ConsoleProblem` (404) for an unknown name."""
        found = next((one for one in self.processes() if one.name == name), None)
        if found is None:
            known = ", ".join(one.name for one in self.processes())
            raise ConsoleProblem(404, f"There is no process {name!r}", f"`bff dev` runs: {known}.")
        return found

    def service(self, name: str) -> ProcessInfo:
        """Return a process that is a service; raises `ConsoleProblem` as `process` does."""
        found = self.process(name)
        if found.kind != "service":
            services = ", ".join(one.name for one in self.processes() if one.kind == "service")
            raise ConsoleProblem(
                404, f"{name} is a gateway", f"This is for services only: choose {services}."
            )
        return found
