"""The command `bff`: its verbs, their options and their help.

It is a package of its own, so that `bff --help` need not load the framework: each verb imports what
it does, `bff_core.cli`, when it runs.
"""

import sys
from collections.abc import Sequence
from importlib.metadata import version
from typing import Annotated

import typer

from bff_core_cli import (
    client_verbs,
    contract_verbs,
    inspect_verbs,
    operate_verbs,
    run_verbs,
    scaffold_verbs,
)
from bff_core_cli.help_texts import flow_paragraphs, hide_types_of_flags
from bff_core_cli.process_exit import (
    discard_output,
    end_despite_threads,
    flush_output,
    open_closed_output,
    unwritten,
)

app = typer.Typer(
    name="bff",
    help="Start, run and inspect Backends-for-Frontends.",
    epilog="Exit status: 0 done, 1 failed, 2 wrong arguments or settings.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
run_verbs.add_to(app)
scaffold_verbs.add_to(app)
inspect_verbs.add_to(app)
contract_verbs.add_to(app)
client_verbs.add_to(app)
operate_verbs.add_to(app)
flow_paragraphs(app)
hide_types_of_flags(app)


def _show_version(is_wanted: bool) -> None:
    if is_wanted:
        typer.echo(f"bff-core {version('bff-core')}")
        raise typer.Exit


@app.callback()
def _options(
    _: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Take the options of all verbs."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit; an error of ours is one message, without a traceback."""
    status = 1
    open_closed_output()
    try:
        status = _run(arguments)
    finally:
        if arguments is None and sys.argv[1:2] != ["serve"]:
            end_despite_threads(status)
    sys.exit(status)


def _run(arguments: Sequence[str] | None) -> int:
    """Run a verb; return its exit status."""
    try:
        try:
            app(arguments)
        except SystemExit as ended:
            flush_output()
            return ended.code if isinstance(ended.code, int) else 0
    except OSError as error:
        message = unwritten(error)
        if message is None:
            raise
        discard_output()
        sys.stderr.write(message)
        return 1
    except Exception as error:
        status, lines = _report(error)
        if status is None:
            raise
        sys.stderr.writelines(f"{line}\n" for line in lines)
        return status
    return 0


def _report(error: Exception) -> tuple[int | None, Sequence[str]]:
    """Return the exit status of an error and the lines to print; None for an unexpected one."""
    from bff_core.cli.errors import CannotRun  # noqa: PLC0415 # it loads the framework
    from bff_core.errors import ConfigurationError  # noqa: PLC0415 # the same
    from bff_core.server.target import CannotServe  # noqa: PLC0415 # the same

    if isinstance(error, CannotServe):
        return error.status, error.report
    status = error.status if isinstance(error, CannotRun) else 2
    is_known = isinstance(error, CannotRun | ConfigurationError)
    return status if is_known else None, [f"bff: {line}" for line in str(error).splitlines()]
