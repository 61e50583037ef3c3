"""API keys: accepted while they are valid, stored as hashes, rotated without a gap."""

from contextlib import asynccontextmanager

import httpx
import pytest
from pydantic import SecretStr

from bff_core import Require, Views, gateway
from bff_core.auth.api_keys.authenticator import REFUSAL, ApiKeyAuthenticator
from bff_core.auth.api_keys.lifecycle import ApiKeys, open_keys
from bff_core.auth.api_keys.record import digest_of, new_key, prefix_of
from bff_core.clock import chance, monotonic
from bff_core.errors import ConfigurationError, NotFound
from bff_core.events import Events
from bff_core.redis.clients_by_url import RedisClients
from tests.shop_with_view_cache import client_of, in_production

TOKEN = "an operator's token that is long"


class Wall:
    """The time of day, as the tests set it."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@asynccontextmanager
async def opened(kind, tmp_path, redis_server, wall):
    """Yield the keys of a store."""
    links = RedisClients(clock=monotonic, chance=chance, events=Events())
    url = f"sqlite:///{tmp_path}/keys.sqlite3" if kind == "sqlite" else redis_server.url
    store = open_keys(url, links)
    try:
        yield ApiKeys(store, wall)
    finally:
        await store.aclose()
        await links.aclose()


stores = pytest.mark.parametrize("kind", ["sqlite", "redis"])


@pytest.mark.needs("redis-server")
@stores
async def test_a_store_finds_keys_by_their_prefix(kind, tmp_path, redis_server):
    """A record has all grants of its key; lists are sorted by age, newest first."""
    wall = Wall()
    async with opened(kind, tmp_path, redis_server, wall) as keys:
        key, first = await keys.issue("CI", "svc-1", tenant="t", scopes=["a:b", "c"], lifetime=60)
        wall.now += 1
        _, second = await keys.issue("Cron", "svc-2")
        found = await keys.store.find(prefix_of(key))
        await keys.store.used(first.prefix, wall.now)
        everything = [one.prefix for one in await keys.listed()]
        theirs = await keys.listed("svc-1")
        taken = await keys.store.add(first)

    assert found == first
    assert (found.digest, found.scopes) == (digest_of(key), frozenset({"a:b", "c"}))
    assert found.expires_at == found.created_at + 60
    assert everything == [second.prefix, first.prefix]
    assert [one.last_used_at for one in theirs] == [wall.now]
    assert taken is False


@pytest.mark.needs("redis-server")
@stores
async def test_a_rotated_key_is_valid_during_its_overlap(kind, tmp_path, redis_server):
    """The new key has the same grants; a revoked key is refused at once."""
    wall = Wall()
    async with opened(kind, tmp_path, redis_server, wall) as keys:
        _, old = await keys.issue("CI", "svc-1", scopes=["a"])
        _, new = await keys.rotate(old.prefix, overlap=100)
        ending = await keys.store.find(old.prefix)
        await keys.rotate(old.prefix, overlap=1000)
        still = await keys.store.find(old.prefix)
        await keys.revoke(old.prefix)
        gone = await keys.store.find(old.prefix)
        with pytest.raises(NotFound):
            await keys.revoke(old.prefix)
        with pytest.raises(NotFound):
            await keys.rotate(old.prefix)

    assert (new.subject, new.scopes) == ("svc-1", frozenset({"a"}))
    assert ending.expires_at == still.expires_at == wall.now + 100
    assert gone is None


@pytest.mark.needs("redis-server")
@stores
async def test_a_successor_has_the_lifetime_of_the_rotated_key(kind, tmp_path, redis_server):
    """The rotation has set another expiry; an expired key can't be rotated."""
    wall = Wall()
    async with opened(kind, tmp_path, redis_server, wall) as keys:
        _, endless = await keys.issue("CI", "svc-1")
        await keys.rotate(endless.prefix, overlap=100)
        _, again = await keys.rotate(endless.prefix, overlap=100)
        _, brief = await keys.issue("CI", "svc-1", lifetime=60)
        _, successor = await keys.rotate(brief.prefix, overlap=10)
        wall.now += 101
        with pytest.raises(NotFound):
            await keys.rotate(endless.prefix)

    assert again.expires_at == 0
    assert successor.expires_at == successor.created_at + 60


async def test_keys_that_expired_long_ago_are_deleted(tmp_path):
    """A key that expired yesterday is still listed."""
    wall = Wall()
    async with opened("sqlite", tmp_path, None, wall) as keys:
        await keys.issue("old", "svc-1", lifetime=60)
        wall.now += 31 * 86_400
        await keys.issue("late", "svc-1", lifetime=60)
        wall.now += 86_400
        await keys.issue("new", "svc-1")
        listed = [one.name for one in await keys.listed()]

    assert listed == ["new", "late"]


