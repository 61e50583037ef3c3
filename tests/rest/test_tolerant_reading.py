"""Tolerant reading: if a part of a reply does not fit, the rest is used and marked as partial."""

import asyncio
import json
from collections.abc import Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import Enum
from typing import Annotated

import httpx
import pytest
import strawberry
from fastapi import Depends

from bff_core import (
    ANYONE,
    Cache,
    Composition,
    NotFound,
    Policy,
    Settings,
    Upstream,
    Views,
    access,
    compose,
    critical,
    early,
    gateway,
    loader,
    optional,
)
from bff_core.call import Reply
from bff_core.events import Events, ReplyReduced
from bff_core.graphql import GraphQL, Info
from bff_core.scope import running_part
from bff_core.testing.scripted import Scripted, ScriptedTransport, fail, reply

ORDERS = [{"id": "1"}, {"id": "2", "status": "hunter2"}, {"id": 3}]
FRESH = {"cache-control": "max-age=60"}


class Status(Enum):
    """The statuses that this gateway knows."""

    OPEN = "open"


@dataclass(frozen=True)
class Order:
    """An order as this gateway reads it."""

    id: str
    status: Status = Status.OPEN


class Orders(Upstream):
    """A service that adds statuses without notice."""

    policy = Policy(reading="tolerant", public=True, cache=Cache(), retry=None)

    async def all(self) -> tuple[Order, ...]:
        return await self.get("/orders", tuple[Order, ...])


class Strict(Upstream):
    """The same service, read strictly, as by default."""

    async def all(self) -> list[Order]:
        return await self.get("/orders", list[Order])


class Screen(Composition):
    """Two parts that read tolerantly, and one that reads strictly."""

    orders_service: Orders
    strict_service: Strict

    @critical
    async def orders(self) -> Sequence[Order]:
        return await self.orders_service.all()

    @optional(fallback=())
    async def again(self) -> Sequence[Order]:
        return await self.orders_service.all()

    @optional(fallback=())
    async def strict(self) -> Sequence[Order]:
        return await self.strict_service.all()

    @optional
    async def note(self) -> str | None:
        await self.orders_service.all()
        return None

    @critical
    async def mixed(self) -> int:
        orders = await self.orders_service.all()
        running_part.get().note_reply(Reply(200, source="stale", age=7.0))
        return len(orders)

    @loader(fallback="?")
    async def named(self, keys: tuple[str, ...]) -> dict[str, str | Exception]:
        await self.orders_service.all()
        return {key: NotFound("none") if key == "b" else key for key in keys}

    @critical
    async def count(self) -> int:
        return len(await self.orders())


views = Views(prefix="/v1", access=ANYONE)
Shown = Annotated[Screen, Depends(compose(Screen))]


@views.get("/orders")
async def get_orders(page: Shown) -> list[str]:
    return [one.id for one in await page.orders()]


def count_of(orders: Sequence[Order], _: Screen) -> int:
    """Present a part."""
    return len(orders)


@views.get("/lines", progressive=[early(Screen.orders, count_of)])
async def get_lines(page: Shown) -> list[str]:
    return [one.id for one in await page.orders()]


@views.get("/cached", cache=True)
async def get_cached(page: Shown) -> list[str]:
    return [one.id for one in await page.orders()]


@views.get("/direct", public=True)
async def get_direct(page: Shown) -> list[str]:
    return [one.id for one in await page.orders_service.all()]


@views.get("/both")
async def get_both(page: Shown) -> int:
    first, second = page.orders(), page.again()
    return len(await first) + len(await second)


@views.get("/strict")
async def get_strict(page: Shown) -> list[str]:
    return [one.id for one in await page.strict()]


@views.get("/mixed")
async def get_mixed(page: Shown) -> int:
    return await page.mixed()


@views.get("/named")
async def get_named(page: Shown) -> list[str]:
    return list(await page.named.many(["a", "b"]))


@views.get("/count")
async def get_count(page: Shown) -> int:
    return await page.count()


@access(ANYONE)
@strawberry.type
class Query:
    """What GraphQL clients see."""

    @strawberry.field
    async def orders(self, info: Info) -> list[str]:
        return [one.id for one in await info.context.compose(Screen).orders()]

    @strawberry.field
    async def note(self, info: Info) -> str | None:
        return await info.context.compose(Screen).note()


@asynccontextmanager
async def opened(*steps):
    """Open a gateway with a scripted service; yield its client, the script and the events."""
    script, heard = Scripted(*steps), []
    app = gateway(
        "shop",
        services=[Orders, Strict],
        faces=[views, GraphQL(strawberry.Schema(Query))],
        settings=Settings(
            env="development",
            auth="demo",
            gc_freeze=False,
            upstreams=dict.fromkeys(("orders", "strict"), ("http://127.0.0.1:1",)),
        ),
        events=Events(heard.append),
        transport=lambda _, __: ScriptedTransport({"127.0.0.1": script}),
        clock=asyncio.get_running_loop().time,
    )
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://testserver") as client,
    ):
        yield client, script, heard


async def test_a_reduced_part_is_partial():
    """The rest of the reply is sent, marked as partial, and not stored."""
    async with opened(reply(200, ORDERS)) as (client, _, heard):
        answer = await client.get("/v1/orders")

    assert answer.json() == ["1", "2"]
    assert answer.headers["part-status"] == "orders=partial;reason=bad_payload"
    assert answer.headers["cache-control"] == "no-store"
    (event,) = [one for one in heard if isinstance(one, ReplyReduced)]
    assert (event.upstream, event.operation, event.count) == ("orders", "GET /orders", 2)
    assert event.lost == ("$[1].status: an unknown member", "$[2]: does not fit")


