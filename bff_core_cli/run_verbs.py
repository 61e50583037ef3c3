"""The verbs that run gateways: `bff serve`, `bff dev`."""

from typing import Annotated

import typer

from bff_core_cli.completion import gateways
from bff_core_cli.help_texts import RUN


def serve(
    app: Annotated[
        str,
        typer.Argument(
            help="module:attribute of a gateway or of a factory, such as shop.app:app; "
            "or the name of a gateway in pyproject.toml, such as mobile",
            autocompletion=gateways,
        ),
    ],
    *,
    host: Annotated[str | None, typer.Option(help="Address to listen on (BFF_HOST).")] = None,
    port: Annotated[
        int | None, typer.Option(help="Port to listen on (BFF_PORT).", min=0, max=65535)
    ] = None,
    workers: Annotated[
        int | None, typer.Option(help="Number of processes (BFF_WORKERS).", min=1, max=256)
    ] = None,
    drain_delay: Annotated[
        float | None,
        typer.Option(
            help="Seconds to accept connections after SIGTERM (BFF_DRAIN_DELAY).", min=0, max=3600
        ),
    ] = None,
    grace: Annotated[
        float | None,
        typer.Option(help="Seconds for requests then in flight (BFF_GRACE).", min=0, max=3600),
    ] = None,
    env_file: Annotated[
        str | None, typer.Option(help="File of variables (.env in development).")
    ] = None,
    no_env_file: Annotated[bool, typer.Option("--no-env-file", help="Do not read .env.")] = False,
    fd: Annotated[
        int | None, typer.Option(help="File descriptor of a listening socket.", min=0)
    ] = None,
) -> None:
    """Serve a gateway, in production too. The BFF_ variables are the defaults of the options.

    SIGTERM shuts down gracefully, a second one at once; SIGHUP reloads policies.
    """
    from bff_core.cli.serve import serve  # noqa: PLC0415 # loads the framework
    from bff_core.server.runner import ServePlan  # noqa: PLC0415 # the same

    plan = ServePlan(
        app=app,
        host=host,
        port=port,
        workers=workers,
        delay=drain_delay,
        grace=grace,
        env_file=env_file,
        reads_env_file=not no_env_file,
        fd=fd,
    )
    raise typer.Exit(serve(plan))


def dev(
    gateways: Annotated[
        list[str] | None,
        typer.Argument(
            help="Gateways to run, by their names in pyproject.toml; all if none is named.",
            autocompletion=gateways,
        ),
    ] = None,
    *,
    console_port: Annotated[
        int | None,
        typer.Option(
            help="Port of the console (CONSOLE_PORT; a free one from 8000 on).", min=1, max=65535
        ),
    ] = None,
) -> None:
    """Run the project: its gateways and mocks, with reload on save and a log of each request.

    The console shows requests, screens and services in a browser; its address is printed first.

    The table tool.bff of pyproject.toml lists gateways and services; .env may set variables.

    <NAME>_PORT moves one of them, SERVICES_PORT all services.
    """
    from bff_core.cli.dev.run import develop  # noqa: PLC0415 # loads the framework

    raise typer.Exit(develop(gateways or (), console_port=console_port))


def add_to(app: typer.Typer) -> None:
    """Add the verbs of this module to the command."""
    app.command(rich_help_panel=RUN)(dev)
    app.command(rich_help_panel=RUN)(serve)