@pytest.mark.needs("redis-server")
@stores
async def test_no_part_of_a_secret_is_stored(kind, tmp_path, redis_server):
    """The content of the store is not enough to make a request."""
    async with opened(kind, tmp_path, redis_server, Wall()) as keys:
        key, record = await keys.issue("CI", "svc-1")
        shown = repr(record)

    secret = key.rpartition("_")[2]
    files = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert secret not in shown
    assert record.digest not in shown
    assert secret.encode() not in files


async def test_keys_are_long_and_unique():
    """A key has more than 256 random bits."""
    made = {new_key() for _ in range(100)}

    assert len(made) == 100
    assert {len(key) for key in made} == {58}
    assert prefix_of("bff_short_x") is None


@pytest.mark.parametrize(
    "given",
    [
        {"name": " "},
        {"subject": ""},
        {"scopes": ["a b"]},
        {"scopes": ["a\tb"]},
        {"scopes": ["a\u2003b"]},
        {"scopes": [""]},
        {"lifetime": -1},
        {"lifetime": 1e300},
        {"name": "a\x1b[2J"},
    ],
)
async def test_wrong_options_of_a_key_are_refused(given):
    """No key is issued then."""
    store = open_keys("sqlite://", None)
    with pytest.raises(ConfigurationError):
        await ApiKeys(store).issue(**{"name": "CI", "subject": "svc", **given})
    await store.aclose()


@asynccontextmanager
async def open_shop(wall=None):
    """Run a gateway that accepts API keys, with admin endpoints."""
    views = Views(prefix="/v1")

    @views.get("/orders", access=Require("orders:read"))
    async def get_orders() -> str:
        return "orders"

    auth = ApiKeyAuthenticator(wall=wall or Wall())
    settings = in_production([]).model_copy(
        update={"api_keys_url": "sqlite://", "operator_token": SecretStr(TOKEN)}
    )
    app = gateway("shop", faces=[views], settings=settings, authenticator=auth, events=Events())
    async with client_of(app) as client:
        yield client, auth


OPERATOR = {"authorization": f"Bearer {TOKEN}"}


async def issue(client: httpx.AsyncClient, **given) -> dict:
    """Have the operator issue a key."""
    body = {"name": "CI", "subject": "svc-1", "scopes": ["orders:read"], **given}
    answer = await client.post("/operator/api-keys/issue", json=body, headers=OPERATOR)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_key_is_accepted_in_either_header():
    """It is looked up once."""
    async with open_shop() as (client, _):
        key = (await issue(client))["key"]
        answers = [
            await client.get("/v1/orders", headers=headers)
            for headers in ({"x-api-key": key}, {"authorization": f"ApiKey {key}"})
        ]

    assert [one.status_code for one in answers] == [200, 200]


async def test_all_refusals_look_alike():
    """Unknown, wrong, expired and malformed keys get the same answer."""
    wall = Wall()
    async with open_shop(wall) as (client, _):
        good = await issue(client, lifetime=60)
        wrong = good["key"][:-1] + ("2" if good["key"][-1] != "2" else "3")
        before = await client.get("/v1/orders", headers={"x-api-key": good["key"]})
        wall.now += 61
        sent = (good["key"], wrong, new_key(), "nonsense", "")
        answers = [await client.get("/v1/orders", headers={"x-api-key": one}) for one in sent]
        anonymous = await client.get("/v1/orders")

    assert before.status_code == 200
    assert [one.status_code for one in answers] == [401] * 5
    assert {one.json()["detail"] for one in answers} == {REFUSAL}
    assert {one.headers["www-authenticate"] for one in (*answers, anonymous)} == {"ApiKey"}


async def test_an_operator_lists_rotates_and_revokes():
    """The admin endpoints accept the operator's token only."""
    async with open_shop() as (client, auth):
        first = await issue(client)
        second = (
            await client.post(
                "/operator/api-keys/rotate",
                json={"prefix": first["prefix"], "overlap": 60},
                headers=OPERATOR,
            )
        ).json()
        listed = (await client.get("/operator/api-keys", headers=OPERATOR)).json()["keys"]
        stranger = await client.get("/operator/api-keys", headers={"x-api-key": first["key"]})
        revoked = await client.post(
            "/operator/api-keys/revoke", json={"prefix": second["prefix"]}, headers=OPERATOR
        )
        wrong = await client.post("/operator/api-keys/issue", json={}, headers=OPERATOR)
        auth.running._valid.clear()
        after = [
            (await client.get("/v1/orders", headers={"x-api-key": one["key"]})).status_code
            for one in (first, second)
        ]

    assert {one["prefix"] for one in listed} == {first["prefix"], second["prefix"]}
    assert all("key" not in one for one in listed)
    assert stranger.status_code == 401
    assert revoked.json() == {"revoked": second["prefix"]}
    assert wrong.status_code == 422
    assert after == [200, 401]
