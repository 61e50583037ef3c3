"""The verb `bff client`, which writes the clients of gateways for apps."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from bff_core_cli.completion import gateways
from bff_core_cli.help_texts import CONTRACTS


class ClientLanguage(StrEnum):
    """What `bff client` writes."""

    TYPESCRIPT = "ts"
    PYTHON = "python"
    GRAPHQL = "graphql"
    OPENAPI = "openapi"


def client(
    language: Annotated[
        ClientLanguage,
        typer.Argument(
            metavar="LANGUAGE",
            help="ts, python; graphql: the schema and a codegen configuration; "
            "openapi: OpenAPI 3.0 for generators of other languages.",
        ),
    ],
    *,
    gateway: Annotated[
        str,
        typer.Option(
            help=r"A gateway of \[tool.bff], or module:attribute. Without it: the only one.",
            autocompletion=gateways,
        ),
    ] = "",
    out: Annotated[
        Path, typer.Option(help="The folder, or the file if there is one.", metavar="DIR|FILE")
    ] = Path("clients"),
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; status 1 if a file is out of date.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Write a typed client of a gateway for an app.

    It is generated from the gateway's OpenAPI document, and knows part states, problem details,
    ETags, idempotency keys, retries and streams. The gateway is loaded, not started.
    """
    from bff_core.cli.client import write_client  # noqa: PLC0415 # loads the framework

    status = write_client(language.value, gateway, out, is_check=check, as_json=as_json)
    raise typer.Exit(status)


def add_to(app: typer.Typer) -> None:
    """Add the verb of this module to the command."""
    app.command(rich_help_panel=CONTRACTS)(client)
