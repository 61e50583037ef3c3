"""A 5xx logs one line with its cause; a bug logs one traceback."""

import asyncio
from typing import Annotated

import pytest
import strawberry
from fastapi import Depends

from bff_core import (
    Composition,
    Saga,
    SagaPolicy,
    Settings,
    Upstream,
    Views,
    compose,
    critical,
    gateway,
    step,
)
from bff_core.graphql import GraphQL, Info
from bff_core.testing import running
from bff_core.testing.scripted import Scripted, ScriptedTransport, reply
from tests.observe.failing_gateway import Dead, Screen, failing_gateway, logged, nowhere, settings

SERVICE = "TransportFailed: dead: GET /stock/{sku}: can't connect to 127.0.0.1:"

# Path, status, the event of the line, its route, and how its error begins.
FAILURES = [
    ("/v1/service/7", 502, "request.answered", "/v1/service/{sku}", SERVICE),
    ("/v1/part", 500, "exception.unhandled", "/v1/part", "KeyError: 'boom in a part'"),
    ("/v1/view", 500, "exception.unhandled", "/v1/view", "ValueError: boom in a view"),
    (
        "/v1/translated",
        503,
        "request.answered",
        "/v1/translated",
        "HTTPException: 503: try later, caused",
    ),
    (
        "/v1/returned",
        500,
        "request.answered",
        "/v1/returned",
        "no exception: the route or a middleware",
    ),
    (
        "/v1/dependency",
        500,
        "exception.unhandled",
        "/v1/dependency",
        "ValueError: boom in an async dep",
    ),
    (
        "/v1/sync-dependency",
        500,
        "exception.unhandled",
        "/v1/sync-dependency",
        "ValueError: boom in a sync",
    ),
    (
        "/v1/exit-dependency",
        200,
        "exception.unhandled",
        "/v1/exit-dependency",
        "ValueError: boom behind a yi",
    ),
    (
        "/v1/background",
        200,
        "exception.unhandled",
        "/v1/background",
        "ValueError: boom in the background",
    ),
    (
        "/v1/stream/bug",
        200,
        "exception.unhandled",
        "/v1/stream/bug",
        "ValueError: boom amid a stream",
    ),
    ("/v1/stream/first", 502, "request.answered", "/v1/stream/first", SERVICE),
    ("/v1/stream/service", 200, "exception.unhandled", "/v1/stream/service", SERVICE),
    ("/mine", 503, "request.answered", "/mine", "Mine: my own words"),
    ("/sync", 500, "exception.unhandled", "/sync", "RuntimeError: boom in a thread"),
    ("/plain/7", 503, "request.answered", "/plain/{number}", "HTTPException: 503: plainly not"),
]


def place(line):
    """Return the route that a line names."""
    return line["route"] if line["event"] == "request.answered" else line["where"]


@pytest.mark.mostly_slow
@pytest.mark.parametrize("failure", FAILURES, ids=lambda one: one[0])
@pytest.mark.parametrize("with_middleware", [False, True], ids=["fast", "slow"])
async def test_a_failed_request_logs_one_line_with_its_cause(failure, with_middleware):
    """Type and message, call, route, path, status and ids: in one line, and in no other."""
    path, status, event, route, error = failure
    with logged() as (log, events):
        async with running(
            failing_gateway(events=events, with_middleware=with_middleware)
        ) as client:
            answer = await client.get(path)

    (line,) = log.errors
    assert (line["event"], place(line), line["path"]) == (event, route, path)
    assert line["status"] == answer.status_code == status
    assert line["error"].startswith(error)
    assert line["request_id"] == answer.headers["x-request-id"]
    assert len(line["trace_id"]) == 32
    assert log.text.count("Traceback (most recent call last)") == (
        event == "exception.unhandled" and error != SERVICE
    )
    if error == SERVICE:
        assert (line["upstream"], line["operation"]) == ("dead", "GET /stock/{sku}")
    (answered,) = log.of("request.answered")
    assert answered["status"] == status


@pytest.mark.parametrize(
    ("path", "status", "event", "error"),
    [
        ("/middleware/bug", 500, "exception.unhandled", "ValueError: boom in a middleware"),
        (
            "/middleware/503",
            503,
            "request.answered",
            "no exception: the route or a middleware returned",
        ),
    ],
)
async def test_a_middleware_that_fails_leaves_one_line(path, status, event, error):
    """It runs before the routes, so the line has the path alone."""
    with logged() as (log, events):
        async with running(failing_gateway(events=events, with_middleware=True)) as client:
            await client.get(path)

    (line,) = log.errors
    assert (line["event"], line["path"], line["status"]) == (event, path, status)
    assert line["error"].startswith(error)


async def test_a_bug_in_a_shared_part_logs_one_traceback():
    """Two optional parts wait for the failing one: each is logged, the first with the traceback."""
    with logged() as (log, events):
        async with running(failing_gateway(events=events)) as client:
            await client.get("/v1/optional")

    assert [line["part"] for line in log.of("part.ended")] == ["extra", "more"]
    assert log.text.count("Traceback (most recent call last)") == 1
    assert all(line["error"].startswith("KeyError: 'boom in a part'") for line in log.errors)


async def test_the_same_bug_has_a_traceback_in_each_request():
    """Not only once in the life of a process."""
    with logged() as (log, events):
        async with running(failing_gateway(events=events)) as client:
            await client.get("/v1/view")
            await client.get("/v1/view")

    assert log.text.count("Traceback (most recent call last)") == 2