async def test_graphql_reports_it_in_extensions():
    """There is no error, since the field has a value."""
    async with opened(reply(200, ORDERS)) as (client, _, __):
        answer = await client.post("/graphql", json={"query": "{ orders }"})

    body = answer.json()
    assert body["data"] == {"orders": ["1", "2"]}
    assert body["extensions"]["parts"] == {"orders": {"status": "partial", "reason": "bad_payload"}}
    assert "errors" not in body


async def test_a_null_of_a_partial_part_is_no_error():
    """The service sent null; another member was left out."""
    async with opened(reply(200, ORDERS)) as (client, _, __):
        answer = await client.post("/graphql", json={"query": "{ note }"})

    body = answer.json()
    assert body["data"] == {"note": None}
    assert "errors" not in body
    assert body["extensions"]["parts"]["note"]["status"] == "partial"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/mixed", "mixed=partial;reason=bad_payload;age=7"),
        ("/v1/named", "named=missing;reason=not_found"),
    ],
)
async def test_the_worse_of_two_states_is_reported(path, status):
    """Of a stale and a partial reply, and of a failed key in a partial batch."""
    async with opened(reply(200, ORDERS)) as (client, _, __):
        answer = await client.get(path)

    assert answer.headers["part-status"] == status


async def test_a_line_of_a_progressive_answer_has_the_state():
    """The line has a value and the status."""
    async with opened(reply(200, ORDERS)) as (client, _, __):
        answer = await client.get("/v1/lines", headers={"accept": "application/x-ndjson"})

    first, last = map(json.loads, answer.text.splitlines())
    assert first == {"part": "orders", "status": "partial", "reason": "bad_payload", "value": 2}
    assert last["answer"] == ["1", "2"]
    assert last["parts"] == {"orders": {"status": "partial", "reason": "bad_payload"}}


async def test_a_strict_part_refuses_the_whole_reply():
    """By default, nothing of a reply that does not fit is used."""
    async with opened(reply(200, ORDERS)) as (client, _, heard):
        answer = await client.get("/v1/strict")

    assert answer.headers["part-status"] == "strict=fallback;reason=bad_payload"
    assert answer.json() == []
    assert [one for one in heard if isinstance(one, ReplyReduced)] == []


@pytest.mark.parametrize("path", ["/v1/orders", "/v1/cached"])
async def test_a_cached_reply_has_the_same_status(path):
    """The service is called once; each answer is marked as partial, and it is logged once."""
    async with opened(reply(200, ORDERS, headers=FRESH)) as (client, script, heard):
        answers = [await client.get(path) for _ in range(3)]

    assert len(script.calls) == 1
    assert {one.headers["part-status"] for one in answers} == {"orders=partial;reason=bad_payload"}
    assert {one.headers["cache-control"] for one in answers} == {"no-store"}
    assert {one.text for one in answers} == {'["1","2"]'}
    assert len([one for one in heard if isinstance(one, ReplyReduced)]) == 1


@pytest.mark.parametrize(("orders", "stored"), [(ORDERS, False), (ORDERS[:1], True)])
async def test_an_answer_without_parts_is_not_stored(orders, stored):
    """A view that calls a service outside a part can't report that something is left out."""
    async with opened(reply(200, orders, headers=FRESH)) as (client, _, __):
        answers = [await client.get("/v1/direct") for _ in range(2)]

    assert ("hit" in answers[1].headers["cache-status"]) is stored
    assert ("public" in answers[1].headers["cache-control"]) is stored


async def test_coalesced_replies_have_the_same_status():
    """Each answer that used the coalesced call is marked as partial."""
    async with opened(reply(200, ORDERS, after=0.05)) as (client, script, _):
        answers = await asyncio.gather(*[client.get("/v1/orders") for _ in range(5)])

    assert len(script.calls) == 1
    assert {one.headers["part-status"] for one in answers} == {"orders=partial;reason=bad_payload"}


async def test_each_part_that_uses_the_reply_is_partial():
    """Two parts use one reply."""
    async with opened(reply(200, ORDERS)) as (client, _, __):
        answer = await client.get("/v1/both")

    assert answer.headers["part-status"] == (
        "orders=partial;reason=bad_payload, again=partial;reason=bad_payload"
    )


@pytest.mark.virtual_time
async def test_a_stale_reply_is_partial_and_has_its_age():
    """Both are true, and the more severe state is reported."""
    headers = {"cache-control": "max-age=1, stale-if-error=60"}
    async with opened(reply(200, ORDERS, headers=headers), fail()) as (client, _, __):
        await client.get("/v1/orders")
        await asyncio.sleep(5)
        answer = await client.get("/v1/orders")

    assert answer.headers["part-status"] == "orders=partial;reason=bad_payload;age=5"


async def test_a_complete_reply_is_ok_afterwards():
    """An earlier partial reply does not mark later parts."""
    async with opened(reply(200, ORDERS), reply(200, ORDERS[:1])) as (client, _, __):
        states = [(await client.get("/v1/orders")).headers["part-status"] for _ in range(2)]

    assert states == ["orders=partial;reason=bad_payload", "orders=ok"]


async def test_a_part_that_awaits_a_partial_part_is_degraded():
    """Its value depends on the rest of a reply."""
    async with opened(reply(200, ORDERS)) as (client, _, __):
        answer = await client.get("/v1/count")

    assert (
        answer.headers["part-status"]
        == "count=fallback;reason=dependency, orders=partial;reason=bad_payload"
    )
    assert answer.headers["cache-control"] == "no-store"
