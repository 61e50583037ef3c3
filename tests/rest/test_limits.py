"""Rate limits of views by cost: a request costs as many units as it makes calls."""

import pytest
from shop import open_shop

from bff_core import Limit
from bff_core.testing.scripted import fail, reply

pytestmark = pytest.mark.virtual_time

CALLS = Limit(quota=10, per=3600, cost="calls")


async def left(client, path="/v1/products/7"):
    """Return the remaining quota at the start of a request."""
    standing = (await client.get(path)).headers["ratelimit"]
    return int(standing.split(";")[1].removeprefix("r="))


async def test_a_screen_is_charged_with_its_calls():
    """A page of two services costs two, a title one, and a refused request nothing."""
    async with open_shop(limits=[CALLS]) as shop:
        remaining = [await left(shop.client), await left(shop.client, "/v1/products/7/title")]
        remaining += [await left(shop.client) for _ in range(5)]
        calls = sum(len(script.calls) for script in shop.scripts.values())

    assert remaining == [10, 8, 7, 5, 3, 1, 0]
    assert calls == 11


@pytest.mark.slow
async def test_retries_are_not_charged():
    """Calls are counted, not their attempts."""
    async with open_shop(limits=[CALLS]) as shop:
        shop.scripts["catalog"].then(fail(), reply(200, {"id": "7", "title": "A green tent"}))
        remaining = [await left(shop.client), await left(shop.client)]
        attempts = len(shop.scripts["catalog"].calls)

    assert remaining == [10, 8]
    assert attempts == 3


async def test_a_request_that_times_out_is_charged():
    """Its calls before the deadline count."""
    async with open_shop(limits=[CALLS]) as shop:
        shop.scripts["catalog"].then(reply(200, {"id": "7", "title": "A tent"}, after=5))
        late = await shop.client.get("/v1/products/7", headers={"Request-Timeout": "0.2"})
        after = await left(shop.client)

    assert late.status_code == 504
    assert after == 8
