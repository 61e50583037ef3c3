"""Replies of a service as clients of the gateway get them: over sockets, in REST and GraphQL."""

from asyncio import gather
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Annotated

import httpx
import pytest
import strawberry
from fastapi import Depends, Header

from bff_core import (
    ANYONE,
    Cache,
    ClientError,
    Composition,
    HttpxTransport,
    InvalidInput,
    Policy,
    Saga,
    Settings,
    TypedReply,
    Upstream,
    Views,
    access,
    as_problem,
    compose,
    critical,
    gateway,
    optional,
    step,
)
from bff_core.events import AnyEvent, BreakerChanged, Events, LocationDropped
from bff_core.graphql import GraphQL, Info
from tests.upstream.service import Service, serving


@dataclass(frozen=True)
class Order:
    """What the service stores."""

    id: str


@dataclass(frozen=True)
class ShopError:
    """The error format of the service."""

    code: str
    message: str


def as_shop_error(error: TypedReply[ShopError]) -> ClientError:
    """Translate an error of the service."""
    return ClientError(error.value.message, status=error.status, code=error.value.code)


def as_invalid_input(error: ShopError) -> InvalidInput:
    """Translate an error of the service to invalid input."""
    faults = [{"pointer": "/quantity", "detail": error.message}]
    return InvalidInput("Please look again.", errors=faults)


class Orders(Upstream):
    """An upstream with every declaration."""

    policy = Policy(retry=None)
    passes_through = Upstream.passes_through | {429}
    fails_with = {400: as_invalid_input, 423: as_shop_error, 409: as_problem}  # noqa: RUF012 # as users write it
    locations = {"/v1/orders/{id}": "/orders/{id}"}  # noqa: RUF012 # the same

    async def order(self, order_id: str) -> Order:
        return await self.get("/v1/orders/{id}", Order, id=order_id)

    async def page(self) -> TypedReply[list[Order]]:
        return await self.get("/v1/orders", TypedReply[list[Order]])

    async def place(self, quantity: int) -> TypedReply[Order | None]:
        body = {"quantity": quantity}
        return await self.post("/v1/orders", TypedReply[Order | None], json=body)


class Stored(Orders):
    """The same, with replies that are cached."""

    policy = Policy(public=True, cache=Cache(), redirects=1)


class Desk(Composition):
    """A composition of all parts."""

    orders: Orders
    stored: Stored
    order_id: str = "7"

    @critical
    async def order(self) -> Order:
        return await self.orders.order(self.order_id)

    @optional
    async def extra(self) -> Order:
        return await self.orders.order(self.order_id)


class Buying(Saga):
    """A saga of one step."""

    orders: Orders
    quantity: int

    @step
    async def place(self) -> str:
        return (await self.orders.place(self.quantity)).location or ""


@dataclass(frozen=True)
class Draft:
    """What a client sends."""

    quantity: int


@dataclass(frozen=True)
class Page:
    """A list with the headers of its reply."""

    orders: list[Order]
    total: int
    link: str


At = Annotated[Desk, Depends(compose(Desk))]


def views() -> Views:
    views = Views(access=ANYONE)

    @views.get("/orders/{order_id}")
    async def get_order(desk: At) -> Order:
        return await desk.order()

    @views.get("/extra/{order_id}")
    async def get_extra(desk: At) -> Order | None:
        return await desk.extra()

    @views.get("/cached/orders/{order_id}", cache=False)
    async def get_cached(desk: At) -> Order:
        return await desk.stored.order(desk.order_id)

    @views.get("/slow/orders/{order_id}")
    async def get_slowly(desk: At, _: Annotated[list[str] | None, Header()] = None) -> Order:
        return await desk.order()

    @views.get("/pages/{kind}", cache=False)
    async def get_page(desk: At, kind: str) -> Page:
        page = await (desk.stored if kind == "stored" else desk.orders).page()
        return Page(page.value, int(page.headers["X-Total-Count"]), page.headers["link"])

    @views.post("/orders", status=201)
    async def post_order(desk: At, draft: Draft) -> Order | None:
        return (await desk.orders.place(draft.quantity)).value

    @views.post("/purchases", status=201)
    async def post_purchase(
        buying: Annotated[Buying, Depends(compose(Buying))],
    ) -> dict[str, str]:
        await buying.run()
        return {"location": await buying.place()}

    return views


@access(ANYONE)
@strawberry.type
class Query:
    """What can be read."""

    @strawberry.field
    async def order(self, info: Info, id: strawberry.ID) -> str:  # noqa: A002 # its name
        return (await info.context.compose(Desk, order_id=id).order()).id


