"""Free ports for the processes that tests start: none is given twice, to no two workers."""

import contextlib
import os
import socket
from itertools import cycle
from typing import Final

FIRST: Final = 12_000
"""Below the range from which the system gives ports to outgoing connections."""

SHARE: Final = 4_000
"""Ports of one worker of pytest-xdist; five workers have ports of their own."""


def _own_ports() -> list[int]:
    """Return the ports of this process, from another one in each run."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 5
    first, begin = FIRST + worker * SHARE, os.getpid() * 37 % SHARE
    return [first + (begin + number) % SHARE for number in range(SHARE)]


_ports: Final = cycle(_own_ports())


def free_port() -> int:
    """Return a free port, another one each time."""
    for _ in range(SHARE):
        port = next(_ports)
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise AssertionError("no free ports")


def free_ports(count: int) -> list[int]:
    """Return so many free ports that follow each other."""
    found: list[int] = []
    while len(found) < count:
        port = free_port()
        found = [*found, port] if found and port == found[-1] + 1 else [port]
    return found
