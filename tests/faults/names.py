"""A resolver whose names a test can change: a file in place of the system's."""

import socket
import time
from pathlib import Path
from typing import Any

UNDER_TEST = ".test"
"""Names that end in this are looked up in the file (RFC 6761: no other resolver knows them)."""

HANGS, HANGS_FOR = "hangs", 0.4


def read_names_from(path: Path) -> None:
    """Answer this process's look-ups from lines such as `catalog.test 127.0.0.1`.

    The address `hangs` stands for a resolver that says nothing for long; a name that is not there
    does not exist. This replaces what asyncio's own loop calls in a thread.
    """
    system = socket.getaddrinfo

    def look_up(host: Any, port: Any, *options: Any, **named: Any) -> Any:
        if not str(host).endswith(UNDER_TEST):
            return system(host, port, *options, **named)
        names = dict(line.split() for line in path.read_text().splitlines())
        address = names.get(host)
        if address == HANGS:
            time.sleep(HANGS_FOR)
        if address in {None, HANGS}:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return system(address, port, *options, **named)

    socket.getaddrinfo = look_up