@access(ANYONE)
@strawberry.type
class Mutation:
    """What can be changed."""

    @strawberry.mutation
    async def place(self, info: Info, quantity: int) -> str:
        desk = info.context.compose_anew(Desk, order_id="7")
        return (await desk.orders.place(quantity)).location or ""


@dataclass
class Open:
    """A gateway in front of a service, its client, and its events."""

    service: Service
    client: httpx.AsyncClient
    heard: list[AnyEvent]

    def answers(self, line: str, status: int, *lines: str, body: bytes = b"") -> None:
        """Let the service answer so from now on."""
        self.service.answers[line] = (status, list(lines), body)

    async def graph(self, query: str) -> httpx.Response:
        """Send a GraphQL request."""
        return await self.client.post("/graphql", json={"query": query})


@asynccontextmanager
async def opened(transport: str = "wire", root_path: str = "") -> AsyncIterator[Open]:
    heard: list[AnyEvent] = []
    async with AsyncExitStack() as stack:
        service = await stack.enter_async_context(serving({}))
        options = {}
        if transport == "httpx":
            sender = await stack.enter_async_context(httpx.AsyncClient())
            options["transport"] = lambda policy, _: HttpxTransport(sender, policy.connection)
        app = gateway(
            "shop",
            services=[Orders, Stored],
            faces=[views(), GraphQL(strawberry.Schema(Query, Mutation))],
            sagas=[Buying],
            settings=Settings(
                env="development",
                auth="demo",
                journal_url="sqlite://",
                gc_freeze=False,
                upstreams=dict.fromkeys(("orders", "stored"), (service.url,)),
            ),
            events=Events(heard.append),
            **options,
        )
        await stack.enter_async_context(app.router.lifespan_context(app))
        way = httpx.ASGITransport(app, raise_app_exceptions=False, root_path=root_path)
        client = httpx.AsyncClient(transport=way, base_url="http://testserver")
        yield Open(service, await stack.enter_async_context(client), heard)


both = pytest.mark.parametrize("transport", ["wire", "httpx"])
READ, WRITE = "GET /v1/orders/7", "POST /v1/orders"
JSON = "content-type: application/json"
GUEST_KEY = {"idempotency-key": "8e03978e-40d5-43dd-bc93-6894a57f9324"}


@pytest.mark.mostly_slow
@both
@pytest.mark.parametrize(
    ("status", "shown", "code"),
    [
        *((301, 502, "bad_status"), (401, 502, "bad_status"), (403, 502, "bad_status")),
        *((404, 404, "not_found"), (410, 410, "gone"), (412, 412, "precondition_failed")),
        *((422, 422, "unprocessable_content"), (429, 429, "too_many_requests")),
        *((500, 502, "bad_status"), (503, 503, "bad_status"), (504, 504, "bad_status")),
    ],
)
async def test_statuses_reach_clients_of_both_faces(transport, status, shown, code):
    """In REST, on both paths, and in GraphQL, with the same code."""
    async with opened(transport) as shop:
        shop.answers(READ, status, "location: http://db-7.internal/x", body=b"db-7")
        answers = [await shop.client.get(path) for path in ("/orders/7", "/slow/orders/7")]
        (error,) = (await shop.graph('{ order(id: "7") }')).json()["errors"]

    assert [(one.status_code, one.json()["code"]) for one in answers] == [(shown, code)] * 2
    assert (error["extensions"]["status"], error["extensions"]["code"]) == (shown, code)
    assert not any("db-7" in one.text + str(one.headers) for one in answers)


@pytest.mark.mostly_slow
@both
@pytest.mark.parametrize("wait", ["7", "Sun, 29 Nov 2026 01:00:07 GMT"])
@pytest.mark.parametrize("status", [409, 429, 503])
async def test_retry_after_of_a_service_reaches_clients_of_both_faces(transport, wait, status):
    """In either form it becomes a header in REST, and a member of GraphQL's extensions."""
    lines = (f"retry-after: {wait}", "date: Sun, 29 Nov 2026 01:00:00 GMT")
    async with opened(transport) as shop:
        shop.answers(READ, status, *lines)
        answer = await shop.client.get("/orders/7")
        (error,) = (await shop.graph('{ order(id: "7") }')).json()["errors"]

    assert (answer.status_code, answer.headers["retry-after"]) == (status, "7")
    assert error["extensions"]["retry_after"] == 7


