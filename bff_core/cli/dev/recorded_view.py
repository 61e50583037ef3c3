"""A view of a run that also stores what happens to programs, for the console."""

import itertools
import time
from collections import deque
from collections.abc import Sequence
from typing import Final

from bff_core.cli.dev.program import Program
from bff_core.cli.dev.view import RunView, StartedRun
from bff_core.console.logs.ring import LogRing
from bff_core.console.model import EventRow, Severity
from bff_core.console.process_state import MAX_ACTIONS
from bff_core.observe.request_records import RequestRecord

NAME: Final = "bff dev"
"""The name of the supervisor among the processes of the logs."""


class RecordedView:
    """Shows a run by another view; `logs` get its own lines, `events` what operators want to know.

    What people do by the console is an event already, so stops are left out.
    """

    def __init__(self, view: RunView, logs: LogRing) -> None:
        self.events: deque[EventRow] = deque(maxlen=MAX_ACTIONS)
        self._view = view
        self._logs = logs
        self._numbers = itertools.count(1)

    def starting(self, programs: Sequence[Program]) -> None:
        """Show that programs are started."""
        self._view.starting(programs)

    def ready(self, run: StartedRun) -> None:
        """Show the programs."""
        self._view.ready(run)

    def line(self, name: str, text: str) -> None:
        """Show a line that a program wrote; the launcher has recorded it."""
        self._view.line(name, text)

    def request(self, name: str, trace: RequestRecord) -> None:
        """Show a request that a gateway answered."""
        self._view.request(name, trace)

    def note(self, text: str, *, is_reload: bool = False) -> None:
        """Show that something changed as expected."""
        self._view.note(text, is_reload=is_reload)
        self._logs.add(NAME, text)
        if is_reload:
            self._add("", text, "ok")

    def failure(self, name: str, text: str, lines: Sequence[str] = ()) -> None:
        """Show that a program failed."""
        self._view.failure(name, text, lines)
        self._logs.add(name or NAME, f"ERROR {text}")
        if not text.endswith(" is stopped"):
            self._add(name, text, "failed")

    def _add(self, name: str, text: str, state: Severity) -> None:
        marked = text.replace(name, f"**{name}**", 1) if name else text
        row = EventRow(
            id=f"run-{next(self._numbers)}",
            time=time.time(),
            state=state,
            subject=name or NAME,
            text=marked if not name or name in text else f"**{name}** {text}",
        )
        self.events.append(row)
