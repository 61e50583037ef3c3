"""Issues, lists, rotates and revokes API keys.

    python -m bff_core.auth.api_keys issue --name CI --subject svc-1 --scopes orders:read
    python -m bff_core.auth.api_keys list --subject svc-1
    python -m bff_core.auth.api_keys rotate 7fKQw3Zt --overlap 1d
    python -m bff_core.auth.api_keys revoke 7fKQw3Zt

Keys are where `BFF_API_KEYS_URL` says, or `--url`. A new key is printed once, and never again.
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
from bff_core.redis.clients import RedisClients
from bff_core.settings.values import API_KEYS, PREFIX, with_files
from bff_core.sqlite import missing_file

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def seconds(told: str) -> float:
    """Read a duration: 90d, 12h, 30m, 45s."""
    found = re.fullmatch(r"(\d+)([smhd])", told)
    if found is None:
        raise argparse.ArgumentTypeError(f"{told!r} is no duration such as 90d, 12h, 30m or 45s")
    return float(int(found[1]) * UNITS[found[2]])


def told(record: ApiKeyRecord, key: str = "") -> dict[str, object]:
    """Return what may be shown of a key; the key itself where it is new."""
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


def line(shown: dict[str, object]) -> str:
    """Return a line for people."""
    words = [str(shown["prefix"]), str(shown["name"]), str(shown["subject"])]
    scopes = shown["scopes"]
    if isinstance(scopes, list):
        words.append(",".join(scopes) or "-")
    for name in ("expires_at", "last_used_at"):
        at = shown[name]
        day = time.strftime("%Y-%m-%d %H:%M", time.gmtime(at)) if isinstance(at, int) else "-"
        words.append(f"{name.removesuffix('_at')} {day}")
    return "  ".join(words)


async def answer(asked: argparse.Namespace) -> int:
    """Do what was asked and return the exit status."""
    missing = missing_file(asked.url) if asked.what != "issue" else None
    if missing is not None:
        sys.stderr.write(
            f"there are no keys at {missing}: name the store with --url or BFF_API_KEYS_URL\n"
        )
        return 1
    links = RedisClients(clock=monotonic, chance=chance, events=Events())
    async with AsyncExitStack() as closing:
        closing.push_async_callback(links.aclose)
        try:
            store = open_keys(asked.url, links)
            closing.push_async_callback(store.aclose)
            shown = await _act(asked, ApiKeys(store))
        except BFFError as error:
            sys.stderr.write(f"{error}\n")
            return 1
    for one in shown:
        sys.stdout.write(f"{json.dumps(one) if asked.json else line(one)}\n")
        if "key" in one and not asked.json:
            sys.stdout.write(f"{one['key']}\n")
    return 0


async def _act(asked: argparse.Namespace, keys: ApiKeys) -> list[dict[str, object]]:
    match asked.what:
        case "issue":
            scopes = [scope for scope in asked.scopes.split(",") if scope]
            key, record = await keys.issue(
                asked.name,
                asked.subject,
                tenant=asked.tenant,
                scopes=scopes,
                lifetime=asked.expires,
            )
            return [told(record, key)]
        case "rotate":
            key, record = await keys.rotate(asked.prefix, overlap=asked.overlap)
            return [told(record, key)]
        case "revoke":
            await keys.revoke(asked.prefix)
            return []
    return [told(record) for record in await keys.listed(asked.subject)]


def parser() -> argparse.ArgumentParser:
    """Return what reads the command line."""
    words = argparse.ArgumentParser(prog="python -m bff_core.auth.api_keys", description=__doc__)
    words.formatter_class = argparse.RawDescriptionHelpFormatter
    url = with_files(os.environ, PREFIX).get("BFF_API_KEYS_URL", "").strip() or API_KEYS
    words.add_argument("--url", default=url, help=f"where keys are ({API_KEYS})")
    words.add_argument("--json", action="store_true", help="a JSON object per line")
    what = words.add_subparsers(dest="what", required=True)
    issue = what.add_parser("issue", help="make a key, and print it once")
    issue.add_argument("--name", required=True, help="what it is for")
    issue.add_argument("--subject", required=True, help="whose requests are made with it")
    issue.add_argument("--tenant", default="")
    issue.add_argument("--scopes", default="", help="separated by commas")
    issue.add_argument("--expires", type=seconds, default=0.0, help="after 90d, 12h; never")
    listing = what.add_parser("list", help="what is known of keys; never the keys")
    listing.add_argument("--subject", default="")
    rotate = what.add_parser("rotate", help="make a successor; the key ends after the overlap")
    rotate.add_argument("prefix")
    rotate.add_argument("--overlap", type=seconds, default=86_400.0, help="1d")
    revoke = what.add_parser("revoke", help="end a key at once")
    revoke.add_argument("prefix")
    return words


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command."""
    try:
        return asyncio.run(answer(parser().parse_args(arguments)))
    except ConfigurationError as error:
        sys.stderr.write(f"{error}\n")
        return 2


if __name__ == "__main__":
    sys.exit(main())
