"""Shows a run on a terminal: requests with their trees, events, and the keys in the last line."""

import shutil
from collections.abc import Callable, Sequence
from typing import Final, Literal

from bff_core.cli.dev.folding import Folding
from bff_core.cli.dev.log_lines import digest, parsed
from bff_core.cli.dev.program import Program
from bff_core.cli.dev.request_lines import RequestLines
from bff_core.cli.dev.request_summary import Summary, summary_of
from bff_core.cli.dev.style import BOLD, DIM, GREEN, RED, YELLOW, Style
from bff_core.cli.dev.terminal_writer import TerminalWriter
from bff_core.cli.dev.view import StartedRun
from bff_core.cli.dev.welcome import welcome
from bff_core.observe.request_records import SLOW_SECONDS, RequestRecord

Trees = Literal["first, slow, degraded", "all", "none"]
TREES: Final[tuple[Trees, ...]] = ("first, slow, degraded", "all", "none")

LEVEL_COLOURS: Final = {"warning": YELLOW, "error": RED, "critical": RED}


class TerminalView:
    """The view of a terminal; `console` is the address of the console in a browser."""

    def __init__(
        self,
        terminal: TerminalWriter,
        style: Style,
        programs: Sequence[Program],
        *,
        console: str = "",
        columns: Callable[[], int] = lambda: shutil.get_terminal_size().columns,
    ) -> None:
        self.trees: Trees = TREES[0]
        self._terminal = terminal
        self._console = console
        self._style = style
        self.columns = columns
        self._root = programs[0].root
        names = [len(one.name) for one in programs if one.is_gateway]
        self._lines = RequestLines(style, max([*names, 7]))
        self._shown: set[tuple[str, str]] = set()
        self._folding = Folding(self._show_request, self._show_folded)

    def starting(self, programs: Sequence[Program]) -> None:
        """Say what is started."""
        console = f"; console: {self._console}" if self._console else ""
        self._say(f"starting {len(programs)} programs{console}")

    def ready(self, run: StartedRun) -> None:
        """Show the addresses, the programs, and what to try."""
        text = welcome(self._style, run, console=self._console, columns=self.columns())
        self._terminal.write(text)

    def line(self, name: str, text: str) -> None:
        """Show a line of a program, if the requests do not show it anyway."""
        found = parsed(text, self._root)
        if found is None:
            return
        colour = LEVEL_COLOURS.get(found.level)
        shown = found.text
        if colour is not None:
            shown = self._style.paint(f"{self._sign('warning')}{found.text}", colour)
        self._terminal.write(f"{self._lines.prefix(name)}{shown}{self._quoted(found.below)}")

    def request(self, name: str, trace: RequestRecord) -> None:
        """Show a request, or count it if there are many."""
        self._folding.take(name, trace)

    def note(self, text: str, *, is_reload: bool = False) -> None:
        """Show an event that is as expected."""
        sign = self._style.paint(self._sign("reload"), GREEN) if is_reload else ""
        self._say(f"{sign}{text}")

    def failure(self, name: str, text: str, lines: Sequence[str] = ()) -> None:
        """Show a failure, and the end of the output."""
        shown = f"{name} {text}" if name and name not in text else text
        below = self._quoted(digest(lines, self._root))
        self._say(f"{self._style.paint(self._sign('failed') + shown, RED)}{below}")

    def next_trees(self) -> None:
        """Switch which requests are followed by their tree."""
        self.trees = TREES[(TREES.index(self.trees) + 1) % len(TREES)]

    def say(self, text: str) -> None:
        """Show a text as it is."""
        self._terminal.write(text)

    def _sign(self, state: str) -> str:
        return f"{self._style.sign(state)} " if self._style.has_signs else ""

    def _say(self, text: str) -> None:
        clock = self._lines.prefix("").split("  ", 1)[0]
        self._terminal.write(f"{clock}  {text}")

    def _quoted(self, lines: Sequence[str]) -> str:
        bar = self._style.paint(self._style.drawn("│"), DIM)
        return "".join(f"\n          {bar} {line}" for line in lines)

    def _show_request(self, name: str, trace: RequestRecord) -> None:
        summary = summary_of(trace)
        width = self.columns()
        lines = [self._lines.line(name, trace, summary, width)]
        if self._has_tree(name, trace, summary):
            lines.extend(self._lines.tree(trace, summary, width))
        if summary.state == "failed" and self._console:
            sign = self._style.drawn("→")
            lines.append(f"          {sign} {self._console}/requests/{trace.request_id}")
        if trace.dropped:
            lines.append(f"          ({trace.dropped} requests before it are not shown)")
        self._terminal.write("\n".join(lines))

    def _has_tree(self, name: str, trace: RequestRecord, summary: Summary) -> bool:
        is_first = (name, summary.title) not in self._shown
        if summary.rows:
            self._shown.add((name, summary.title))
        if self.trees == "none":
            return False
        is_slow = trace.seconds >= SLOW_SECONDS
        return self.trees == "all" or is_first or is_slow or summary.has_findings

    def _show_folded(self, name: str, text: str) -> None:
        self._terminal.write(f"{self._lines.prefix(name)}{self._style.paint(text, BOLD)}")
