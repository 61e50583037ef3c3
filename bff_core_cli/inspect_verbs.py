"""The verbs that describe gateways: `bff routes`, `graph`, `explain`, `diff` and `doctor`."""

from enum import StrEnum
from typing import Annotated

import typer

from bff_core_cli.completion import gateways, gateways_and_screens
from bff_core_cli.help_texts import INSPECT

AsJSON = Annotated[bool, typer.Option("--json", help="Print JSON.")]
GATEWAY = r"A gateway of \[tool.bff], or module:attribute."
"""The backslash: rich would read the brackets as a style."""


def routes(
    gateway: Annotated[
        str, typer.Argument(help=f"{GATEWAY} Without it: all.", autocompletion=gateways)
    ] = "",
    *,
    as_json: AsJSON = False,
) -> None:
    """List the routes of gateways, and the root fields of GraphQL.

    Each has its screens, its access rule, its limits, and who may share its cached answers. The
    gateways are loaded, not started.
    """
    from bff_core.cli.routes import show_routes  # noqa: PLC0415 # loads the framework

    show_routes(gateway, as_json=as_json)


class GraphForm(StrEnum):
    """The forms of a graph."""

    TEXT = "text"
    MERMAID = "mermaid"


def graph(
    of: Annotated[
        str,
        typer.Argument(
            metavar="GATEWAY|SCREEN",
            help=f"{GATEWAY[:-1]}, or a screen such as Home. Without it: all.",
            autocompletion=gateways_and_screens,
        ),
    ] = "",
    *,
    form: Annotated[
        GraphForm, typer.Option("--format", help="A tree, or a flowchart of Mermaid.")
    ] = GraphForm.TEXT,
    as_json: AsJSON = False,
) -> None:
    """Show screens, their parts, the calls of services, and which part waits for which."""
    from bff_core.cli.graph import show_graph  # noqa: PLC0415 # loads the framework

    show_graph(of, form.value, as_json=as_json)


def explain(
    route: Annotated[
        list[str],
        typer.Argument(
            help="A method and a path, GET /v1/home, a field, Query.home, or the id of a route."
        ),
    ],
    *,
    gateway: Annotated[
        str, typer.Option(help=f"{GATEWAY} Without it: all.", autocompletion=gateways)
    ] = "",
    header: Annotated[
        list[str] | None,
        typer.Option("--header", "-H", help="A header of the request, NAME: VALUE. Repeatable."),
    ] = None,
    defaults: Annotated[
        bool, typer.Option("--defaults", help="Show the options with their defaults, too.")
    ] = False,
    as_json: AsJSON = False,
) -> None:
    """Explain how a request is answered: parts, calls, order, policies, cache, access, worst case.

    It reads the source and the settings, and calls nothing. What the source does not show is
    reported as unknown. Of proxied routes it shows which one wins, and the next best.
    """
    from bff_core.cli.explain import show_explanation  # noqa: PLC0415 # loads the framework

    show_explanation(
        " ".join(route), gateway, as_json=as_json, with_defaults=defaults, headers=header or ()
    )


def diff(
    gateway: Annotated[str, typer.Argument(help=GATEWAY, autocompletion=gateways)],
    other: Annotated[str, typer.Argument(help="Another one.", autocompletion=gateways)],
    *,
    screen: Annotated[str, typer.Option(help="Only this screen, such as Home.")] = "",
    live: Annotated[
        bool, typer.Option("--live", help="Call the gateways that run, at their ports.")
    ] = False,
    viewer: Annotated[str, typer.Option(help="The user id of the demo viewer.")] = "1",
    given: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="An input of a screen; may be repeated."),
    ] = None,
    header: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME:VALUE", help="A header of requests; may be repeated."),
    ] = None,
    as_json: AsJSON = False,
) -> None:
    """Compare what two clients get of a screen: fields, calls, bytes of real answers.

    The gateways run in this process, and call the services of the project, which have to run (bff
    dev). A GraphQL field is queried with all fields below it. Status 1 if an answer is missing.
    """
    from bff_core.cli.diff import DiffOptions, parsed, show_diff  # noqa: PLC0415 # loads the framework

    options = DiffOptions(
        screen=screen,
        is_live=live,
        viewer=viewer,
        given=parsed(given or (), "=", "--set"),
        headers=parsed(header or (), ":", "--header"),
    )
    raise typer.Exit(show_diff(gateway, other, options, as_json=as_json))


def doctor(
    gateway: Annotated[
        str,
        typer.Argument(help=f"{GATEWAY} Without it: all.", autocompletion=gateways),
    ] = "",
    *,
    production: Annotated[
        bool,
        typer.Option("--production", help="Judge the variables of this process as production."),
    ] = False,
    as_json: AsJSON = False,
) -> None:
    """Check the project and the machine, and say what to do; status 1 if something fails.

    It looks at Python, extras, limits, the clock, .env, ports, services, the settings of each
    gateway, its policy file and its stores. No file is created.
    """
    from bff_core.cli.doctor import examine  # noqa: PLC0415 # loads the framework

    raise typer.Exit(examine(gateway, is_production=production, as_json=as_json))


def add_to(app: typer.Typer) -> None:
    """Add the verbs of this module to the command."""
    app.command(rich_help_panel=INSPECT)(routes)
    app.command(rich_help_panel=INSPECT)(graph)
    app.command(rich_help_panel=INSPECT)(explain)
    app.command(rich_help_panel=INSPECT)(diff)
    app.command(rich_help_panel=INSPECT)(doctor)
