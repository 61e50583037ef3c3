"""What `Server-Timing` reports of a whole gateway: calls, fetched bytes, and how parts ended."""

import asyncio
from typing import Annotated

import pytest
import strawberry
from fastapi import Depends

from bff_core import ANYONE, Views, access, compose, gather
from bff_core.graphql import GraphQL, Info
from bff_core.testing.scripted import fail, hang, reply
from tests.shop_with_view_cache import Page, open_shop

pytestmark = pytest.mark.virtual_time

PRODUCT = b'{"id": "7", "title": "Tent 7"}'

DEVELOPMENT = {"settings": {"env": "development"}}


def rest() -> Views:
    """Return views over the page."""
    views = Views(prefix="/v1", access=ANYONE)

    @views.get("/products/{product_id}")
    async def get_product(
        page: Annotated[Page, Depends(compose(Page))],
    ) -> dict[str, str | int | None]:
        title, price, count = await gather(page.product(), page.price(), page.count())
        return {"title": title, "price": price, "count": count}

    return views


@access(ANYONE)
@strawberry.type
class Query:
    """What can be read."""

    @strawberry.field
    async def title(self, info: Info) -> str:
        return await info.context.compose(Page).product()

    @strawberry.field
    async def price(self, info: Info) -> int | None:
        return await info.context.compose(Page).price()


def graphql() -> GraphQL:
    """Return a face over the page, whose answers may be shared."""
    return GraphQL(strawberry.Schema(Query), public=["title", "price"])


def timings(answer) -> dict[str, str]:
    """Return the members of the header, each with its parameters but `dur`."""
    members = (one.partition(";") for one in answer.headers["server-timing"].split(", "))
    found = {
        name: [one for one in rest.split(";") if "dur=" not in one] for name, _, rest in members
    }
    return {name: "".join(rest) for name, rest in found.items()}


async def test_a_screen_reports_its_calls_and_bytes():
    """Bytes are those of the services' bodies, not of the answer."""
    async with open_shop([rest()], **DEVELOPMENT) as shop:
        shop.scripts["catalog"].then(reply(200, PRODUCT))
        shop.scripts["prices"].then(reply(200, b"100"))
        shop.scripts["stock"].then(reply(200, b"3"))
        answer = await shop.get("/v1/products/7")

    assert timings(answer) == {
        "product": "",
        "price": "",
        "count": "",
        "calls": 'desc="3"',
        "fetched": f'desc="{len(PRODUCT) + 4}"',
        "total": "",
    }


async def test_cached_replies_fetch_nothing():
    """They are calls of the screen, which a cache answers; a cached answer makes none."""
    async with open_shop([rest()], **DEVELOPMENT) as shop:
        await shop.get("/v1/products/7")
        shop.scripts["stock"].then(reply(200, b"3"))
        again = await shop.get("/v1/products/7")
    async with open_shop([graphql()], **DEVELOPMENT) as shop:
        await shop.get("/graphql?query={title}")
        cached = await shop.get("/graphql?query={title}")

    assert (timings(again)["calls"], timings(again)["fetched"]) == ('desc="3"', 'desc="1"')
    assert "hit" in cached.headers["cache-status"]
    assert timings(cached) == {"calls": 'desc="0"', "fetched": 'desc="0"', "total": ""}


async def test_a_validated_reply_fetches_nothing():
    """A 304 has no body: the stored one is used again."""
    async with open_shop([rest()], **DEVELOPMENT) as shop:
        tagged = {"etag": '"1"', "content-type": "application/json"}
        catalog = shop.scripts["catalog"]
        catalog.then(reply(200, PRODUCT, headers=tagged), reply(304, b"", headers={"etag": '"1"'}))
        shop.scripts["stock"].then(reply(200, b"3"), reply(200, b"3"))
        await shop.get("/v1/products/7")
        await asyncio.sleep(61)
        answer = await shop.get("/v1/products/7")

    assert b"if-none-match" in dict(catalog.calls[1].headers)
    assert timings(answer)["fetched"] == f'desc="{len("100") + 1}"'


async def test_each_attempt_counts():
    """A service that fails sends bytes as well."""
    async with open_shop([rest()], **DEVELOPMENT) as shop:
        shop.scripts["stock"].then(reply(503, b"later"), reply(200, b"3"))
        shop.scripts["catalog"].then(reply(200, PRODUCT))
        shop.scripts["prices"].then(reply(200, b"100"))
        answer = await shop.get("/v1/products/7")

    assert timings(answer)["calls"] == 'desc="3"'
    assert timings(answer)["fetched"] == f'desc="{len(b"later") + 1 + len(PRODUCT) + 3}"'


async def test_parts_that_are_not_ok_say_why():
    """With their state and reason, on REST and on GraphQL."""
    async with open_shop([rest()], **DEVELOPMENT) as shop:
        shop.scripts["prices"].then(fail())
        shop.scripts["stock"].then(hang())
        screen = timings(await shop.get("/v1/products/7"))
    async with open_shop([graphql()], **DEVELOPMENT) as shop:
        shop.scripts["prices"].then(fail())
        query = timings(await shop.get("/graphql?query={title,price}"))

    assert (screen["price"], screen["count"]) == (
        'desc="missing: unavailable"',
        'desc="missing: timeout"',
    )
    assert (query["product"], query["price"]) == ("", 'desc="missing: unavailable"')
    assert query["calls"] == 'desc="2"'


async def test_a_stale_part_says_so():
    """A reply that replaces a failure is stale, and fetched nothing."""
    async with open_shop([graphql()], **DEVELOPMENT) as shop:
        await shop.get("/graphql?query={price}")
        shop.scripts["prices"].then(fail())
        await asyncio.sleep(10)
        answer = timings(await shop.get("/graphql?query={price}"))

    assert (answer["price"], answer["fetched"]) == ('desc="stale"', 'desc="0"')


async def test_a_failed_answer_has_its_costs():
    """A critical part failed, and other calls were made for nothing."""
    async with open_shop([rest()], **DEVELOPMENT) as shop:
        shop.scripts["catalog"].then(fail())
        answer = await shop.get("/v1/products/7")

    assert answer.status_code == 502
    assert timings(answer)["calls"] == 'desc="3"'


async def test_production_reports_and_counts_nothing():
    """Neither the header nor a counter."""
    async with open_shop([rest()]) as shop:
        answer = await shop.get("/v1/products/7")

    assert "server-timing" not in answer.headers
    assert shop.scripts["catalog"].calls[0].traffic is None
