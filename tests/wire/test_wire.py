"""Whether clients, operators and stores see what they saw in the commit before the renames.

Everything is looked at from outside: over HTTP, by command, by environment variable, in Redis and
in files of SQLite, and through public names of `bff_core`. No module below is imported, so that
they may move. `python -m tests.wire.record` records the golden files again, on purpose only.
"""

import difflib
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.redis_server import RedisServer
from tests.wire import old_stores, signing_in
from tests.wire.documents import DOCUMENTS, GOLDEN
from tests.wire.house import House, open_house, wait_until

pytestmark = pytest.mark.needs("redis-server", "faketime")

NOWHERE = "http://127.0.0.1:9"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Run the services, Redis and the gateways."""
    with open_house(tmp_path_factory.mktemp("wire")) as house:
        yield house


@pytest.fixture(scope="module")
def made(house: House) -> dict[str, str]:
    """Make all documents once, in order."""
    return {name: make(house) for name, make in DOCUMENTS.items()}


@pytest.fixture(scope="module")
def old_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """Run a Redis that holds what one held when the stores were recorded."""
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    server.start()
    old_stores.restore_redis(server.url)
    yield server
    server.kill()


@pytest.mark.parametrize("name", DOCUMENTS)
def test_outside_looks_as_recorded(made, name):
    """Answers, contracts, settings, keys and schemas are those of the golden file."""
    recorded = (GOLDEN / name).read_text()
    difference = difflib.unified_diff(
        recorded.splitlines(), made[name].splitlines(), "recorded", "now", lineterm="", n=4
    )
    assert made[name] == recorded, "\n".join(difference)


def test_a_purchase_of_before_comes_to_its_end(house, made, tmp_path):
    """A gateway of now takes over what a gateway of before left: money and stock go back."""
    journal, customer = tmp_path / "journal.sqlite3", old_stores.facts()["customer"]
    old_stores.restore_sqlite("journal.sql", journal)
    held = f"res-{old_stores.SPENT_RESERVATIONS + 1}"
    old_stores.reserve_as(house, held)
    url = f"sqlite:///{journal}"
    environ = {"BFF_JOURNAL_URL": url, "BFF_JOURNAL_LEASE": "0.1"}
    with old_stores.serving(house, "mobile", later=120, **environ):
        wait_until(lambda: open_sagas(journal) == 0)

    payments = house.call("payments", "GET", f"/payments?customer_id={customer}&limit=100")
    (payment,) = [one for one in payments["items"] if one["id"].startswith("pay-c")]
    assert payment["status"] == "refunded"
    assert is_gone(house, f"/reservations/{held}")


def test_a_session_of_before_goes_on(house, old_redis):
    """The cookie signs in and a mutation by key is replayed; cached replies are fetched anew."""
    facts = old_stores.facts()
    shared = ("SESSION", "CACHE", "IDEMPOTENCY", "LIMITS", "JOURNAL")
    environ = {f"BFF_{name}_URL": old_redis.url for name in shared} | facts["environ"]
    nowhere = {f"BFF_UPSTREAM_{name}": NOWHERE for name in ("CART", "USERS")}
    page = {
        **signing_in.PAGE,
        "host": facts["environ"]["BFF_PUBLIC_URL"].removeprefix("http://"),
        "origin": facts["environ"]["BFF_PUBLIC_URL"],
        "cookie": facts["cookie"],
    }
    with (
        old_stores.provider(house) as identity,
        old_stores.serving(
            house, "signin", BFF_UPSTREAM_IDENTITY=identity, **environ, **nowhere
        ) as port,
    ):
        user = old_stores.get(port, "/bff/user", page)
        product = old_stores.post(port, "/graphql", old_stores.PRODUCT, page)
        cart = old_stores.post(port, "/graphql", old_stores.SET_ITEM, page | old_stores.BY_KEY)

    assert user.status == 200, user
    assert user.json()["subject"] == "1"
    assert product.json() == facts["product"]
    assert cart.json() == facts["cart"]
    assert cart.header("idempotency-replayed") == "true"


def test_an_api_key_of_before_is_taken(house, old_redis, tmp_path):
    """The key opens its routes, and what it wrote by Idempotency-Key is replayed."""
    facts, keys = old_stores.facts(), tmp_path / "keys.sqlite3"
    old_stores.restore_sqlite("api-keys.sql", keys)
    shared = {f"BFF_{name}_URL": old_redis.url for name in ("CACHE", "IDEMPOTENCY", "LIMITS")}
    key = {"x-api-key": facts["api_key"]}
    with old_stores.serving(house, "kiosk", BFF_API_KEYS_URL=f"sqlite:///{keys}", **shared) as port:
        orders = old_stores.get(port, "/v1/orders", key)
        paid = old_stores.post(port, "/v1/payments", old_stores.NOTE, key | old_stores.BY_KEY)

    assert orders.json() == {"subject": "svc-old"}
    assert paid.json() == facts["payment"]
    assert paid.header("idempotency-replayed") == "true"


def open_sagas(path: Path) -> int:
    """Return how many purchases of a journal are not over."""
    with closing(sqlite3.connect(path)) as journal:
        count: int = journal.execute("select count(*) from sagas where is_open").fetchone()[0]
    return count


def is_gone(house: House, path: str) -> bool:
    """Whether the inventory knows nothing at a path."""
    return old_stores.get(house.ports["inventory"], path, {}).status == 404
