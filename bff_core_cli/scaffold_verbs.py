"""The verbs that generate code: `bff init`, `bff new`, `bff add`, `bff update`."""

from pathlib import Path
from typing import Annotated

import typer

from bff_core_cli.completion import auths, clients, gateways, parts, screens, services
from bff_core_cli.help_texts import CREATE

Client = Annotated[
    str | None,
    typer.Option(
        help="web, mobile, desktop, ios, android, partner or blank.", autocompletion=clients
    ),
]
GraphQL = Annotated[bool | None, typer.Option(help="Serve GraphQL, too.")]
Auth = Annotated[
    str | None,
    typer.Option(
        help="session, bearer, key or none (the default; for partner: key).", autocompletion=auths
    ),
]
Port = Annotated[
    int | None, typer.Option(help="Port in development (a free one).", min=1, max=65535)
]
Wheels = Annotated[
    Path | None,
    typer.Option(help="Folder with the wheel of bff-core (PIP_FIND_LINKS).", metavar="DIR"),
]
PLACE = "FILE|URL"
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def init(
    name: Annotated[str, typer.Argument(help="Name of the project, such as shop.", metavar="NAME")],
    *,
    client: Client = None,
    graphql: GraphQL = None,
    auth: Auth = None,
    gateway: Annotated[
        str | None, typer.Option(help="Name of the first gateway (that of its client).")
    ] = None,
    port: Port = None,
    service: Annotated[
        list[str] | None,
        typer.Option(
            help="A service that exists already, such as ratings=https://ratings.example, in place "
            "of the sample; may be repeated.",
            metavar="NAME=URL",
        ),
    ] = None,
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
    services = tuple(service or ())
    outcome = init_project(NewProject(name, directory, gateway, answers, wheels, services))
    print_outcome(outcome, as_json=as_json)


def new(
    name: Annotated[
        str | None, typer.Argument(help="Name of the gateway, such as tablet.", metavar="GATEWAY")
    ] = None,
    *,
    client: Client = None,
    graphql: GraphQL = None,
    auth: Auth = None,
    port: Port = None,
    area: Annotated[
        str | None, typer.Option(help="Add an area to a gateway: screens and views of a team.")
    ] = None,
    gateway: Annotated[
        str | None, typer.Option(help="Gateway of the area.", autocompletion=gateways)
    ] = None,
    owner: Annotated[
        str | None, typer.Option(help="Owner of the area, such as @shop/checkout.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Add a gateway, or an area of a gateway; a further run with other options changes it."""
    from bff_core.cli.scaffold.areas import NewArea, new_area  # noqa: PLC0415 # loads the framework
    from bff_core.cli.scaffold.clients import Answers  # noqa: PLC0415 # the same
    from bff_core.cli.scaffold.gateways import NewGateway, new_gateway  # noqa: PLC0415 # the same
    from bff_core.cli.scaffold.outcome import print_outcome  # noqa: PLC0415 # the same

    answers = Answers(client, graphql, auth, port)
    if area is not None:
        if name is not None or answers != Answers():
            raise typer.BadParameter("it goes with --gateway and --owner only", param_hint="--area")
        outcome = new_area(NewArea(area, gateway, owner))
    elif name is None:
        raise typer.BadParameter("name a gateway, or --area NAME", param_hint="GATEWAY")
    elif gateway is not None or owner is not None:
        raise typer.BadParameter("--gateway and --owner go with it only", param_hint="--area")
    else:
        outcome = new_gateway(NewGateway(name, answers))
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


additions = typer.Typer(
    help="Add a screen, a view, a service, or files for operators.", no_args_is_help=True
)


@additions.command("service")
def add_service(
    name: Annotated[
        str,
        typer.Argument(
            help="Name of the service, such as ratings.", metavar="NAME", autocompletion=services
        ),
    ],
    *,
    openapi: Annotated[
        str | None,
        typer.Option(help="Its OpenAPI document; without it, that of the last run.", metavar=PLACE),
    ] = None,
    graphql: Annotated[
        str | None,
        typer.Option(help="Its GraphQL schema, or the endpoint that describes it.", metavar=PLACE),
    ] = None,
    tag: Annotated[
        list[str] | None,
        typer.Option(help="Only the operations with this tag; may be repeated.", metavar="TAG"),
    ] = None,
    path: Annotated[
        list[str] | None,
        typer.Option(help="Only the operations below it; may be repeated.", metavar="PREFIX"),
    ] = None,
    is_whole: Annotated[
        bool, typer.Option("--all", help="All operations again, after --tag or --path.")
    ] = False,
    header: Annotated[
        list[str] | None,
        typer.Option(help="Header that fetches the document; not stored.", metavar="NAME:VALUE"),
    ] = None,
    url: Annotated[
        str | None, typer.Option(help="Address of the service (that of its document).")
    ] = None,
    port: Port = None,
    is_forced: Annotated[
        bool, typer.Option("--force", help="Drop changes by hand of generated files.")
    ] = False,
    is_dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would change, and change nothing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Add a service: a typed client from its contract, a mock, a test.

    A further run fetches the contract again, shows what changed, and writes the generated files
    only.
    """
    from bff_core.cli.scaffold.outcome import print_outcome  # noqa: PLC0415 # loads the framework
    from bff_core.cli.scaffold.service_options import NewService  # noqa: PLC0415 # the same
    from bff_core.cli.scaffold.services import add_service as added  # noqa: PLC0415 # the same

    wanted = NewService(
        name=name,
        openapi=openapi,
        graphql=graphql,
        tags=tag or (),
        paths=path or (),
        is_whole=is_whole,
        headers=header or (),
        url=url,
        port=port,
        is_forced=is_forced,
        is_dry_run=is_dry_run,
    )
    print_outcome(added(wanted), as_json=as_json)


@additions.command("screen")
def add_screen(
    name: Annotated[
        str, typer.Argument(help="Name of the screen, such as product_page.", metavar="NAME")
    ],
    *,
    part: Annotated[
        list[str] | None,
        typer.Option(
            help="Method of a service that a part calls, such as catalog.product; the first is "
            "critical, others are optional. Without it: the first that reads.",
            autocompletion=parts,
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Add a screen over the services of the project, with its test."""
    from bff_core.cli.scaffold.outcome import print_outcome  # noqa: PLC0415 # loads the framework
    from bff_core.cli.scaffold.screens import add_screen as added  # noqa: PLC0415 # the same

    print_outcome(added(name, part or ()), as_json=as_json)


@additions.command("view")
def add_view(
    screen: Annotated[
        str,
        typer.Argument(
            help="Module of the screen in bffs/compositions.",
            metavar="SCREEN",
            autocompletion=screens,
        ),
    ],
    *,
    gateway: Annotated[
        str | None,
        typer.Option(
            help="Gateway that serves it; needed if there are several.", autocompletion=gateways
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Add a REST view of a screen to a gateway, with a failure matrix."""
    from bff_core.cli.scaffold.outcome import print_outcome  # noqa: PLC0415 # loads the framework
    from bff_core.cli.scaffold.views import add_view as added  # noqa: PLC0415 # the same

    print_outcome(added(screen, gateway), as_json=as_json)


@additions.command("operations")
def add_operations(
    *,
    runbooks: Annotated[
        str | None,
        typer.Option(
            help="URL or file of your runbooks; each alert links to a heading there. The default "
            "is that of the run before, or operations/runbooks.md."
        ),
    ] = None,
    is_forced: Annotated[
        bool, typer.Option("--force", help="Replace files that you have changed, too.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Add alert rules, runbooks, dashboards for Grafana, and a collector's configuration.

    The files go to operations/. A further run adds what is missing, and new gateways.
    """
    from bff_core.cli.scaffold.operations import (  # noqa: PLC0415 # loads the framework
        add_operations as added,
    )
    from bff_core.cli.scaffold.outcome import print_outcome  # noqa: PLC0415 # the same

    print_outcome(added(runbooks, is_forced=is_forced), as_json=as_json)


def add_to(app: typer.Typer) -> None:
    """Add the verbs of this module to the command."""
    app.command(rich_help_panel=CREATE)(init)
    app.command(rich_help_panel=CREATE)(new)
    app.command(rich_help_panel=CREATE)(update)
    app.add_typer(additions, name="add", rich_help_panel=CREATE)
