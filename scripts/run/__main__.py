"""`python -m scripts.run`: runs the shop until Ctrl-C or SIGTERM."""

import asyncio
import os
import sys

from bff_core.errors import ConfigurationError
from bff_core.settings.env_file import DEFAULT, read_env_file
from scripts.run.console import Console, wants_colours
from scripts.run.ports import PortUnusable, check
from scripts.run.shop import shop, welcome
from scripts.run.supervisor import Supervisor


def main() -> int:
    """Run the shop; return 0 if it was stopped, 1 after a failure, 2 for bad ports or `.env`."""
    try:
        if os.environ.get("BFF_ENV", "development") == "development" and DEFAULT.exists():
            for name, value in read_env_file(DEFAULT).items():
                os.environ.setdefault(name, value)
        programs = shop(os.environ)
        check(program.port for program in programs)
    except (PortUnusable, ConfigurationError) as problem:
        print(f"run: {problem}", file=sys.stderr)
        return 2
    names = [program.name for program in programs]
    with Console(names, has_colours=wants_colours(os.environ)) as console:
        console.say(f"starting {len(programs)} programs …")
        supervisor = Supervisor(programs, console)
        return asyncio.run(
            supervisor.run(
                lambda pids, has_keys: console.say(welcome(programs, pids, has_keys=has_keys))
            )
        )


if __name__ == "__main__":
    sys.exit(main())
