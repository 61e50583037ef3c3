"""A worker process: `python -m bff_core.server.worker`, which the server itself starts.

It has only the options that a supervisor passes on, and loads no command line.
"""

import argparse
import sys
from collections.abc import Sequence

from bff_core.errors import ConfigurationError
from bff_core.server.runner import ServePlan, serve
from bff_core.server.sighup import ignore_hangups
from bff_core.server.target import CannotServe


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve as the arguments say; return the exit status, 2 for wrong arguments or settings."""
    ignore_hangups()
    try:
        return serve(_plan_of(arguments))
    except (CannotServe, ConfigurationError) as error:
        reason = error if isinstance(error, CannotServe) else CannotServe(str(error))
        sys.stderr.writelines(f"{line}\n" for line in reason.report)
        return reason.status


def _plan_of(arguments: Sequence[str] | None) -> ServePlan:
    parser = argparse.ArgumentParser(description="A worker of `bff serve`.")
    parser.add_argument("app")
    for name in ("--workers", "--fd", "--lifeline", "--number"):
        parser.add_argument(name, type=int)
    parser.add_argument("--drain-delay", dest="delay", type=float)
    parser.add_argument("--grace", type=float)
    parser.add_argument("--replaced", nargs=2, metavar=("PID", "CAUSE"))
    return ServePlan(**vars(parser.parse_args(arguments)), reads_env_file=False)


if __name__ == "__main__":
    sys.exit(main())
