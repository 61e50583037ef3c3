"""Makes a mock slow or faulty, if it has the control route `/__faults__`."""

import asyncio
from typing import Final

import msgspec

from bff_core.cli.dev.program import Program, send
from bff_core.console.faults.control import FAULTS_PATH

SLOW_SECONDS: Final = 2.0
"""The latency of a slow mock, and how long its control route may take."""

SLOW: Final = {"kind": "latency", "distribution": {"name": "constant", "seconds": SLOW_SECONDS}}
FAILING: Final = {"kind": "error", "status": 500}
FLAKY: Final = {"kind": "error", "status": 503, "rate": 0.5}


class NoFaults(Exception):
    """A program takes no faults; the message says why."""


async def takes_faults(program: Program) -> bool:
    """Return whether a program has the control route."""
    try:
        status, _ = await asyncio.wait_for(send(program, "GET", FAULTS_PATH), SLOW_SECONDS)
    except (OSError, TimeoutError):
        return False
    return " 200 " in f"{status} "


async def set_faults(program: Program, *faults: object) -> None:
    """Replace the faults of a program; without any it answers as usual. Raises `NoFaults`."""
    body = msgspec.json.encode({"faults": faults})
    try:
        status, _ = await asyncio.wait_for(send(program, "PUT", FAULTS_PATH, body), SLOW_SECONDS)
    except (OSError, TimeoutError) as error:
        raise NoFaults(f"{program.name} does not answer: {error or 'timeout'}") from None
    if not status.partition(" ")[2].startswith("2"):
        raise NoFaults(f"{program.name} takes no faults: {status}")