@both
async def test_error_format_of_a_service_is_translated(transport):
    """Errors, codes and texts of the service are translated by functions, in both faces."""
    body = b'{"code": "locked_by_staff", "message": "must be positive"}'
    async with opened(transport) as shop:
        shop.answers(WRITE, 400, JSON, body=body)
        shop.answers(READ, 400, JSON, body=body)
        invalid = await shop.client.post("/orders", json={"quantity": 0})
        graphs = [
            await shop.graph(query)
            for query in ("mutation { place(quantity: 0) }", '{ order(id: "7") }')
        ]
        shop.answers(WRITE, 423, JSON, body=body)
        locked = await shop.client.post("/orders", json={"quantity": 0})

    faults = [{"pointer": "/quantity", "detail": "must be positive"}]
    assert (invalid.status_code, invalid.json()["errors"]) == (422, faults)
    for graph in graphs:
        (error,) = graph.json()["errors"]
        assert (error["message"], error["extensions"]["errors"]) == ("Please look again.", faults)
    assert (locked.status_code, locked.json()["code"]) == (423, "locked_by_staff")
    assert locked.json()["type"] == "/problems/locked_by_staff"


async def test_problem_of_a_service_is_passed_on_with_its_members():
    """`as_problem` passes on detail, code and errors, and nothing else."""
    body = (
        b'{"type": "http://orders.internal/sold", "detail": "None left.", "code": "sold_out",'
        b' "errors": [{"pointer": "/sku"}], "host": "db-7"}'
    )
    async with opened() as shop:
        shop.answers(READ, 409, "content-type: application/problem+json", body=body)
        problem = (await shop.client.get("/orders/7")).json()

    assert (problem["detail"], problem["code"]) == ("None left.", "sold_out")
    assert problem["errors"] == [{"pointer": "/sku"}]
    assert problem["type"] == "/problems/sold_out"
    assert "internal" not in str(problem)
    assert "db-7" not in str(problem)


async def test_refusals_of_clients_open_no_circuit():
    """After a hundred translated refusals the circuit is closed, and the next call is made."""
    async with opened() as shop:
        shop.answers(READ, 423, JSON, body=b'{"code": "locked", "message": "No."}')
        statuses = {(await shop.client.get("/orders/7")).status_code for _ in range(100)}
        shop.answers(READ, 200, JSON, body=b'{"id": "7"}')
        last = await shop.client.get("/orders/7")

    assert (statuses, last.status_code) == ({423}, 200)
    assert [event for event in shop.heard if isinstance(event, BreakerChanged)] == []


@pytest.mark.parametrize("path", ["/cached/orders/7", "/orders/7"])
async def test_shared_failure_is_translated_for_each_caller(path):
    """Whether it comes from the cache, or from one coalesced call."""
    async with opened() as shop:
        lines = (JSON, "cache-control: max-age=60")
        shop.answers(READ, 423, *lines, body=b'{"code": "locked_by_staff", "message": "No."}')
        answers = await gather(*(shop.client.get(path) for _ in range(5)))
        calls = len(shop.service.lines)

    assert {(one.status_code, one.json()["code"]) for one in answers} == {(423, "locked_by_staff")}
    assert calls == 1


async def test_cached_failure_is_translated_again():
    """The service is called once; the second answer comes from the stored reply."""
    async with opened() as shop:
        lines = (JSON, "cache-control: max-age=60")
        shop.answers(READ, 423, *lines, body=b'{"code": "locked_by_staff", "message": "No."}')
        answers = [await shop.client.get("/cached/orders/7") for _ in range(2)]

    assert [one.json()["code"] for one in answers] == ["locked_by_staff"] * 2
    assert shop.service.lines == [READ]


async def test_optional_part_reports_the_error_of_its_service():
    """The screen is answered without the part; its status has the translated code."""
    async with opened() as shop:
        shop.answers(READ, 423, JSON, body=b'{"code": "locked_by_staff", "message": "No."}')
        answer = await shop.client.get("/extra/7")

    assert answer.status_code == 200
    assert "missing;reason=locked_by_staff" in answer.headers["part-status"].replace(" ", "")


async def test_refusal_of_a_keyed_write_is_replayed():
    """The translated refusal is the final answer: the service is not called a second time."""
    async with opened() as shop:
        shop.answers(WRITE, 400, JSON, body=b'{"code": "x", "message": "must be positive"}')
        options = {"json": {"quantity": 0}, "headers": GUEST_KEY}
        answers = [await shop.client.post("/orders", **options) for _ in range(2)]

    assert [one.status_code for one in answers] == [422, 422]
    assert answers[0].json()["errors"] == answers[1].json()["errors"]
    assert answers[1].headers["idempotency-replayed"] == "true"
    assert shop.service.lines == [WRITE]


