"""The JSON of the lines that processes wrote."""

import msgspec

from bff_core.console.model.requests import LogEntry


class LogPage(msgspec.Struct, kw_only=True):
    """The newest lines that match, oldest first."""

    lines: list[LogEntry]
    dropped: int = 0
