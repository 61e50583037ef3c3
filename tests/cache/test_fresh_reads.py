"""A hard reload bypasses the caches of a gateway in development, and nowhere else."""

import asyncio
from typing import Annotated

import pytest
import strawberry
from fastapi import Depends

from bff_core import ANYONE, Views, access, compose, gather
from bff_core.graphql import GraphQL, Info
from bff_core.testing.scripted import fail, reply
from tests.shop_with_view_cache import Page, Shop, open_shop

pytestmark = pytest.mark.virtual_time

RELOAD = {"cache-control": "no-cache"}
PATH = "/v1/products/7"


def rest() -> Views:
    """Return views that may be cached, and a write."""
    views = Views(prefix="/v1", access=ANYONE)

    @views.get("/products/{product_id}", public=True)
    async def get_product(
        page: Annotated[Page, Depends(compose(Page))],
    ) -> dict[str, str | int | None]:
        title, price = await gather(page.product(), page.price())
        return {"title": title, "price": price}

    @views.put("/products/{product_id}")
    async def put_product(page: Annotated[Page, Depends(compose(Page))]) -> dict[str, str]:
        return {"title": await page.renamed()}

    @views.get("/twins")
    async def get_twins(
        page: Annotated[Page, Depends(compose(Page))], other: Annotated[Page, Depends(twin)]
    ) -> list[int | None]:
        return list(await gather(page.count(), other.count()))

    return views


twin = compose(Page)


@access(ANYONE)
@strawberry.type
class Query:
    """What can be read."""

    @strawberry.field
    async def title(self, info: Info) -> str:
        return await info.context.compose(Page).product()


def opened(env: str = "development", **settings):
    """Open a shop of REST views and GraphQL."""
    faces = [rest(), GraphQL(strawberry.Schema(Query), public=["title"])]
    return open_shop(faces, settings={"env": env, **settings})


async def read(shop: Shop) -> None:
    """Fill the caches, a second before the next request."""
    await shop.get(PATH)
    await shop.get("/graphql?query={title}")
    await asyncio.sleep(1)


def calls_of(shop: Shop) -> int:
    """Return how often the catalog was called."""
    return len(shop.scripts["catalog"].calls)


@pytest.mark.parametrize(
    "headers",
    [
        RELOAD,
        {"cache-control": "max-age=0, No-Cache", "pragma": "no-cache"},
        {"pragma": "no-cache"},
        [("cache-control", "no-cache"), ("cache-control", "max-age=0")],
    ],
)
async def test_a_hard_reload_reads_from_services(headers):
    """Neither the view cache nor the cache of replies answers."""
    async with opened() as shop:
        await read(shop)
        shop.scripts["catalog"].then(reply(200, {"id": "7", "title": "New"}))
        cached = await shop.get(PATH)
        fresh = await shop.client.get(PATH, headers=headers)

        assert cached.json()["title"] == "Tent 7"
        assert fresh.json()["title"] == "New"
        assert calls_of(shop) == 2


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"cache-control": "max-age=0"},
        {"cache-control": "max-age=0", "pragma": "no-cache"},
        {"cache-control": 'private="no-cache"'},
        {"pragma": "x"},
    ],
)
async def test_another_reload_is_answered_from_the_cache(headers):
    """Cache-Control counts before Pragma, and a soft reload wants no more than a validation."""
    async with opened() as shop:
        await read(shop)
        again = await shop.get(PATH, headers)

        assert "hit" in again.headers["cache-status"]
        assert calls_of(shop) == 1


async def test_a_hard_reload_gets_whole_replies():
    """As in a browser, it does not validate what is stored: the service sends it again."""
    product = b'{"id": "7", "title": "Tent 7"}'
    async with opened() as shop:
        tagged = reply(200, product, headers={"etag": '"1"'})
        shop.scripts["catalog"].then(tagged, tagged)
        await read(shop)
        fresh = await shop.get(PATH, RELOAD)
        _, again = shop.scripts["catalog"].calls

    assert fresh.json()["title"] == "Tent 7"
    assert b"if-none-match" not in dict(again.headers)
    assert f'fetched;desc="{len(product) + len("100")}"' in fresh.headers["server-timing"]