async def test_saga_takes_a_translated_refusal_as_final():
    """The refused step has failed, is not sent again, and reports all members of the error."""
    async with opened() as shop:
        shop.answers(WRITE, 400, JSON, body=b'{"code": "x", "message": "must be positive"}')
        answer = await shop.client.post("/purchases?quantity=0", headers=GUEST_KEY)

    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (422, "invalid_input")
    assert problem["steps"] == [{"step": "place", "state": "failed"}]
    assert problem["errors"] == [{"pointer": "/quantity", "detail": "must be positive"}]
    assert shop.service.lines == [WRITE]


PAGE = (
    *(JSON, "x-total-count: 7", "link: </v1/orders?page=2>; rel=next"),
    *("link: </v1/orders?page=9>; rel=last", "cache-control: max-age=60"),
)
LINK = "</v1/orders?page=2>; rel=next, </v1/orders?page=9>; rel=last"


@both
async def test_headers_of_a_reply_come_with_the_typed_value(transport):
    """A cached reply has the headers that it was stored with."""
    async with opened(transport) as shop:
        shop.answers("GET /v1/orders", 200, *PAGE, body=b'[{"id": "7"}]')
        pages = [(await shop.client.get(f"/pages/{kind}")).json() for kind in ("live", "stored")]
        shop.answers("GET /v1/orders", 500)
        again = (await shop.client.get("/pages/stored")).json()

    assert [*pages, again] == [{"orders": [{"id": "7"}], "total": 7, "link": LINK}] * 3


@pytest.mark.mostly_slow
@both
@pytest.mark.parametrize("status", [201, 202, 303])
@pytest.mark.parametrize(
    "location", ["/v1/orders/7", "orders/7", "http://127.0.0.1:{port}/v1/orders/7"]
)
async def test_location_of_a_write_reaches_its_client_rewritten(transport, status, location):
    """In any form; the address of the service is not sent."""
    async with opened(transport) as shop:
        shop.answers(WRITE, status, f"location: {location}")
        answer = await shop.client.post("/orders", json={"quantity": 1})
        graph = (await shop.graph("mutation { place(quantity: 1) }")).json()

    assert (answer.status_code, answer.headers["location"]) == (201, "/orders/7")
    assert graph["data"] == {"place": "/orders/7"}


async def test_location_is_below_the_root_path_of_the_gateway():
    """Behind a proxy that forwards a path, links in answers have that path."""
    async with opened(root_path="/shop") as shop:
        shop.answers(WRITE, 201, "location: /v1/orders/7", "content-location: /v1/orders/7")
        answer = await shop.client.post("/shop/orders", json={"quantity": 1})

    assert answer.headers["location"] == "/shop/orders/7"
    assert answer.headers["content-location"] == "/shop/orders/7"


async def test_location_is_replayed_with_the_answer():
    """The same key gets the same answer, with its `Location`."""
    async with opened() as shop:
        shop.answers(WRITE, 201, JSON, "location: /v1/orders/7", body=b'{"id": "7"}')
        options = {"json": {"quantity": 1}, "headers": GUEST_KEY}
        answers = [await shop.client.post("/orders", **options) for _ in range(2)]

    assert [one.headers["location"] for one in answers] == ["/orders/7"] * 2
    assert answers[1].headers["idempotency-replayed"] == "true"


@pytest.mark.parametrize("location", ["http://db-7.internal/v1/orders/7", "/admin/7", "//x/y"])
async def test_unknown_location_is_logged_and_not_sent(location):
    """A service can't redirect clients elsewhere, nor reveal its hosts."""
    async with opened() as shop:
        shop.answers(WRITE, 201, JSON, f"location: {location}", body=b'{"id": "7"}')
        answer = await shop.client.post("/orders", json={"quantity": 1})

    assert (answer.status_code, "location" in answer.headers) == (201, False)
    dropped = [event for event in shop.heard if isinstance(event, LocationDropped)]
    assert [event.location for event in dropped] == [location]


@both
async def test_redirect_is_followed_if_the_policy_says_so(transport):
    """Within the origin; the client gets the final answer."""
    async with opened(transport) as shop:
        shop.answers("GET /v1/orders", 308, "location: /v1/orders/")
        shop.answers("GET /v1/orders/", 200, *PAGE, body=b'[{"id": "7"}]')
        followed = await shop.client.get("/pages/stored")
        refused = await shop.client.get("/pages/live")

    assert (followed.status_code, followed.json()["total"]) == (200, 7)
    assert (refused.status_code, refused.json()["code"]) == (502, "bad_status")
