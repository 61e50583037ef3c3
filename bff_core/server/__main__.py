"""`python -m bff_core.server shop.app:app`: serve a gateway."""

import argparse
import signal
import sys

from bff_core.server.runner import CannotServe, ServePlan, serve


def main() -> int:
    """Serve the application that the command line names; return the exit status, 2 for an error."""
    try:
        return serve(plan_of(sys.argv[1:]))
    except CannotServe as reason:
        for line in str(reason).splitlines():
            sys.stderr.write(f"bff: {line}\n")
        return 2


def plan_of(arguments: list[str]) -> ServePlan:
    """Read the command line; ends the program with a message where it is wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m bff_core.server",
        description="Serve a gateway. Options that are not given are read from the BFF_ variables.",
        epilog="SIGTERM drains and ends, a second one ends at once; SIGHUP reloads policies.",
    )
    parser.add_argument("app", help="module:attribute, as in shop.app:app")
    parser.add_argument("--host", help="address to listen on (BFF_HOST)")
    parser.add_argument("--port", type=_port, help="port to listen on (BFF_PORT)")
    parser.add_argument("--workers", type=_count, help="number of processes (BFF_WORKERS)")
    parser.add_argument(
        "--drain-delay",
        dest="delay",
        type=_seconds,
        help="seconds to go on accepting after a signal to end (BFF_DRAIN_DELAY)",
    )
    parser.add_argument(
        "--grace", type=_seconds, help="seconds for requests then in flight (BFF_GRACE)"
    )
    parser.add_argument("--fd", type=int, help="descriptor of a socket that listens already")
    parser.add_argument("--lifeline", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--number", type=int, help=argparse.SUPPRESS)
    return ServePlan(**vars(parser.parse_args(arguments)))


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) <= 65535):
        raise argparse.ArgumentTypeError(f"{text!r} is no port: give a number up to 65535")
    return int(text)


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 256):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of processes from 1 to 256")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= 3600:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds up to 3600")
    return seconds


if __name__ == "__main__":
    if signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # until the process has ended, too
    sys.exit(main())
