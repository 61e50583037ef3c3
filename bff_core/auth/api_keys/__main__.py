"""The command line of API keys: issues, lists, rotates and revokes them.

    python -m bff_core.auth.api_keys issue --name CI --subject svc-1 --scopes orders:read
    python -m bff_core.auth.api_keys list --subject svc-1
    python -m bff_core.auth.api_keys rotate 7fKQw3Zt --overlap 1d
    python -m bff_core.auth.api_keys revoke 7fKQw3Zt

The store is `--url`, else `BFF_API_KEYS_URL`. A new key is printed once, and never again.
"""

import argparse
import asyncio
import json
import os
import re
import sys
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack

from bff_core.auth.api_keys.lifecycle import ApiKeys, open_keys
from bff_core.auth.api_keys.record import ApiKeyRecord
from bff_core.clock import chance, monotonic
from bff_core.errors import BFFError, ConfigurationError
from bff_core.events import Events
from bff_core.redis.clients_by_url import RedisClients
from bff_core.settings.env_file import add_env_file
from bff_core.settings.values import API_KEYS, PREFIX, with_files
from bff_core.sqlite import missing_file

UNIT_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def seconds(text: str) -> float:
    """Parse a duration such as 90d, 12h, 30m or 45s."""
    found = re.fullmatch(r"(\d+)([smhd])", text)
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no duration such as 90d, 12h, 30m or 45s")
    return float(int(found[1]) * UNIT_SECONDS[found[2]])


def shown_of(record: ApiKeyRecord, key: str = "") -> dict[str, object]:
    """Return the public fields of a key, with the key itself if it is new."""
    shown: dict[str, object] = {
        "prefix": record.prefix,
        "name": record.name,
        "subject": record.subject,
        "tenant": record.tenant,
        "scopes": sorted(record.scopes),
        "created_at": round(record.created_at),
        "expires_at": round(record.expires_at) or None,
        "last_used_at": round(record.last_used_at) or None,
    }
    return {"key": key, **shown} if key else shown


def line_of(shown: dict[str, object]) -> str:
    """Return the fields of a key as one line of text."""
    columns = [str(shown["prefix"]), str(shown["name"]), str(shown["subject"])]
    scopes = shown["scopes"]
    if isinstance(scopes, list):
        columns.append(",".join(scopes) or "-")
    for name in ("expires_at", "last_used_at"):
        at = shown[name]
        day = time.strftime("%Y-%m-%d %H:%M", time.gmtime(at)) if isinstance(at, int) else "-"
        columns.append(f"{name.removesuffix('_at')} {day}")
    return "  ".join(columns)


async def run(arguments: argparse.Namespace) -> int:
    """Run a command and return the exit status."""
    missing = missing_file(arguments.url) if arguments.command != "issue" else None
    if missing is not None:
        sys.stderr.write(
            f"there are no keys at {missing}: set the store with --url or BFF_API_KEYS_URL\n"
        )
        return 1
    links = RedisClients(clock=monotonic, chance=chance, events=Events())
    async with AsyncExitStack() as closing:
        closing.push_async_callback(links.aclose)
        try:
            store = open_keys(arguments.url, links)
            closing.push_async_callback(store.aclose)
            shown = await _run_command(arguments, ApiKeys(store))
        except BFFError as error:
            sys.stderr.write(f"{error}\n")
            return 1
    for one in shown:
        sys.stdout.write(f"{json.dumps(one) if arguments.json else line_of(one)}\n")
        if "key" in one and not arguments.json:
            sys.stdout.write(f"{one['key']}\n")
    return 0


async def _run_command(arguments: argparse.Namespace, keys: ApiKeys) -> list[dict[str, object]]:
    match arguments.command:
        case "issue":
            scopes = [scope for scope in arguments.scopes.split(",") if scope]
            key, record = await keys.issue(
                arguments.name,
                arguments.subject,
                tenant=arguments.tenant,
                scopes=scopes,
                lifetime=arguments.expires,
            )
            return [shown_of(record, key)]
        case "rotate":
            key, record = await keys.rotate(arguments.prefix, overlap=arguments.overlap)
            return [shown_of(record, key)]
        case "revoke":
            await keys.revoke(arguments.prefix)
            return []
    return [shown_of(record) for record in await keys.listed(arguments.subject)]


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    command_line = argparse.ArgumentParser(
        prog="python -m bff_core.auth.api_keys", description=__doc__
    )
    command_line.formatter_class = argparse.RawDescriptionHelpFormatter
    url = with_files(os.environ, PREFIX).get("BFF_API_KEYS_URL", "").strip() or API_KEYS
    command_line.add_argument("--url", default=url, help=f"URL of the store ({API_KEYS})")
    command_line.add_argument("--json", action="store_true", help="a JSON object per line")
    commands = command_line.add_subparsers(dest="command", required=True)
    issue = commands.add_parser("issue", help="make a key, and print it once")
    issue.add_argument("--name", required=True, help="what the key is for")
    issue.add_argument("--subject", required=True, help="subject of requests with the key")
    issue.add_argument("--tenant", default="")
    issue.add_argument("--scopes", default="", help="separated by commas")
    issue.add_argument("--expires", type=seconds, default=0.0, help="after 90d, 12h; never")
    listing = commands.add_parser("list", help="list keys, without their secrets")
    listing.add_argument("--subject", default="")
    rotate = commands.add_parser("rotate", help="make a successor; the key ends after the overlap")
    rotate.add_argument("prefix")
    rotate.add_argument("--overlap", type=seconds, default=86_400.0, help="1d")
    revoke = commands.add_parser("revoke", help="end a key at once")
    revoke.add_argument("prefix")
    return command_line


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit status; in development it reads `.env`."""
    try:
        add_env_file(os.environ)
        return asyncio.run(run(parser().parse_args(arguments)))
    except ConfigurationError as error:
        sys.stderr.write(f"{error}\n")
        return 2


if __name__ == "__main__":
    sys.exit(main())
