"""Stores that the commit before wrote: how they were recorded, and how they are put back.

A journal with a purchase whose gateway was killed, a file of API keys, and a Redis with a session,
a cached reply and the answer to a mutation by key. They are text: SQL, and commands of Redis whose
bytes are written as Latin-1. `python -m tests.wire.record stores` records them; no change of
names is a reason to.
"""

import json
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import redis

from tests.wire import signing_in
from tests.wire.exchange import TIMEOUT_SECONDS, Answer, encode, send
from tests.wire.house import House, wait_until
from tests.wire.kiosk_requests import NOTE, OPERATOR
from tests.wire.processes import Program
from tests.wire.shop_requests import buyer

STORES = Path(__file__).parent / "golden" / "stores"
LIBRARIES = ("/usr/lib", "**/faketime/libfaketimeMT.so.1")
SPENT_RESERVATIONS = 50
"""So many ids of reservations come before the one that the journal has."""

PRODUCT = {"query": "{ product(id: 77) { title } }"}
SET_ITEM = {
    "query": "mutation ($sku: String!) { setCartItem(sku: $sku, quantity: 1) { count } }",
    "variables": {"sku": "1001-BRN-155"},
}
BY_KEY = {"idempotency-key": '"a-key-of-the-old-stores-0123456789"'}


def post(port: int, path: str, value: object, headers: dict[str, str]) -> Answer:
    """Send JSON."""
    fields = {"content-type": "application/json", **headers}
    return settled(port, encode(port, "POST", path, fields, json.dumps(value).encode()), "POST")


def get(port: int, path: str, headers: dict[str, str]) -> Answer:
    """Read a path."""
    return settled(port, encode(port, "GET", path, headers, None), "GET")


def settled(port: int, sent: bytes, method: str) -> Answer:
    """Send a request again as long as Redis is too slow for it, as on a busy machine."""
    until = time.monotonic() + TIMEOUT_SECONDS
    while (answer := send(port, sent, method)).status == 503:
        assert time.monotonic() < until, answer
        time.sleep(0.1)
    return answer


def reserve(house: House) -> str:
    """Hold one of something, and return the id of the reservation."""
    wanted = {"lines": [{"sku": "1001-BRN-155", "quantity": 1}]}
    found: str = house.call("inventory", "POST", "/reservations", wanted)["id"]
    return found


def release(house: House, reservation: str) -> None:
    """Put it back."""
    house.call("inventory", "DELETE", f"/reservations/{reservation}")


def reserve_as(house: House, wanted: str) -> None:
    """Hold something under the id that the journal has."""
    for _ in range(SPENT_RESERVATIONS + 1):
        if (found := reserve(house)) == wanted:
            return
        release(house, found)
    raise AssertionError(f"{wanted} is in use already")


def record(house: House) -> dict[str, str]:
    """Return the files of stores as the gateways of now write them."""
    facts: dict[str, Any] = {"recorded_at": time.time()}
    files = {
        "journal.sql": unfinished(house, facts),
        "api-keys.sql": issued(house, facts),
        "redis.json": session(house, facts),
    }
    return files | {"facts.json": json.dumps(facts, indent=1) + "\n"}


def unfinished(house: House, facts: dict[str, Any]) -> str:
    """Kill the mobile gateway while a charge is under way, and return its journal as SQL."""
    for _ in range(SPENT_RESERVATIONS):
        release(house, reserve(house))
    headers, body = buyer(house, 120)
    port = house.ports["mobile"]

    def buy() -> None:
        try:
            post(port, "/v1/checkout", body, headers)
        except OSError:
            return  # the gateway was killed

    buying = threading.Thread(target=buy)
    with house.fault("payments", "hang", route="POST /charges"):
        buying.start()
        wait_until(lambda: house.call("payments", "GET", "/__calls__")["active"])
        house.programs["mobile"].kill()
    buying.join()
    facts["customer"] = headers["authorization"].rpartition("-")[2]
    return dumped(house.folder / "mobile-journal.sqlite3")


def issued(house: House, facts: dict[str, Any]) -> str:
    """Issue an API key, and return the file of keys as SQL."""
    wanted = {"name": "old", "subject": "svc-old", "scopes": ["orders:read"]}
    answer = post(house.ports["kiosk"], "/operator/api-keys/issue", wanted, OPERATOR)
    facts["api_key"] = answer.json()["key"]
    return dumped(house.folder / "kiosk-keys.sqlite3")


