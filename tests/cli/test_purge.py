"""`bff purge`: cached entries are removed by tag."""

import asyncio
import json

import pytest

from bff_core import Cache, Composition, Policy, Upstream, Views, critical, gateway
from bff_core.settings.model import Settings
from tests.cache.stores.conftest import put, shared
from tests.cli.served import served
from tests.processes.ports import free_port

TOKEN = "a-token-of-the-test-for-operators"


class Stock(Upstream):
    """Counts what there is."""

    policy = Policy(cache=Cache(ttl=60))

    async def count(self) -> int:
        return await self.get("/count", int)


class Page(Composition):
    """A page with a count."""

    stock: Stock

    @critical
    async def count(self) -> int:
        return await self.stock.count()


views = Views()


@views.get("/count")
async def get_count(page: Page) -> int:
    return await page.count()


def shop(**settings):
    known = {"env": "development", "log": "off", "upstreams": {"stock": ("http://127.0.0.1:9",)}}
    return gateway("shop", faces=[views], settings=Settings(**known, **settings))


def test_a_gateway_purges_by_tag(bff, monkeypatch):
    """The command calls the admin endpoint with the operator's token, and reports what it did."""
    monkeypatch.setenv("BFF_OPERATOR_TOKEN", TOKEN)
    with served(shop(operator_token=TOKEN)) as url:
        done = bff("purge", "product:42", "price:42", "--url", url)
        as_json = bff("purge", "product:42", "--url", url, "--json")
        monkeypatch.setenv("BFF_OPERATOR_TOKEN", f"{TOKEN}-of-another")
        refused = bff("purge", "product:42", "--url", url)

    text = "purged product:42, price:42: 0 entries of the process that answered\n"
    assert (done.status, done.out) == (0, text)
    assert json.loads(as_json.out) == {"purged": ["product:42"], "dropped": 0}
    assert refused.status == 1
    assert refused.err.startswith(f"bff: {url} refuses the token: set BFF_OPERATOR_TOKEN")


def test_a_gateway_without_admin_endpoints_is_explained(bff, monkeypatch):
    """A gateway that runs without a token has no endpoint, and the error says so."""
    monkeypatch.setenv("BFF_OPERATOR_TOKEN", TOKEN)
    with served(shop()) as url:
        done = bff("purge", "product:42", "--url", url)

    assert done.status == 1
    assert "has no cache (Policy(cache=Cache())), or runs without BFF_OPERATOR_TOKEN" in done.err


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("--url", "http://127.0.0.1:9"), "BFF_OPERATOR_TOKEN is not set"),
        (("--url", "http://a", "--store", "redis://b"), "exclude each other"),
        (("--store", "sqlite:///x"), "give redis://HOST"),
        (("--gateway", "web"), "there is no gateway 'web'"),
        ((), "which gateway? The project has mobile, desktop: add --gateway NAME"),
    ],
)
def test_a_purge_without_an_address_is_explained(tmp_path, bff, monkeypatch, words, complaint):
    """What is missing is named, and what to write."""
    (tmp_path / "pyproject.toml").write_text(
        '[tool.bff.gateways]\nmobile = { app = "a:b", port = 1 }\n'
        'desktop = { app = "a:c", port = 2 }\n'
    )
    monkeypatch.chdir(tmp_path)
    done = bff("purge", "product:42", *words)

    assert (done.status, done.out) == (2, "")
    assert complaint in done.err


def test_a_gateway_that_does_not_run_is_named(tmp_path, bff, monkeypatch):
    """The error has the address, and how to start the gateway."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BFF_OPERATOR_TOKEN", TOKEN)
    url = f"http://127.0.0.1:{free_port()}"
    done = bff("purge", "product:42", "--url", url)

    assert done.status == 1
    assert f"no gateway answers at {url} (Connection refused): start it with bff dev" in done.err


@pytest.mark.needs("redis-server")
def test_a_shared_cache_is_purged_without_a_gateway(redis_server, bff):
    """Gateways that share the Redis drop the entries with the tag, and no others."""
    asyncio.run(_store(redis_server.url, {"a": ("product:42",), "b": ("product:7",)}))
    done = bff("purge", "product:42", "--store", redis_server.url)
    left = asyncio.run(_stored(redis_server.url, ["a", "b"]))
    redis_server.kill()
    down = bff("purge", "product:42", "--store", redis_server.url)

    assert (done.status, done.out) == (0, f"purged product:42 in {redis_server.url}\n")
    assert left == ["b"]
    assert down.status == 1
    assert "is not answering: nothing is purged" in down.err


async def _store(url, entries):
    async with shared(url) as store:
        for key, tags in entries.items():
            assert await put(store, key, tags=tags)


async def _stored(url, keys):
    async with shared(url) as store:
        return [key for key in keys if await store.get(key) is not None]
