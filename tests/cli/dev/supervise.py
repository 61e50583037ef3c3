"""Runs the supervisor over stand-ins: `supervise.py '{"name": [port, option …]}' [seconds]`.

Names in capitals are gateways; their options are variables.
"""

import asyncio
import json
import os
import sys
from pathlib import Path
from types import SimpleNamespace

from bff_core.cli.dev.logfmt import Logfmt
from bff_core.cli.dev.program import Program
from bff_core.cli.dev.run import run_programs
from bff_core.cli.dev.supervisor import Supervisor
from bff_core.cli.dev.terminal_writer import TerminalWriter
from bff_core.cli.ports import Port

STAND_IN = Path(__file__).with_name("stand_in.py")
ROOT = Path(__file__).parents[3]


def program(name: str, port: int, *options: str) -> Program:
    """Return a stand-in."""
    if name.isupper():
        return Program(
            name=name,
            port=Port(port, "PORT"),
            ready="/readyz",
            root=ROOT,
            app="tests.cli.dev.stand_in_gateway:app",
            env={"BFF_ENV": "development", "BFF_LOG": "json", **dict.fromkeys(options, "1")},
        )
    return Program(
        name=name,
        port=Port(port, "PORT"),
        ready="/healthz",
        root=ROOT,
        command=(sys.executable, str(STAND_IN), str(port), *options),
    )


def main() -> int:
    """Supervise, and return the exit status."""
    programs = [program(name, *words) for name, words in json.loads(sys.argv[1]).items()]
    plan = SimpleNamespace(programs=programs, others=[], elsewhere={}, environ=dict(os.environ))
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 20.0
    if os.environ.get("WITHOUT_FORK"):
        with TerminalWriter() as console:
            view = Logfmt(console, programs)
            return asyncio.run(Supervisor(plan, view, stop_seconds=1.0).run())
    return run_programs(plan, ready_seconds=seconds, stop_seconds=1.0)


if __name__ == "__main__":
    sys.exit(main())
