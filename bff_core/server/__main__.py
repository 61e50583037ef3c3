"""The command line of the server: `python -m bff_core.server shop.app:app`."""

import argparse
import signal
import sys

from bff_core.server.runner import ServePlan, serve
from bff_core.server.target import CannotServe


def main() -> int:
    """Serve the application on the command line; return the exit status, 2 for an error."""
    try:
        return serve(plan_of(sys.argv[1:]))
    except CannotServe as reason:
        for line in str(reason).splitlines():
            sys.stderr.write(f"bff: {line}\n")
        return 2


def plan_of(arguments: list[str]) -> ServePlan:
    """Parse the command line; an error ends the program with a message."""
    parser = argparse.ArgumentParser(
        prog="python -m bff_core.server",
        description="Serve a gateway. The BFF_ variables are the defaults of the options.",
        epilog="The environment takes precedence over .env. "
        "SIGTERM shuts down gracefully, a second one at once; SIGHUP reloads policies.",
    )
    parser.add_argument("app", help="module:attribute of a gateway or a factory: shop.app:app")
    parser.add_argument("--host", help="address to listen on (BFF_HOST)")
    parser.add_argument("--port", type=_port, help="port to listen on (BFF_PORT)")
    parser.add_argument("--workers", type=_count, help="number of processes (BFF_WORKERS)")
    parser.add_argument(
        "--drain-delay",
        dest="delay",
        type=_seconds,
        help="seconds to accept connections after SIGTERM (BFF_DRAIN_DELAY)",
    )
    parser.add_argument(
        "--grace", type=_seconds, help="seconds for requests then in flight (BFF_GRACE)"
    )
    files = parser.add_mutually_exclusive_group()
    files.add_argument(
        "--env-file", help="file of variables, beside the environment (.env in development)"
    )
    files.add_argument(
        "--no-env-file", dest="reads_env_file", action="store_false", help="do not read .env"
    )
    parser.add_argument("--fd", type=int, help="file descriptor of a listening socket")
    parser.add_argument("--lifeline", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--number", type=int, help=argparse.SUPPRESS)
    return ServePlan(**vars(parser.parse_args(arguments)))


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) <= 65535):
        raise argparse.ArgumentTypeError(f"{text!r} is not a port: give a number from 0 to 65535")
    return int(text)


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 256):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of processes from 1 to 256")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= 3600:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds from 0 to 3600")
    return seconds


if __name__ == "__main__":
    if signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # also after `serve` has returned
    sys.exit(main())
