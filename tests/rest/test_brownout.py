"""Brownout in REST: under overload a view answers without its optional parts, and reports them."""

import asyncio
from contextlib import asynccontextmanager

import pytest
from fastapi import Response

from bff_core import ANYONE, Reply, Settings, Views, gateway
from bff_core.edge.options import EdgeOptions
from bff_core.events import PartEnded
from bff_core.routing.route_table import RouteTable
from bff_core.testing.scripted import reply

TENT = {"id": "7", "title": "A green tent"}


@asynccontextmanager
async def pressed(open_shop, **bounds):
    """Hold a request in a gateway with a limit of two, so that the next ones meet an overload."""
    arrived, gate = asyncio.Event(), asyncio.Event()

    async def waiting(_) -> Reply:
        arrived.set()
        await gate.wait()
        return Reply(200, ((b"content-type", b"application/json"),), b'{"id": "7", "title": "x"}')

    async with open_shop(options=EdgeOptions(max_concurrent=2, max_lag=0, **bounds)) as shop:
        shop.scripts["catalog"].then(waiting, reply(200, TENT))
        first = asyncio.create_task(shop.client.get("/v1/products/1"))
        await arrived.wait()
        yield shop
        gate.set()
        assert (await first).headers["part-status"] == "product=ok, reviews=ok"


async def test_a_view_under_overload_sheds_its_optional_parts(shop):
    """The answer is a 200 with the fallback, without a call, and `no-store`."""
    async with pressed(shop) as open_shop:
        answer = await open_shop.client.get("/v1/products/8?_meta=parts")

        assert (answer.status_code, answer.json()["title"]) == (200, "A green tent")
        assert answer.json()["reviews"] == []
        assert answer.headers["part-status"] == "product=ok, reviews=missing;reason=shed"
        assert answer.headers["cache-control"] == "no-store"
        answered = answer.json()["_meta"]["parts"]["reviews"]
        assert answered == {"status": "missing", "reason": "shed"}
    assert len(open_shop.scripts["reviews"].calls) == 1  # the first request's


async def test_a_gateway_without_brownout_sheds_no_parts(shop):
    """Requests that it admits get complete answers."""
    async with pressed(shop, brownout=False) as open_shop:
        answer = await open_shop.client.get("/v1/products/8")

        assert answer.headers["part-status"] == "product=ok, reviews=ok"


async def test_shed_parts_emit_no_events(shop):
    """They are counted; a log line for each part would add to the load."""
    async with pressed(shop) as open_shop:
        await open_shop.client.get("/v1/products/8")

        assert [event for event in open_shop.heard if isinstance(event, PartEnded)] == []
        assert open_shop.app.shedding.pressure.dimmed == 1


def test_views_have_their_declared_criticality():
    """On both paths, and for streams; FastAPI does not get the option."""
    views = Views(prefix="/v1", access=ANYONE)

    @views.get("/plain", criticality="sheddable")
    async def plain() -> int:
        return 1

    @views.post("/written/{number}", criticality="critical_plus", status=201)
    async def written(number: int, body: dict[str, int]) -> Response:
        return Response(f"{number} {body}")

    @views.stream("/lines", criticality="sheddable_plus")
    async def lines():
        yield 1

    app = gateway("ranked", faces=[views], settings=Settings(env="development", gc_freeze=False))
    app.shedding.set_routes(
        RouteTable.of(app.routes, app.fast_path.compiled)
    )  # as the gateway does before its first request
    rank = app.shedding.criticality.of_path

    assert rank("GET", "/v1/plain", {}) == "sheddable"
    assert rank("POST", "/v1/written/7", {}) == "critical_plus"
    assert rank("GET", "/v1/lines", {}) == "sheddable_plus"
    assert rank("GET", "/v1/written/7", {}) == "critical"


@pytest.mark.parametrize("word", ["urgent", None])
def test_an_unknown_criticality_is_refused(word):
    """The decorator raises, and the error lists the values."""
    with pytest.raises(Exception, match="use sheddable, sheddable_plus, critical, critical_plus"):
        Views().get("/x", criticality=word)
