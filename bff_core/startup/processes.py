"""How many processes serve this gateway on this machine.

Our own server reports it. uvicorn, gunicorn, granian and hypercorn do not, but a frame on the stack
of their workers has the settings of the server.
"""

import inspect
import multiprocessing
from collections.abc import Mapping
from dataclasses import dataclass
from types import FrameType
from typing import Final

from bff_core.compat.uvicorn import WORKER_MODULE
from bff_core.events import WorkerEnded
from bff_core.settings.model import Settings

PROCESSES: Final = "bff.processes"
"""Where the lifespan state holds the `Processes`, if our own server serves the gateway."""

# By module of a server: a local variable of its frame, and the attribute for the number of workers.
_SERVERS: Final[Mapping[str, tuple[str, str]]] = {
    WORKER_MODULE: ("config", "workers"),
    "gunicorn.arbiter": ("self", "num_workers"),
    "granian.server.common": ("self", "workers"),
    "hypercorn.asyncio.run": ("config", "workers"),
}


@dataclass(frozen=True, slots=True)
class Processes:
    """How many processes serve a gateway; `is_first` is True in one of them.

    With `is_own_server` our own server runs this process, and sets up signals, root logger and
    garbage collector. Otherwise the gateway is embedded, and leaves them to the other code.
    `metrics` are host and port on which the parent of the processes serves their metrics.
    `replaced` is the process that this one replaces since it ended unexpectedly.
    """

    count: int = 1
    is_first: bool = True
    is_own_server: bool = False
    metrics: tuple[str, int] | None = None
    replaced: WorkerEnded | None = None


def processes_of(state: Mapping[str, object], settings: Settings) -> Processes:
    """Return what our server reports in the lifespan state, else what the stack shows.

    Behind another server, `BFF_WORKERS` may declare a higher number of processes.
    """
    declared = state.get(PROCESSES)
    if isinstance(declared, Processes):
        return declared
    found = _behind_another_server(inspect.currentframe())
    return Processes(max(found.count, settings.workers), found.is_first)


def _behind_another_server(frame: FrameType | None) -> Processes:
    while frame is not None:
        name = frame.f_globals.get("__name__", "")
        if name in _SERVERS:
            variable, attribute = _SERVERS[name]
            server = frame.f_locals.get(variable)
            count = getattr(server, attribute, None)
            if isinstance(count, int) and not getattr(server, "should_reload", False):
                return Processes(count, _is_first(frame.f_locals))
        frame = frame.f_back
    return Processes()


def _is_first(found: Mapping[str, object]) -> bool:
    """Whether this is the first worker of a server; gunicorn and multiprocessing count them."""
    age = getattr(found.get("worker"), "age", None)
    if isinstance(age, int):
        return age == 1
    number = getattr(multiprocessing.current_process(), "_identity", ())
    return number in {(), (1,)}
