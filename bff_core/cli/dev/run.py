"""Runs `bff dev`: reads the project and the environment, and shows the run until it ends."""

import asyncio
import os
import signal
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path

from bff_core.cli.dev.console_server import PORT_VARIABLE, ConsoleServer, opened_console
from bff_core.cli.dev.fork_client import IS_AVAILABLE, forked_server
from bff_core.cli.dev.keyboard import Keyboard
from bff_core.cli.dev.keys import reading_keys
from bff_core.cli.dev.logfmt import Logfmt
from bff_core.cli.dev.plan import Plan, Planned
from bff_core.cli.dev.style import Style, has_signs, is_plain
from bff_core.cli.dev.supervisor import READY_SECONDS, STOP_SECONDS, Supervisor
from bff_core.cli.dev.terminal_view import TerminalView
from bff_core.cli.dev.terminal_writer import TerminalWriter
from bff_core.cli.ports import check
from bff_core.cli.project import find_project, read_project
from bff_core.settings.env_file import DEFAULT, read_env_file


def develop(gateways: Sequence[str] = (), *, console_port: int | None = None) -> int:
    """Run the services and gateways of the project until Ctrl-C; return the exit status.

    0: it was stopped. 1: a program did not come up, or no gateway is left. The console has the
    `console_port`, or that of the environment. Raises `CannotRun` for a table, a port or a
    gateway's name that is wrong, and `ConfigurationError` for a wrong `.env`.
    """
    root = find_project().root
    plan = read_plan(root, gateways)
    check(program.port for program in plan.programs)
    environ = {
        **plan.environ,
        **({} if console_port is None else {PORT_VARIABLE: str(console_port)}),
    }
    console = opened_console(environ, {program.port.number for program in plan.programs})
    with closing(console):
        return run_programs(plan, replan=partial(read_plan, root, gateways), console=console)


def read_plan(root: Path, gateways: Sequence[str]) -> Plan:
    """Read the table and `.env` of a project; raises what `develop` does."""
    environ = dict(os.environ)
    file = Path(os.path.relpath(root / DEFAULT))
    if environ.get("BFF_ENV", "development") == "development" and file.is_file():
        environ = {**read_env_file(file), **environ}
    return Plan(read_project(root), environ, gateways)


def run_programs(
    plan: Planned,
    *,
    replan: Callable[[], Plan] | None = None,
    console: ConsoleServer | None = None,
    ready_seconds: float = READY_SECONDS,
    stop_seconds: float = STOP_SECONDS,
) -> int:
    """Run programs, and show them on the terminal or as plain lines; return the exit status."""
    run = _in_plain_lines if is_plain(plan.environ) else _on_terminal
    has_gateway = any(one.is_gateway for one in plan.programs)
    root = plan.programs[0].root
    close_own = None if console is None else console.close
    make = partial(
        Supervisor,
        plan,
        replan=replan,
        console=console,
        fork_server=forked_server(root, close_own) if has_gateway and IS_AVAILABLE else None,
        ready_seconds=ready_seconds,
        stop_seconds=stop_seconds,
    )
    address = "" if console is None else console.address
    with TerminalWriter() as terminal:
        return asyncio.run(run(make, plan, terminal, address))


async def _in_plain_lines(
    make: Callable[..., Supervisor], plan: Planned, terminal: TerminalWriter, console: str
) -> int:
    return await make(Logfmt(terminal, plan.programs, console=console)).run()


async def _on_terminal(
    make: Callable[..., Supervisor], plan: Planned, terminal: TerminalWriter, console: str
) -> int:
    """Run with colours and keys."""
    style = Style(has_colours=True, has_signs=has_signs(plan.environ))
    view = TerminalView(terminal, style, plan.programs, console=console)
    supervisor = make(view, stays=True)
    keyboard = Keyboard(supervisor, view, terminal, style, console=console)
    with ExitStack() as until_end:

        def on_ready() -> None:
            if until_end.enter_context(reading_keys(keyboard.press)):
                keyboard.show()
                loop = asyncio.get_running_loop()
                loop.add_signal_handler(signal.SIGWINCH, keyboard.redraw)

        return await supervisor.run(on_ready)
