"""The errors of the command line."""

from typing import ClassVar


class CannotRun(Exception):
    """A verb can't do its work; the message says why, and what to do."""

    status: ClassVar[int] = 2


class CommandFailed(CannotRun):
    """A verb ran, and failed: the message says why, and what to do."""

    status = 1
