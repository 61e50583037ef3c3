"""Faults on demand: a mock fails by its control route `/__faults__`."""

import asyncio

import httpx
import pytest
from fastapi import FastAPI

from bff_core.contracts.openapi import parse
from bff_core.mocks import MockFaults, MockGraphQL, MockService
from bff_core.mocks.faults import GARBAGE
from tests.mocks.contract import document


def mock() -> MockService:
    """Return a mock of pets."""
    return MockService(parse(document()))


def calling(app) -> httpx.AsyncClient:
    """Return a client of a mock."""
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://mock")


async def put(client: httpx.AsyncClient, *faults: dict) -> httpx.Response:
    """Replace the faults."""
    return await client.put("/__faults__", json={"faults": faults})


@pytest.mark.parametrize(
    ("fault", "status", "body"),
    [
        ({"kind": "error"}, 500, b"a fault was requested"),
        ({"kind": "error", "status": 418}, 418, b"a fault was requested"),
        ({"kind": "unavailable", "retry_after": 7}, 503, b"a fault was requested"),
        *(
            ({"kind": "garbage", "flavour": flavour}, 200, text)
            for flavour, text in GARBAGE.items()
        ),
    ],
)
async def test_a_fault_replaces_the_answer(fault, status, body):
    """Until an empty list, or a DELETE, ends it."""
    async with calling(mock()) as client:
        usual = await client.get("/pets")
        await put(client, fault)
        met = await client.get("/pets")
        reported = (await client.get("/__faults__")).json()["faults"]
        await client.delete("/__faults__")
        after = await client.get("/pets")

    assert (met.status_code, body in met.content) == (status, True)
    assert (reported[0]["kind"], reported[0]["hits"]) == (fault["kind"], 1)
    assert usual.status_code == 200
    assert after.content == usual.content


async def test_latency_delays_and_then_answers_as_usual():
    """It is cut at `at_most`, whatever its distribution draws."""
    slow = {"name": "lognormal", "median": 3600, "sigma": 0}
    async with calling(mock()) as client:
        usual = await client.get("/pets")
        await put(client, {"kind": "latency", "distribution": slow, "at_most": 0.05})
        started = asyncio.get_running_loop().time()
        late = await client.get("/pets")
        took = asyncio.get_running_loop().time() - started

    assert late.content == usual.content
    assert 0.05 <= took < 5.0


async def test_a_mock_that_hangs_answers_nothing():
    """The client gives up."""
    app = mock()
    async with calling(app) as client:
        await put(client, {"kind": "hang"})
    gone = asyncio.Event()

    async def receive():
        await gone.wait()
        return {"type": "http.disconnect"}

    sent = []

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": "/pets", "headers": [], "query_string": b""}
    call = asyncio.create_task(app(scope, receive, send))
    await asyncio.sleep(0)
    is_waiting = not call.done()
    gone.set()
    await call

    assert (is_waiting, sent) == (True, [])


async def test_a_share_of_the_calls_is_hit():
    """Others are answered as usual."""
    async with calling(mock()) as client:
        await put(client, {"kind": "error", "rate": 0.5})
        statuses = [(await client.get("/pets")).status_code for _ in range(40)]

    assert 8 < statuses.count(500) < 32
    assert set(statuses) == {200, 500}


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "drip"},
        {"kind": "error", "status": 200},
        {"kind": "error", "rate": 1e-9},
        {"kind": "error", "rate": 1.5},
        {"kind": "error", "rates": 1},
        {"kind": "error", "route": "GET /pets"},
        {"kind": "hang", "seconds": 1},
        {"kind": "latency"},
        {"kind": "latency", "distribution": {"name": "constant", "seconds": 1e-9}},
        {"kind": "latency", "distribution": {"name": "constant", "seconds": 1e9}},
        {"kind": "latency", "distribution": {"name": "lognormal", "median": 1, "sigma": 9}},
        {"kind": "garbage", "flavour": "x"},
    ],
)
async def test_what_is_no_fault_changes_nothing(fault):
    """The problem says what is wrong, and the faults before it stay."""
    async with calling(mock()) as client:
        await put(client, {"kind": "error"})
        refused = await put(client, fault)
        stays = await client.get("/pets")

    assert refused.status_code == 422
    assert refused.json()["detail"]
    assert stays.status_code == 500


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": "localhost:9001"}, 200),
        ({"host": "127.0.0.1"}, 200),
        ({"host": "[::1]:9001"}, 200),
        ({"host": "catalog"}, 200),
        ({"host": "evil.example"}, 403),
        ({"host": "127.0.0.1.evil.example"}, 403),
        ({"host": ""}, 403),
        ({"origin": "http://localhost:3000"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"sec-fetch-site": "none"}, 200),
    ],
)
async def test_pages_and_other_hosts_set_no_faults(headers, status):
    """A page of another site could break a mock otherwise; what is no control route stays open."""
    body = {"faults": [{"kind": "error", "status": 418}]}
    async with calling(mock()) as client:
        set_ = await client.put("/__faults__", json=body, headers=headers)
        pets = await client.get("/pets", headers=headers)

    assert (set_.status_code, pets.status_code) == (status, 418 if status == 200 else 200)


async def test_another_app_gets_faults_as_middleware():
    """A mock that is written by hand, such as one of FastAPI."""
    app = FastAPI()
    app.add_middleware(MockFaults)

    @app.get("/pets")
    async def get_pets() -> list[str]:
        return []

    async with calling(app) as client:
        usual = await client.get("/pets")
        await put(client, {"kind": "error"})
        met = await client.get("/pets")

    assert (usual.status_code, met.status_code) == (200, 500)


async def test_a_graphql_mock_takes_faults_as_well():
    """Its operations are answered at any path but the control route."""
    async with calling(MockGraphQL("type Query { name: String! }")) as client:
        await put(client, {"kind": "error", "status": 502})
        met = await client.post("/graphql", json={"query": "{ name }"})
        await put(client)
        after = await client.post("/graphql", json={"query": "{ name }"})

    assert (met.status_code, after.status_code) == (502, 200)
