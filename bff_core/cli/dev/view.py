"""What a run shows: the interface between the supervisor and the terminal or the log."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from bff_core.cli.dev.program import Program
from bff_core.observe.request_records import RequestRecord


class Serving(NamedTuple):
    """A program that serves: its process id, and the seconds of its start."""

    pid: int
    seconds: float


class StartedRun(NamedTuple):
    """The programs of a run after the start of all, which took `seconds`.

    `serving` lacks those that failed; `elsewhere` has the addresses of services that run already.
    """

    programs: Sequence[Program]
    serving: Mapping[str, Serving]
    elsewhere: Mapping[str, str]
    seconds: float


class RunView(Protocol):
    """Shows what happens in a run; `name` is that of a program."""

    def starting(self, programs: Sequence[Program]) -> None:
        """Show that programs are started."""

    def ready(self, run: StartedRun) -> None:
        """Show the programs, once each of them serves or has failed."""

    def line(self, name: str, text: str) -> None:
        """Show a line that a program wrote."""

    def request(self, name: str, trace: RequestRecord) -> None:
        """Show a request that a gateway answered."""

    def note(self, text: str, *, is_reload: bool = False) -> None:
        """Show that something changed as expected."""

    def failure(self, name: str, text: str, lines: Sequence[str] = ()) -> None:
        """Show that a program failed; `lines` are the end of its output."""
