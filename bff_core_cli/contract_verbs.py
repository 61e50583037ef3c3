"""The verbs of contracts: `bff check` and `bff schema`."""

from enum import StrEnum
from typing import Annotated

import typer

from bff_core_cli.completion import gateways
from bff_core_cli.help_texts import CONTRACTS


class CheckForm(StrEnum):
    """The forms of a report."""

    TEXT = "text"
    JSON = "json"
    GITHUB = "github"


def check(  # options only
    *,
    gateway: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME", help="Only this gateway; may be repeated.", autocompletion=gateways
        ),
    ] = None,
    service: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Only the contract of this service; may be repeated."),
    ] = None,
    live: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=SOURCE",
            help="The file or URL of what a service publishes now; may be repeated.",
        ),
    ] = None,
    offline: Annotated[
        bool, typer.Option("--offline", help="Fetch nothing: no service is compared by its URL.")
    ] = False,
    production: Annotated[
        bool,
        typer.Option("--production", help="Judge the variables of this process as production."),
    ] = False,
    since: Annotated[
        str,
        typer.Option(metavar="REF", help="Take the pinned files of this revision of git."),
    ] = "",
    allow: Annotated[
        list[str] | None,
        typer.Option(
            metavar="RULE[:OPERATION]",
            help="Accept a change, such as 'response-property-removed:GET /v1/home'; may be "
            "repeated.",
        ),
    ] = None,
    pin: Annotated[
        bool,
        typer.Option("--pin", help="Write access rules and contracts as those of the release."),
    ] = False,
    explain: Annotated[
        str,
        typer.Option(metavar="CLASS.FIELD", help="Show why a field of a reply counts as used."),
    ] = "",
    shows_all: Annotated[
        bool, typer.Option("--all", help="List changes that affect nothing, too.")
    ] = False,
    form: Annotated[
        CheckForm, typer.Option("--format", help="Text, JSON, or annotations of GitHub Actions.")
    ] = CheckForm.TEXT,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Check the code and the contracts of the project; made for CI, status 1 if something is wrong.

    It loads each gateway, checks its wiring, compares access rules with the pinned ones, services'
    contracts with what the services publish now, and the gateways' own contracts with the last
    release. Of a service's changes those count that touch fields which some view uses.
    """
    from bff_core.cli.check import run  # noqa: PLC0415 # loads the framework
    from bff_core.cli.check.options import CheckOptions, named_sources  # noqa: PLC0415 # the same

    options = CheckOptions(
        gateways=gateway or (),
        services=service or (),
        live=named_sources(live or ()),
        allowed=allow or (),
        since=since,
        is_offline=offline,
        is_production=production,
    )
    if pin:
        raise typer.Exit(run.pin(options, as_json=as_json))
    if explain:
        raise typer.Exit(run.explain_field(explain, options, as_json=as_json))
    raise typer.Exit(run.check(options, "json" if as_json else form.value, shows_all=shows_all))


class SchemaOf(StrEnum):
    """The files that have a schema."""

    PROXY = "proxy"


def schema(
    of: Annotated[SchemaOf, typer.Argument(help="The file: proxy, the one of BFF_PROXY.")],
    *,
    output: Annotated[
        str,
        typer.Option("--output", "-o", help='The file; "-" prints it.', metavar="FILE"),
    ] = "proxy.schema.json",
) -> None:
    """Write the JSON Schema of a file, by which editors complete and check it.

    In TOML the first line names it: #:schema proxy.schema.json
    """
    from bff_core.cli.schema import write_schema  # noqa: PLC0415 # loads the framework

    del of
    write_schema(output)


def add_to(app: typer.Typer) -> None:
    """Add the verbs of this module to the command."""
    app.command(rich_help_panel=CONTRACTS)(check)
    app.command(rich_help_panel=CONTRACTS)(schema)
