"""Reads the ports of a run from the environment, and checks that they are free."""

import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bff_core.cli.errors import CannotRun

HOST = "127.0.0.1"
HIGHEST = 65535


class PortUnusable(CannotRun):
    """A port is taken or not valid; the message is one line that names the variable."""


@dataclass(frozen=True, slots=True)
class Port:
    """A port to listen on, and the environment variable that sets it."""

    number: int
    variable: str


def port_from(environ: Mapping[str, str], variable: str, default: int, *, offset: int = 0) -> Port:
    """Read a port from the environment; `offset` is added to a base that several ports share.

    Raises PortUnusable if the variable is not a number, or the sum exceeds the highest port.
    """
    text = environ.get(variable) or str(default)
    if not (text.isascii() and text.isdigit() and 0 < int(text) <= HIGHEST):
        raise PortUnusable(f"{variable}={text} is no port: give a number from 1 to {HIGHEST}")
    number = int(text) + offset
    if number > HIGHEST:
        raise PortUnusable(f"{variable}={text} is too high: port {number} would be needed, too")
    return Port(number, variable)


def check(ports: Iterable[Port]) -> None:
    """Raise PortUnusable for the first port that is used twice, or for those that are taken."""
    taken: dict[int, Port] = {}
    for port in ports:
        if other := taken.get(port.number):
            names = f"{other.variable} and {port.variable}"
            raise PortUnusable(f"port {port.number} is named twice: by {names}")
        taken[port.number] = port
    busy = [port for port in taken.values() if _is_busy(port.number)]
    if len(busy) == 1:
        raise PortUnusable(busy_text(busy[0]))
    if busy:
        numbers = ", ".join(f"{port.number}" for port in busy)
        variables = ", ".join(dict.fromkeys(port.variable for port in busy))
        raise PortUnusable(
            f"ports {numbers} are busy, maybe by another `bff dev`: stop it, "
            f"or choose others with {variables}"
        )


def busy_text(port: Port) -> str:
    """Return what to do about a port that is taken."""
    return f"port {port.number} is busy: free it or choose another with {port.variable}"


def _is_busy(number: int) -> bool:
    with socket.socket() as probe:
        # Connections of an earlier run that linger in TIME_WAIT are no listener.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, number))
        except OSError:
            return True
    return False