class Order(Saga):
    """A write whose only step can't reach its service."""

    dead: Dead
    policy = SagaPolicy(tries=1, backoff=0.01)

    @step
    async def reserve(self) -> dict[str, int]:
        """Fail with the service."""
        return await self.dead.stock()


async def test_a_step_of_a_saga_leaves_one_line():
    """The saga, its steps and the call that failed."""
    orders = Views()

    @orders.post("/orders")
    async def order(saga: Annotated[Order, Depends(compose(Order))]) -> dict[str, int]:
        await saga.run()
        return await saga.reserve()

    values = settings(journal_url="sqlite://")
    with logged() as (log, events):
        app = failing_gateway(orders, events=events, sagas=[Order], settings=values)
        async with running(app) as client:
            answer = await client.post("/orders")

    (line,) = log.errors
    assert answer.status_code == line["status"] == 502
    assert (line["event"], line["route"]) == ("request.answered", "/orders")
    assert line["error"].startswith("SagaFailed: saga Order failed: unavailable (reserve failed)")
    assert f", caused by {SERVICE}" in line["error"]
    ids = {one.get("request_id") for one in log.lines}
    assert ids == {line["request_id"]}


@strawberry.type
class Query:
    """Resolvers that fail."""

    @strawberry.field
    async def stock(self, info: Info) -> int:
        """Fail with the service."""
        return len(await info.context.compose(Screen).stock())

    @strawberry.field
    async def bug(self) -> int:
        """Fail by itself."""
        raise ValueError("boom in a resolver")


@pytest.mark.parametrize(
    ("field", "event", "error"),
    [
        ("stock", "request.answered", SERVICE),
        ("bug", "exception.unhandled", "ValueError: boom in a resolver"),
    ],
)
async def test_a_resolver_that_fails_leaves_one_line(field, event, error):
    """GraphQL answers 200 and hides the failure in its errors; the log does not."""
    face = GraphQL(strawberry.Schema(Query))
    with logged() as (log, events):
        async with running(failing_gateway(face, events=events)) as client:
            await client.post("/graphql", json={"query": f"{{ {field} }}"})

    (line,) = log.errors
    assert (line["event"], line["path"] if event == "exception.unhandled" else "/graphql") == (
        event,
        "/graphql",
    )
    assert line["error"].startswith(error)
    assert line["level"] == ("error" if event == "exception.unhandled" else "warning")


async def test_a_request_that_runs_out_of_time_leaves_one_line():
    """The edge itself ends it, so the line names no service."""
    slow = Views()

    @slow.get("/slow")
    async def wait() -> int:
        await asyncio.Event().wait()
        return 1

    with logged() as (log, events):
        app = failing_gateway(slow, events=events, settings=settings(timeout=0.05))
        async with running(app) as client:
            answer = await client.get("/slow")

    (line,) = log.errors
    assert answer.status_code == line["status"] == 504
    assert (line["event"], line["route"]) == ("request.answered", "/slow")
    assert line["error"] == "RequestTimedOut: no answer within 0.05 s"


async def test_a_store_that_is_down_leaves_one_line():
    """Keyed requests are refused while their store is unavailable; the line names the store."""
    writes = Views()

    @writes.post("/orders")
    async def order() -> int:
        return 1

    url = f"redis://{nowhere().removeprefix('http://')}/0"
    with logged() as (log, events):
        app = failing_gateway(writes, events=events, settings=settings(idempotency_url=url))
        async with running(app) as client:
            key = {"idempotency-key": "a-key-that-is-hard-to-guess"}
            answer = await client.post("/orders", headers=key)

    (line,) = log.errors
    assert answer.status_code == line["status"] == 503
    assert (line["event"], line["route"]) == ("request.answered", "/orders")
    assert line["error"].startswith("StoreUnavailable: redis://")
    assert {one.get("request_id") for one in log.lines} == {line["request_id"]}


@pytest.mark.parametrize("within_part", [False, True])
async def test_a_refusal_of_a_service_differs_from_one_of_the_gateway(within_part):
    """A service's 404 names the call; one for a wrong path names none."""

    class Stock(Upstream):
        async def of(self, sku: str) -> int:
            return await self.get("/stock/{sku}", int, sku=sku)

    class Shelf(Composition):
        stock: Stock
        sku: str

        @critical
        async def level(self) -> int:
            return await self.stock.of(self.sku)

    shelves = Views()

    async def get_level(shelf):
        return await (shelf.level() if within_part else shelf.stock.of(shelf.sku))

    get_level.__annotations__ = {"shelf": Annotated[Shelf, Depends(compose(Shelf))], "return": int}
    shelves.get("/levels/{sku}")(get_level)
    with logged() as (log, events):
        app = gateway(
            "lab",
            services=[Stock],
            faces=[shelves],
            events=events,
            settings=Settings(env="development", upstreams={"stock": ("http://10.0.0.1",)}),
            transport=lambda policy, runtime: ScriptedTransport({"10.0.0.1": Scripted(reply(404))}),
        )
        async with running(app) as client:
            await client.get("/levels/7")
            await client.get("/nowhere")

    service, router = (line for line in log.lines if line["event"] == "request.answered")
    assert service["error"].startswith("BadStatus: stock: GET /stock/{sku}: answered 404")
    assert (service["upstream"], service["operation"]) == ("stock", "GET /stock/{sku}")
    assert service["level"] == "warning"
    assert (router["status"], "error" in router) == (404, False)
