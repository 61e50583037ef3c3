"""What the keys of a run do: open, break, restart, trees, help, quit; and their line."""

import asyncio
import textwrap
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Final

from bff_core.cli.dev.browser import open_in_browser
from bff_core.cli.dev.faults import FAILING, FLAKY, SLOW, NoFaults, set_faults, takes_faults
from bff_core.cli.dev.program import Program
from bff_core.cli.dev.style import DIM, INVERSE, Style
from bff_core.cli.dev.supervisor import Supervisor
from bff_core.cli.dev.terminal_view import TerminalView
from bff_core.cli.dev.terminal_writer import TerminalWriter

NAMES: Final = "1234567890abcdefghijklmnopqrstuvwxyz"
ESCAPE: Final = "\x1b"

HELP: Final = """
  o  open the console in the browser: all requests, screens and services, live
  p  open a gateway's page in the browser
  b  break or restart a program: stop it; make a mock slow, or let it fail
  r  reload: restart all gateways with their current code
  t  which requests show their tree: first of a route, slow and degraded; all; none
  q  quit; Ctrl-C does so, too

  A saved file restarts the programs that use it. Each row is a part of the screen: its state, its \
services, milliseconds, and a bar on the time axis of the request. A failed attempt is red.
"""

SIGNS: Final = """\
  ✓ as usual   ◷ stale       ◐ fallback
  ○ missing    ⊘ forbidden   ✗ failed
  ░ pause before the next attempt
"""

HELP_COLUMNS: Final = 100
"""The help is no wider on a wider terminal."""

Key = tuple[str, str, Callable[[], None]]
"""A key, what it does, and the function that does it."""


class Keyboard:
    """Menus of keys; the current one is the footer. `console` is the address of the console."""

    def __init__(
        self,
        supervisor: Supervisor,
        view: TerminalView,
        terminal: TerminalWriter,
        style: Style,
        *,
        console: str = "",
    ) -> None:
        self._supervisor = supervisor
        self._view = view
        self._terminal = terminal
        self._console = console
        self._style = style
        self._tasks: set[asyncio.Task[None]] = set()
        self._keys: dict[str, Callable[[], None]] = {}
        self._shown: tuple[Sequence[Key], str] = ((), "")

    def show(self) -> None:
        """Show the main menu."""
        console: list[Key] = [("o", "console", self._open_console)] if self._console else []
        self._menu(
            [
                *console,
                ("p", "pages", self._open),
                ("b", "break or restart", self._break),
                ("r", "reload", self._restart),
                ("t", f"trees: {self._view.trees}", self._switch_trees),
                ("?", "help", self._help),
                ("q", "quit", self._supervisor.stop),
            ]
        )

    def redraw(self) -> None:
        """Fit the menu into a terminal that has another width now."""
        self._menu(*self._shown)

    def press(self, key: str) -> None:
        """Do what a key of the menu says; another key leaves a menu."""
        action = self._keys.get(key.lower() if key.lower() in self._keys else key)
        if action is not None:
            action()
        elif key in {ESCAPE, "\x7f", "\n"}:
            self.show()

    def _menu(self, keys: Sequence[Key], title: str = "") -> None:
        self._shown = keys, title
        self._keys = {key: action for key, _, action in keys}
        style, rows, width = self._style, [""], 0
        if title:
            rows[0], width = f"{style.paint(title, DIM)}  ", len(title) + 2
        for key, text, _ in keys:
            shown = f" {key} " if key != ESCAPE else " esc "
            size = len(shown) + len(text) + 3
            if width and width + size > self._view.columns():
                rows.append("")
                width = 0
            label = style.paint(shown, INVERSE) if style.has_colours else f"[{shown.strip()}]"
            rows[-1] += f"{label} {text}  "
            width += size
        self._terminal.set_footer("\n".join(row.rstrip() for row in rows))

    def _choose(
        self, title: str, programs: Sequence[Program], action: Callable[[Program], None]
    ) -> None:
        keys: list[Key] = [
            (key, one.name, partial(action, one)) for key, one in zip(NAMES, programs, strict=False)
        ]
        self._menu([*keys, (ESCAPE, "back", self.show)], title)

    def _open_console(self) -> None:
        self._do(self._browse(self._console))

    def _open(self) -> None:
        gateways = [one for one in self._supervisor.programs if one.is_gateway]
        if len(gateways) == 1:
            self._open_page(gateways[0])
        else:
            self._choose("open", gateways, self._open_page)

    def _open_page(self, program: Program) -> None:
        self._do(self._browse(f"{program.url}{program.page}"))

    async def _browse(self, address: str) -> None:
        is_open = await open_in_browser(address)
        self._view.note(f"opened {address}" if is_open else f"no browser was found: open {address}")

    def _break(self) -> None:
        order = sorted(self._supervisor.programs, key=lambda one: one.is_gateway)
        self._choose("break or restart", order, lambda one: self._do(self._offer(one)))

    async def _offer(self, program: Program) -> None:
        """Show what can be done to a program."""
        name, state = program.name, self._supervisor.changes.all_managed[program.name].state
        keys: list[Key] = [
            ("s", "stop" if state == "ready" else "start", partial(self._toggle, name)),
            ("r", "restart", partial(self._restart_one, name)),
        ]
        if state == "ready" and not program.is_gateway and await takes_faults(program):
            keys += [
                ("l", "slow: 2 s", partial(self._fault, program, "answers after 2 s", SLOW)),
                ("e", "errors: 500", partial(self._fault, program, "answers 500", FAILING)),
                ("f", "flaky", partial(self._fault, program, "fails half of its calls", FLAKY)),
                ("u", "as usual", partial(self._fault, program, "answers as usual")),
            ]
        self._menu([*keys, (ESCAPE, "back", self.show)], name)

    def _toggle(self, name: str) -> None:
        self._supervisor.changes.toggle(name)
        self.show()

    def _restart_one(self, name: str) -> None:
        self._supervisor.changes.restart(name)
        self.show()

    def _fault(self, program: Program, effect: str, *faults: object) -> None:
        self._do(self._set_faults(program, effect, *faults))
        self.show()

    async def _set_faults(self, program: Program, effect: str, *faults: object) -> None:
        try:
            await set_faults(program, *faults)
        except NoFaults as reason:
            self._view.failure(program.name, str(reason))
        else:
            self._view.note(f"{program.name} {effect}")

    def _restart(self) -> None:
        for one in self._supervisor.programs:
            if one.is_gateway:
                self._supervisor.changes.restart(one.name)

    def _switch_trees(self) -> None:
        self._view.next_trees()
        self.show()

    def _help(self) -> None:
        text = HELP + (SIGNS if self._style.has_signs else "")
        self._view.say(folded(text, min(self._view.columns(), HELP_COLUMNS)))

    def _do(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def folded(text: str, columns: int) -> str:
    """Break the lines of a text that are wider than a terminal; those of keys align below it."""

    def lines_of(line: str) -> list[str]:
        is_of_key = line[3:5] == "  "
        below = "     " if is_of_key else "  "
        return textwrap.wrap(line, columns, subsequent_indent=below) or [""]

    return "\n".join(one for line in text.splitlines() for one in lines_of(line)) + "\n"
