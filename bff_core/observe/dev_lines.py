"""Sends records of requests to `bff dev`, over a Unix socket."""

from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from bff_core.observe.line_socket import LineSocket
from bff_core.observe.request_records import RequestRecord

TRACES_VARIABLE: Final = "BFF_DEV_TRACES"
"""The environment variable that names the socket; `bff dev` sets it."""


class DevLines:
    """Sends a line per request to `bff dev`; the next one says how many were not taken."""

    def __init__(self, send: Callable[[bytes], bool]) -> None:
        self._send = send
        self._dropped = 0

    def __call__(self, record: RequestRecord) -> None:
        """Send a record."""
        record.dropped = self._dropped
        line = msgspec.json.encode(record) + b"\n"
        self._dropped = 0 if self._send(line) else self._dropped + 1


def dev_lines(environ: Mapping[str, str]) -> DevLines | None:
    """Return what sends records to `bff dev`; None if it did not start this process."""
    path = environ.get(TRACES_VARIABLE, "")
    line = LineSocket.connected(path) if path else None
    return None if line is None else DevLines(line.send)
