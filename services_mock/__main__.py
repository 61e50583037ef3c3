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
    """Run the command line; return the exit status."""
    parsed = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    try:
        return _run(parsed)
    except PortTaken as problem:
        logging.getLogger("services_mock").error(problem)  # noqa: TRY400 - one line says it all
        return 1


def _run(arguments: argparse.Namespace) -> int:
    if arguments.service is None:
        ports = shop.ports(_first_port(arguments.port))
        places = [Place(name, arguments.host, port) for name, port in ports.items()]
        return Fleet(places, access_log=arguments.access_log).run()
    port = arguments.port
    if port is None:
        port = shop.ports(_first_port())[arguments.service]
    place = Place(arguments.service, arguments.host, port)
    serve(place, place.bind(), access_log=arguments.access_log)
    return 0


def _first_port(port: int | None = None) -> int:
    name, text = "--port", str(port)
    if port is None:
        name, text = "SERVICES_PORT", os.environ.get("SERVICES_PORT") or str(shop.FIRST_PORT)
    last = 65_535 - len(shop.SERVICES) + 1
    if not (text.isascii() and text.isdigit()) or not 1 <= int(text) <= last:
        sys.exit(f"{name} must be a port from 1 to {last}, not {text!r}")
    return int(text)


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) <= 65_535):
        raise argparse.ArgumentTypeError(f"{text!r} is no port from 0 to 65535")
    return int(text)


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