async def test_what_services_answered_is_stored():
    """Later requests get the fresh answer and the fresh replies from the caches."""
    async with opened() as shop:
        await read(shop)
        shop.scripts["catalog"].then(reply(200, {"id": "7", "title": "New"}))
        fresh = await shop.get(PATH, RELOAD)
        answer = await shop.get(PATH)
        query = await shop.client.post("/graphql", json={"query": "{title}"})

        assert "stored" in fresh.headers["cache-status"]
        assert "hit" in answer.headers["cache-status"]
        assert answer.json()["title"] == query.json()["data"]["title"] == "New"
        assert calls_of(shop) == 2


async def test_a_stopped_service_is_missing_at_once():
    """No stale reply replaces the failure, and later requests have it again."""
    async with opened() as shop:
        await read(shop)
        shop.scripts["prices"].then(fail(), fail())
        fresh = await shop.get(PATH, RELOAD)
        again = await shop.get(f"{PATH}?x=1")

    assert fresh.json() == {"title": "Tent 7", "price": None}
    assert "price=missing;reason=unavailable" in fresh.headers["part-status"]
    assert again.json()["price"] == 100


async def test_a_critical_service_that_is_stopped_fails_the_screen():
    """As it will once the cached replies are too old."""
    async with opened() as shop:
        await read(shop)
        shop.scripts["catalog"].then(*[fail()] * 5)
        failed = await shop.get(PATH, RELOAD)

    assert failed.status_code == 502


async def test_a_query_by_post_and_one_by_get_are_reloaded():
    """Pages send most queries by POST."""
    async with opened() as shop:
        await read(shop)
        headers = {"content-type": "application/json", **RELOAD}
        await shop.client.post("/graphql", json={"query": "{title}"}, headers=headers)
        await asyncio.sleep(1)
        await shop.get("/graphql?query={title}", RELOAD)

        assert calls_of(shop) == 3


async def test_equal_reads_of_a_reload_are_one_call():
    """Coalescing goes on as usual."""
    async with opened() as shop:
        answer = await shop.get("/v1/twins", RELOAD)

        assert answer.json() == [3, 3]
        assert len(shop.scripts["stock"].calls) == 1


async def test_services_learn_that_the_reply_has_to_be_fresh():
    """They may have caches of their own; a write gets no such header."""
    async with opened() as shop:
        await shop.get(PATH, RELOAD)
        await shop.client.put(PATH, json={}, headers=RELOAD)
        read, write = (dict(one.headers) for one in shop.scripts["catalog"].calls)

    assert read[b"cache-control"] == b"max-age=0"
    assert b"cache-control" not in write


@pytest.mark.parametrize("headers", [RELOAD, {"pragma": "no-cache"}])
async def test_a_client_of_production_can_not_bypass_caches(headers):
    """It could make load: neither the answer nor a reply is fetched for it."""
    async with opened("production") as shop:
        await read(shop)
        again = await shop.get(PATH, headers)
        query = await shop.get("/graphql?query={title}", headers)

        assert "hit" in again.headers["cache-status"]
        assert query.json()["data"]["title"] == "Tent 7"
        assert calls_of(shop) == 1


async def test_a_page_of_another_origin_may_reload():
    """A preflight allows the header."""
    async with opened(cors_origins=["http://localhost:8001"]) as shop:
        preflight = await shop.client.request(
            "OPTIONS",
            PATH,
            headers={
                "origin": "http://localhost:8001",
                "access-control-request-method": "GET",
                "access-control-request-headers": "cache-control",
            },
        )

    assert preflight.status_code == 204
    assert "Cache-Control" in preflight.headers["access-control-allow-headers"]
