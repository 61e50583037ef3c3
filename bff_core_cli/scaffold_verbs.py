"""The verbs that generate code: `bff init`, `bff new`, `bff update`."""

from pathlib import Path
from typing import Annotated

import typer

Client = Annotated[
    str | None,
    typer.Option(help="web, mobile, desktop, ios, android, partner or blank."),
]
GraphQL = Annotated[bool | None, typer.Option(help="Serve GraphQL, too.")]
Auth = Annotated[
    str | None,
    typer.Option(help="session, bearer, key or none (the default; for partner: key)."),
]
Port = Annotated[
    int | None, typer.Option(help="Port in development (a free one).", min=1, max=65535)
]
Wheels = Annotated[
    Path | None,
    typer.Option(help="Folder with the wheel of bff-core (PIP_FIND_LINKS).", metavar="DIR"),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def init(
    name: Annotated[str, typer.Argument(help="Name of the project, such as shop.")],
    *,
    client: Client = None,
    graphql: GraphQL = None,
    auth: Auth = None,
    gateway: Annotated[
        str | None, typer.Option(help="Name of the first gateway (that of its client).")
    ] = None,
    port: Port = None,
    wheels: Wheels = None,
    directory: Annotated[
        Path | None, typer.Option(help="Folder of the project (NAME).", metavar="DIR")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make a project: a gateway, a screen, a service with its mock, and tests."""
    from bff_core.cli.scaffold.clients import Answers  # noqa: PLC0415 # loads the framework
    from bff_core.cli.scaffold.init import NewProject, init_project  # noqa: PLC0415 # the same
    from bff_core.cli.scaffold.outcome import print_outcome  # noqa: PLC0415 # the same

    answers = Answers(client, graphql, auth, port)
    outcome = init_project(NewProject(name, directory, gateway, answers, wheels))
    print_outcome(outcome, as_json=as_json)


def new(
    gateway: Annotated[str, typer.Argument(help="Name of the gateway, such as tablet.")],
    *,
    client: Client = None,
    graphql: GraphQL = None,
    auth: Auth = None,
    port: Port = None,
    as_json: AsJson = False,
) -> None:
    """Add a gateway to the project; a further run with other options changes it."""
    from bff_core.cli.scaffold.clients import Answers  # noqa: PLC0415 # loads the framework
    from bff_core.cli.scaffold.gateways import NewGateway, new_gateway  # noqa: PLC0415 # the same
    from bff_core.cli.scaffold.outcome import print_outcome  # noqa: PLC0415 # the same

    outcome = new_gateway(NewGateway(gateway, Answers(client, graphql, auth, port)))
    print_outcome(outcome, as_json=as_json)
    raise typer.Exit(outcome.status)


def update(
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would change, and change nothing.")
    ] = False,
    wheels: Wheels = None,
    as_json: AsJson = False,
) -> None:
    """Merge the changes of the templates into the project; your edits stay.

    Exit status 1: there are conflicts, which are marked in the files.
    """
    from bff_core.cli.scaffold.outcome import print_outcome  # noqa: PLC0415 # loads the framework
    from bff_core.cli.scaffold.update import update  # noqa: PLC0415 # the same

    outcome = update(wheels=wheels, is_dry_run=dry_run)
    print_outcome(outcome, as_json=as_json)
    raise typer.Exit(outcome.status)


def add_to(app: typer.Typer) -> None:
    """Add the verbs of this module to the command."""
    app.command()(init)
    app.command()(new)
    app.command()(update)
