"""`python -m services_mock [service] [--port N]`: runs all services, or one."""

import argparse
import logging
import os
import sys
from collections.abc import Sequence

from services_mock import shop
from services_mock.fleet import Fleet
from services_mock.server import Place, PortTaken, serve


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what the command line asks for; return the exit status."""
    asked = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    try:
        return _run(asked)
    except PortTaken as problem:
        logging.getLogger("services_mock").error(problem)  # noqa: TRY400 - one line says it all
        return 1


def _run(asked: argparse.Namespace) -> int:
    if asked.service is None:
        ports = shop.ports(_first_port(asked.port))
        places = [Place(name, asked.host, port) for name, port in ports.items()]
        return Fleet(places, access_log=asked.access_log).run()
    port = shop.ports(_first_port())[asked.service] if asked.port is None else asked.port
    place = Place(asked.service, asked.host, port)
    serve(place, place.bind(), access_log=asked.access_log)
    return 0


def _first_port(asked: int | None = None) -> int:
    name, told = "--port", str(asked)
    if asked is None:
        name, told = "SERVICES_PORT", os.environ.get("SERVICES_PORT") or str(shop.FIRST_PORT)
    last = 65_535 - len(shop.SERVICES) + 1
    if not (told.isascii() and told.isdigit()) or not 1 <= int(told) <= last:
        sys.exit(f"{name} must be a port from 1 to {last}, not {told!r}")
    return int(told)


def _port(told: str) -> int:
    if not (told.isascii() and told.isdigit() and int(told) <= 65_535):
        raise argparse.ArgumentTypeError(f"{told!r} is no port from 0 to 65535")
    return int(told)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="services_mock", description=__doc__)
    parser.add_argument("service", nargs="?", choices=shop.SERVICES, help="one service; else all")
    port = "its port (0: a free one), or the first of all (SERVICES_PORT)"
    parser.add_argument("--port", type=_port, help=port)
    host = os.environ.get("SERVICES_HOST") or "127.0.0.1"
    parser.add_argument("--host", default=host, help="the address to listen on (SERVICES_HOST)")
    parser.add_argument("--access-log", action="store_true", help="log a line per request")
    return parser


if __name__ == "__main__":
    sys.exit(main())
