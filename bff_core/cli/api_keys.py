"""The verbs of API keys: `bff keys issue`, `list`, `rotate` and `revoke`."""

import re
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

from bff_core.auth.api_keys.lifecycle import ApiKeys, open_keys
from bff_core.auth.api_keys.record import ApiKeyRecord
from bff_core.auth.authenticator import HasKeys, each_of
from bff_core.auth.demo import DemoAuthenticator
from bff_core.cli.environment import store_failure, store_url
from bff_core.cli.errors import CannotRun, CommandFailed
from bff_core.cli.event_loop import in_event_loop
from bff_core.cli.gateways import load_gateway
from bff_core.cli.output import print_json, print_table
from bff_core.clock import chance, monotonic
from bff_core.errors import ConfigurationError, NotFound, StoreUnavailable
from bff_core.events import Events
from bff_core.redis.clients_by_url import RedisClients
from bff_core.server.target import CannotServe
from bff_core.settings.values import API_KEYS, without_password
from bff_core.sqlite import missing_file

UNIT_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}

MAX_DAYS: Final = 36_500
"""The longest duration of an option."""

STORE_VARIABLE: Final = "BFF_API_KEYS_URL"


def require_keys_of(gateway: str) -> None:
    """Raise `CannotRun` for a gateway that takes no API keys; one that can't be loaded may."""
    try:
        app = load_gateway(gateway).app
    except (CannotRun, CannotServe, ConfigurationError):
        return
    found = each_of(app.config.authenticator)
    if not any(isinstance(one, HasKeys | DemoAuthenticator) for one in found):
        raise CannotRun(
            f"gateway {gateway} takes no API keys: give it ApiKeyAuthenticator(), alone or in "
            "FirstOf(...), or name the store of another program by --url"
        )


@in_event_loop
async def issue(
    name: str,
    subject: str,
    *,
    tenant: str,
    scopes: Sequence[str],
    expires: str,
    url: str,
    gateway: str,
    as_json: bool,
) -> None:
    """Issue a key, and print it: it is shown this once."""
    lifetime = seconds(expires) if expires else 0.0
    async with _opened(url, gateway, makes_file=True) as keys:
        try:
            key, record = await keys.issue(
                name, subject, tenant=tenant, scopes=_split(scopes), lifetime=lifetime
            )
        except ConfigurationError as error:
            raise CannotRun(str(error)) from None
    _print_new(key, record, as_json=as_json)


@in_event_loop
async def show_list(subject: str, *, url: str, gateway: str, as_json: bool) -> None:
    """Print the keys of a subject, or all, without their secrets."""
    async with _opened(url, gateway) as keys:
        found = [fields_of(record) for record in await keys.listed(subject)]
    if as_json:
        print_json(found)
    elif found:
        print_table(
            ["prefix", "name", "subject", "tenant", "scopes", "created", "expires", "last used"],
            map(_row, found),
        )
    else:
        of = f" of {subject}" if subject else ""
        where = without_password(store_url(url, STORE_VARIABLE, API_KEYS, gateway))
        sys.stderr.write(f"bff: there is no key{of} in {where}\n")


@in_event_loop
async def rotate(prefix: str, *, overlap: str, url: str, gateway: str, as_json: bool) -> None:
    """Issue a successor of a key, which ends after the overlap; print the new key."""
    beside = seconds(overlap)
    async with _opened(url, gateway) as keys:
        key, record = await keys.rotate(_prefix(prefix), overlap=beside)
    _print_new(key, record, as_json=as_json)


@in_event_loop
async def revoke(prefix: str, *, url: str, gateway: str) -> None:
    """End a key at once."""
    async with _opened(url, gateway) as keys:
        await keys.revoke(_prefix(prefix))


def seconds(text: str) -> float:
    """Parse a duration such as 90d, 12h, 30m or 45s; raise `CannotRun` for any other text."""
    found = re.fullmatch(r"([0-9]{1,100})([smhd])", text)
    if found is None:
        raise CannotRun(f"{text!r} is no duration: write it as 90d, 12h, 30m or 45s")
    duration = int(found[1]) * UNIT_SECONDS[found[2]]
    if duration > MAX_DAYS * UNIT_SECONDS["d"]:
        raise CannotRun(f"{text!r} is too long: give {MAX_DAYS}d (100 years) at most")
    return float(duration)


def fields_of(record: ApiKeyRecord) -> dict[str, object]:
    """Return the public fields of a key; times are Unix times in seconds."""
    return {
        "prefix": record.prefix,
        "name": record.name,
        "subject": record.subject,
        "tenant": record.tenant,
        "scopes": sorted(record.scopes),
        "created_at": round(record.created_at),
        "expires_at": round(record.expires_at) or None,
        "last_used_at": round(record.last_used_at) or None,
    }


@asynccontextmanager
async def _opened(url: str, gateway: str, *, makes_file: bool = False) -> AsyncIterator[ApiKeys]:
    """Open the store; failures of keys and store become errors of the command line."""
    store = store_url(url, STORE_VARIABLE, API_KEYS, gateway)
    missing = missing_file(store)
    if missing is not None and makes_file and not missing.parent.is_dir():
        raise CommandFailed(
            f"there is no folder {missing.parent} for the store: make it, or name another store "
            f"by --url or {STORE_VARIABLE}"
        )
    if missing is not None and not makes_file:
        raise CommandFailed(
            f"there are no keys at {missing}: name the store by --url or {STORE_VARIABLE}"
        )
    clients = RedisClients(clock=monotonic, chance=chance, events=Events())
    async with AsyncExitStack() as closing:
        closing.push_async_callback(clients.aclose)
        try:
            opened = open_keys(store, clients)
            closing.push_async_callback(opened.aclose)
            yield ApiKeys(opened)
        except NotFound as error:
            raise CommandFailed(f"{error} List those that exist with: bff keys list") from None
        except StoreUnavailable as error:
            raise store_failure(store, error) from None


def _prefix(given: str) -> str:
    """Return the prefix of a key, also of the whole key."""
    parts = given.split("_")
    return parts[1] if len(parts) == 3 and parts[0] == "bff" else given


def _split(scopes: Sequence[str]) -> list[str]:
    """Return the scopes of a repeated option, each of which may hold several."""
    return [scope for one in scopes for scope in one.split(",") if scope]


def _print_new(key: str, record: ApiKeyRecord, *, as_json: bool) -> None:
    if as_json:
        print_json({"key": key, **fields_of(record)})
        return
    sys.stderr.write("Store the key now: it is shown this once.\n")
    sys.stdout.write(f"{key}\n")


def _row(fields: Mapping[str, object]) -> list[str]:
    scopes = fields["scopes"]
    return [
        *(str(fields[name]) or "-" for name in ("prefix", "name", "subject", "tenant")),
        " ".join(scopes) if isinstance(scopes, list) and scopes else "-",
        *(_time(fields[name], "%Y-%m-%d") for name in ("created_at", "expires_at")),
        _time(fields["last_used_at"], "%Y-%m-%d %H:%M"),
    ]


def _time(at: object, form: str) -> str:
    return time.strftime(form, time.gmtime(at)) if isinstance(at, int) else "-"
