"""The command `bff`: its verbs, their options and their help.

It is a package of its own, so that `bff --help` need not load the framework: each verb imports what
it does, `bff_core.cli`, when it runs.
"""

import sys
from importlib.metadata import version
from typing import Annotated

import typer

from bff_core_cli import run_verbs, scaffold_verbs

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


def main() -> None:
    """Run the command line; an error of ours is one message, without a traceback."""
    try:
        app()
    except Exception as error:
        if not _is_for_users(error):
            raise
        for line in str(error).splitlines():
            sys.stderr.write(f"bff: {line}\n")
        sys.exit(2)


def _is_for_users(error: Exception) -> bool:
    """Whether the message says all that a user needs."""
    from bff_core.cli.errors import CannotRun  # noqa: PLC0415 # it loads the framework
    from bff_core.errors import ConfigurationError  # noqa: PLC0415 # the same
    from bff_core.server.target import CannotServe  # noqa: PLC0415 # the same

    return isinstance(error, CannotRun | ConfigurationError | CannotServe)
