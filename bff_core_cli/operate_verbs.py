"""The verbs for operators: `bff keys`, `bff saga` and `bff purge`."""

from typing import Annotated

import typer

from bff_core_cli.completion import gateways
from bff_core_cli.help_texts import OPERATE

keys = typer.Typer(
    help="Issue, list, rotate and revoke API keys.",
    epilog="The store is --url, else BFF_API_KEYS_URL, else bff-api-keys.sqlite3 in the folder.",
    no_args_is_help=True,
)
sagas = typer.Typer(
    help="List open sagas, and forget those that you settled by hand.",
    epilog="The journal is --url, else BFF_JOURNAL_URL, else bff-journal.sqlite3 in the folder.",
    no_args_is_help=True,
)

KeysURL = Annotated[str, typer.Option(help="Store of the keys (BFF_API_KEYS_URL).")]
JournalURL = Annotated[str, typer.Option(help="Journal of the sagas (BFF_JOURNAL_URL).")]
Gateway = Annotated[
    str,
    typer.Option(
        help=r"Take the variables of this gateway of \[tool.bff].", autocompletion=gateways
    ),
]
AsJSON = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Prefix = Annotated[str, typer.Argument(help="The prefix of the key, as in bff keys list.")]


@keys.command("issue")
def issue(
    *,
    name: Annotated[str, typer.Option(help="What the key is for.")],
    subject: Annotated[str, typer.Option(help="Subject of requests with the key.")],
    scope: Annotated[
        list[str] | None,
        typer.Option(
            "--scope", "--scopes", help="A scope, or several with commas; may be repeated."
        ),
    ] = None,
    tenant: Annotated[str, typer.Option(help="Tenant of requests with the key.")] = "",
    expires: Annotated[
        str, typer.Option(help="When it ends, from now: 90d, 12h, 30m (unset: never).")
    ] = "",
    url: KeysURL = "",
    gateway: Gateway = "",
    as_json: AsJSON = False,
) -> None:
    """Issue a key, and print it once."""
    from bff_core.cli import api_keys  # noqa: PLC0415 # loads the framework

    if gateway and not url:
        api_keys.require_keys_of(gateway)
    api_keys.issue(
        name,
        subject,
        tenant=tenant,
        scopes=scope or (),
        expires=expires,
        url=url,
        gateway=gateway,
        as_json=as_json,
    )


@keys.command("list")
def list_keys(
    *,
    subject: Annotated[str, typer.Option(help="Only the keys of this subject.")] = "",
    url: KeysURL = "",
    gateway: Gateway = "",
    as_json: AsJSON = False,
) -> None:
    """List keys, the newest first, without their secrets; times are in UTC."""
    from bff_core.cli import api_keys  # noqa: PLC0415 # loads the framework

    api_keys.show_list(subject, url=url, gateway=gateway, as_json=as_json)


@keys.command("rotate")
def rotate(
    prefix: Prefix,
    *,
    overlap: Annotated[str, typer.Option(help="For how long the old key stays valid.")] = "1d",
    url: KeysURL = "",
    gateway: Gateway = "",
    as_json: AsJSON = False,
) -> None:
    """Issue a successor with the same grants, and print it once; the old key ends later."""
    from bff_core.cli import api_keys  # noqa: PLC0415 # loads the framework

    api_keys.rotate(prefix, overlap=overlap, url=url, gateway=gateway, as_json=as_json)


@keys.command("revoke")
def revoke(prefix: Prefix, *, url: KeysURL = "", gateway: Gateway = "") -> None:
    """End a key at once."""
    from bff_core.cli import api_keys  # noqa: PLC0415 # loads the framework

    api_keys.revoke(prefix, url=url, gateway=gateway)


@sagas.command("list")
def list_sagas(*, url: JournalURL = "", gateway: Gateway = "", as_json: AsJSON = False) -> None:
    """List open sagas: the state of each step, and why; no inputs and no results."""
    from bff_core.cli import sagas as verbs  # noqa: PLC0415 # loads the framework

    verbs.show_list(url=url, gateway=gateway, as_json=as_json)


@sagas.command("forget")
def forget(
    saga: Annotated[str, typer.Argument(help="The id of the saga, as in bff saga list.")],
    *,
    url: JournalURL = "",
    gateway: Gateway = "",
) -> None:
    """Delete a saga that you settled by hand: no process resumes it."""
    from bff_core.cli import sagas as verbs  # noqa: PLC0415 # loads the framework

    verbs.forget(saga, url=url, gateway=gateway)


def purge(
    tags: Annotated[list[str], typer.Argument(help="Tags of the entries, such as product:42.")],
    *,
    gateway: Annotated[
        str, typer.Option(help=r"A gateway of \[tool.bff].", autocompletion=gateways)
    ] = "",
    url: Annotated[str, typer.Option(help="Address of a gateway: http://HOST:PORT.")] = "",
    store: Annotated[
        str, typer.Option(help="The shared cache itself: redis://HOST (BFF_CACHE_URL).")
    ] = "",
    as_json: AsJSON = False,
) -> None:
    """Remove cached entries by tag, in all processes that share the cache.

    A gateway is called at its admin endpoint, with the token in BFF_OPERATOR_TOKEN.
    """
    from bff_core.cli import purge as verbs  # noqa: PLC0415 # loads the framework
    from bff_core.cli.errors import CannotRun  # noqa: PLC0415 # the same

    if sum(map(bool, (gateway, url, store))) > 1:
        raise CannotRun("--gateway, --url and --store exclude each other: give one")
    if store:
        verbs.in_store(tags, store=store, as_json=as_json)
    else:
        verbs.through_gateway(tags, gateway=gateway, url=url, as_json=as_json)


def add_to(app: typer.Typer) -> None:
    """Add the verbs of this module to the command."""
    app.add_typer(keys, name="keys", rich_help_panel=OPERATE)
    app.add_typer(sagas, name="saga", rich_help_panel=OPERATE)
    app.command(rich_help_panel=OPERATE)(purge)