def session(house: House, facts: dict[str, Any]) -> str:
    """Sign in, read a product and write by key; return what Redis holds then."""
    port = house.ports["signin"]
    with redis.Redis.from_url(house.redis.url) as client:
        client.flushdb()
        cookie = signing_in.cookie_of(house, "1")
        headers = signing_in.page_of(house) | {"cookie": cookie}
        facts["cookie"] = cookie
        facts["environ"] = {
            name: house.environ("signin")[name] for name in ("BFF_ISSUER", "BFF_PUBLIC_URL")
        }
        facts["product"] = post(port, "/graphql", PRODUCT, headers).json()
        key = {"x-api-key": facts["api_key"]}
        paid = post(house.ports["kiosk"], "/v1/payments", NOTE, key | BY_KEY)
        facts["payment"] = paid.json()
        facts["cart"] = post(port, "/graphql", SET_ITEM, headers | BY_KEY).json()
        keys = [key for key in sorted(client.scan_iter(count=1000)) if client.ttl(key)]
        commands = [command_of(client, key) for key in keys]
    return json.dumps(commands, indent=1) + "\n"


def command_of(client: "redis.Redis", key: bytes) -> list[Any]:
    """Return the command that makes a key, and in how many milliseconds it ends."""
    words: list[Any] = {
        b"hash": lambda: [
            "HSET",
            key,
            *(part for pair in client.hgetall(key).items() for part in pair),
        ],
        b"string": lambda: ["SET", key, client.get(key)],
        b"zset": lambda: [
            "ZADD",
            key,
            *(
                part
                for name, score in client.zrange(key, 0, -1, withscores=True)
                for part in (repr(score), name)
            ),
        ],
        b"set": lambda: ["SADD", key, *client.smembers(key)],
    }[client.type(key)]()
    text = [one.decode("latin-1") if isinstance(one, bytes) else one for one in words]
    return [client.pttl(key), *text]


def dumped(path: Path) -> str:
    """Return a file of SQLite as SQL."""
    with closing(sqlite3.connect(path)) as connection:
        return "\n".join(connection.iterdump()) + "\n"


def restore_sqlite(name: str, path: Path) -> None:
    """Make a file of SQLite from the SQL that was recorded."""
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript((STORES / name).read_text())


def restore_redis(url: str) -> None:
    """Put the recorded keys into a Redis; what ends by its clock ends so much later."""
    later = (time.time() - facts()["recorded_at"]) * 1000
    with redis.Redis.from_url(url) as client:
        for milliseconds, *words in json.loads((STORES / "redis.json").read_text()):
            client.execute_command(*(one.encode("latin-1") for one in moved(words, later)))
            if milliseconds >= 0:
                client.pexpire(words[1].encode("latin-1"), milliseconds)


def moved(words: list[str], milliseconds: float) -> list[str]:
    """Return a command of Redis with the ends of sessions moved."""
    verb, key, *rest = words
    if ":session:" not in key:
        return words
    ends = {
        "HSET": [number + 1 for number, word in enumerate(rest) if word == "until"],
        "ZADD": range(0, len(rest), 2),
    }.get(verb, [])
    for number in ends:
        rest[number] = f"{float(rest[number]) + milliseconds:.0f}"
    return [verb, key, *rest]


def facts() -> dict[str, Any]:
    """Return what was known when the stores were recorded."""
    found: dict[str, Any] = json.loads((STORES / "facts.json").read_text())
    return found


def at_that_time(later: float) -> dict[str, str]:
    """Return the environment of a program to which it is so many seconds after the recording."""
    folder, pattern = LIBRARIES
    library = next(iter(Path(folder).glob(pattern)))
    return {
        "LD_PRELOAD": str(library),
        "FAKETIME": f"{facts()['recorded_at'] + later - time.time():+.0f}",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }


@contextmanager
def provider(house: House) -> Iterator[str]:
    """Run the identity service as the issuer of the recording, and return its address."""
    port = house.spare_ports.pop()
    issuer = facts()["environ"]["BFF_ISSUER"]
    program = Program(
        *("services_mock", "identity", "--port", str(port)),
        log=house.folder / "old-identity.log",
        SERVICES_ISSUER=issuer,
    )
    program.start()
    try:
        program.wait_for(port, "/healthz")
        yield f"http://127.0.0.1:{port}"
    finally:
        program.end()


@contextmanager
def serving(house: House, name: str, *, later: float = 5.0, **environ: str) -> Iterator[int]:
    """Serve one of the house's gateways once more, some seconds after the recording."""
    port = house.spare_ports.pop()
    settings = house.environ(name) | {"BFF_PORT": str(port)} | at_that_time(later) | environ
    program = Program(
        *("bff_core", "serve", house.app(name)), log=house.folder / f"old-{name}.log", **settings
    )
    program.start()
    try:
        program.wait_for(port, "/readyz")
        yield port
    finally:
        program.end()
