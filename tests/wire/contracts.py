"""What is promised beside answers: contracts, settings, events, log lines, and how stores look."""

import re
import sqlite3
from collections.abc import Mapping
from typing import Any

import redis

import bff_core
from bff_core import Settings, events
from tests.wire.exchange import as_text, encode, plain, send
from tests.wire.house import House
from tests.wire.processes import run

FAMILIES = {"BFF_UPSTREAMS", "BFF_SECRETS"}
"""Settings that are read from a variable for each name."""

PUBLIC_PACKAGES = (
    "bff_core",
    "bff_core.auth",
    "bff_core.errors",
    "bff_core.events",
    "bff_core.graphql",
    "bff_core.mocks",
    "bff_core.observe",
    "bff_core.policy",
    "bff_core.testing",
)


def openapi(house: House, name: str) -> str:
    """Return a gateway's OpenAPI document."""
    port = house.ports[name]
    answer = send(port, encode(port, "GET", "/openapi.json", {}, None))
    return plain(as_text(answer.json()))


SDL = "from bffs.web.schema import schema; print(schema)"


def sdl(_: House) -> str:
    """Return the schema of the web gateway in the language of GraphQL."""
    from bffs.web.schema import schema  # noqa: PLC0415 # takes a while to import

    return f"{schema}\n"


def settings(_: House) -> str:
    """Return each setting as an operator knows it, with its default and what it accepts."""
    usual = Settings.load({}).model_dump(mode="json")
    found = {
        f"BFF_{name}".upper(): {"default": usual[name], "accepted": field.description}
        for name, field in Settings.model_fields.items()
    }
    wrong = dict.fromkeys(set(found) - FAMILIES, "\x7f") | {"BFF_UPSTREAM_A": "x"}
    return as_text({"settings": found, "wrong values": refusals(wrong)})


def refusals(environ: Mapping[str, str]) -> list[str]:
    """Return what the settings say of an environment in which each is wrong."""
    try:
        Settings.load(environ)
    except bff_core.ConfigurationError as error:
        return str(error).splitlines()
    raise AssertionError("it was accepted")


def event_fields(_: House) -> str:
    """Return the public events with their fields."""
    found: dict[str, Any] = {}
    for name in events.__all__:
        kind = getattr(events, name)
        found[name] = list(getattr(kind, "__struct_fields__", ()))
    return as_text(found)


def log_events(house: House) -> str:
    """Return the names of the events that were logged, with the keys of their lines."""
    found: dict[str, set[str]] = {}
    for line in house.log_lines():
        known = found.setdefault(f"{line['event']} ({line['level']})", set())
        known.update(line)
    ours = {name: sorted(keys) for name, keys in found.items() if re.match(r"[a-z_.]+ \(", name)}
    return as_text(dict(sorted(ours.items())))


def public_names(_: House) -> str:
    """Return what the public packages export."""
    names = {one: __import__(one, fromlist=["__all__"]).__all__ for one in PUBLIC_PACKAGES}
    return as_text(names)


def redis_keys(house: House) -> str:
    """Return the patterns of all keys in Redis, with their types, sizes of TTL, and fields."""
    with redis.Redis.from_url(house.redis.url) as client:
        found = {described(client, key) for key in client.scan_iter(count=1000)}
    return as_text(sorted(found))


def described(client: "redis.Redis", key: bytes) -> str:
    """Return a key without ids, its type, and how long it lives."""
    kind = client.type(key).decode()
    seconds = client.ttl(key)
    fields = ""
    if kind == "hash":
        names = sorted({pattern_of(one) for one in client.hkeys(key)})
        fields = f" fields {', '.join(names)}"
    if kind == "zset":
        fields = (
            f" members {', '.join(sorted({pattern_of(one) for one in client.zrange(key, 0, -1)}))}"
        )
    if kind == "set":
        fields = f" members {', '.join(sorted({pattern_of(one) for one in client.smembers(key)}))}"
    return f"{pattern_of(key)}  {kind}  {lifetime(seconds)}{fields}"


def pattern_of(key: bytes) -> str:
    """Return a key with its digests, ids and names replaced."""
    text = key.decode("utf-8", "backslashreplace")
    text = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "<uuid>", text)
    text = re.sub(r"(?<![\w-])(?=[\w-]*\d)[\w-]{16,}={0,2}", "<id>", text)
    text = re.sub(r"product:\d+|price:\d+", "<tag>", text)
    text = re.sub(r"(\\x[0-9a-f]{2}|[^ -~])+.*", "<bytes>", text)
    return re.sub(r"\b\d+(\.\d+)?\b", "<n>", text)


def lifetime(seconds: int) -> str:
    """Return the class of a time to live."""
    if seconds < 0:
        return "stays"
    bounds = {
        "a minute": 60,
        "ten minutes": 600,
        "an hour": 3600,
        "a day": 86_400,
        "a week": 604_800,
    }
    found = next((name for name, bound in bounds.items() if seconds <= bound), "longer")
    return f"up to {found}" if found != "longer" else found


def sqlite_schemas(house: House) -> str:
    """Return the schema of each file of SQLite."""
    found = {}
    for path in sorted(house.folder.glob("*.sqlite3")):
        with sqlite3.connect(path) as connection:
            rows = connection.execute("select sql from sqlite_master where sql is not null")
            lines = [row[0].splitlines() for row in rows]
            version = connection.execute("pragma user_version").fetchone()[0]
        found[path.stem] = {"user_version": version, "schema": lines}
        connection.close()
    return as_text(found)


def commands(house: House) -> str:
    """Return what the commands print."""
    keys = f"sqlite:///{house.folder / 'kiosk-keys.sqlite3'}"
    journal = f"sqlite:///{house.folder / 'mobile-journal.sqlite3'}"
    printed = {
        "bff serve with a module that is missing": run("bff_core", "serve", "nowhere:app"),
        "bff keys list": run("bff_core", "keys", "list", BFF_API_KEYS_URL=keys),
        "bff keys revoke": run(*("bff_core", "keys", "revoke", "AAAAAAAA"), BFF_API_KEYS_URL=keys),
        "bff saga list": run("bff_core", "saga", "list", BFF_JOURNAL_URL=journal),
    }
    return as_text({name: normal(text) for name, text in printed.items()})


def normal(text: str) -> list[str]:
    """Return what a command printed, line by line, without ids and times."""
    text = plain(text)
    text = re.sub(r"(?m)^[\w-]{8}(?=\s)", "<prefix>", text)
    text = re.sub(r"\d{4}-\d\d-\d\d([ T]\d\d:\d\d(:\d\d)?)?", "<time>", text)
    return text.splitlines()
