"""Runs the supervisor over stand-ins: `supervise.py '{"name": [port, option …]}' [seconds]`.

Names in capitals are vital. Prints `up` with the process ids once all are ready.
"""

import asyncio
import json
import sys
from pathlib import Path

from scripts.run.console import Console
from scripts.run.keys import KEYS
from scripts.run.ports import Port
from scripts.run.program import Program
from scripts.run.supervisor import Supervisor

STAND_IN = Path(__file__).with_name("stand_in.py")


def main() -> int:
    """Supervise, and return the exit status."""
    wanted = json.loads(sys.argv[1])
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 10.0
    programs = [
        Program(
            name=name,
            command=(sys.executable, str(STAND_IN), *map(str, words)),
            port=Port(words[0], "PORT"),
            ready="/healthz",
            is_vital=name.isupper(),
            key=KEYS[number],
        )
        for number, (name, words) in enumerate(wanted.items())
    ]
    with Console(wanted, has_colours=False) as console:
        supervisor = Supervisor(programs, console, ready_seconds=seconds, stop_seconds=1.0)
        return asyncio.run(supervisor.run(lambda pids, _: console.say(f"up {json.dumps(pids)}")))


if __name__ == "__main__":
    sys.exit(main())
