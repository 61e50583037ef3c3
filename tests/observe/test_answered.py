"""The log line of a refused request: route and path, without the query."""

import pytest
from fastapi import FastAPI

from bff_core import ANYONE, Limit, NotAuthenticated, Require, Viewer, Views
from bff_core.testing import running
from tests.observe.failing_gateway import failing_gateway, logged


class Tokens:
    """Takes the token "good" and refuses any other."""

    challenge = "Bearer"

    async def authenticate(self, scope):
        """Return the viewer, or refuse."""
        sent = dict(scope.headers).get(b"authorization")
        if sent is None:
            return None
        if sent != b"Bearer good":
            raise NotAuthenticated("The token is not valid.")
        return Viewer("7")


GOOD = {"authorization": "Bearer good"}
KEY = {**GOOD, "idempotency-key": "a-key-that-is-hard-to-guess"}


def views():
    """Return views with rules."""
    made = Views(prefix="/r")

    @made.get("/open/{sku}", access=ANYONE)
    async def open_(sku: str) -> int:
        return 1

    @made.get("/closed/{sku}")
    async def closed(sku: str) -> int:
        return 1

    @made.get("/fresh/{sku}", access=Require(max_age=60))
    async def fresh(sku: str) -> int:
        return 1

    @made.get("/scoped/{sku}", access=Require("sku:read"))
    async def scoped(sku: str) -> int:
        return 1

    @made.post("/orders/{sku}")
    async def order(sku: str, body: dict[str, int]) -> int:
        return 1

    return made


REFUSED = [
    ("GET", "/r/open/7", {"authorization": "Bearer bad"}, 401, "/r/open/{sku}"),
    ("GET", "/r/closed/7", {}, 401, "/r/closed/{sku}"),
    ("GET", "/r/fresh/7", GOOD, 401, "/r/fresh/{sku}"),
    ("GET", "/r/scoped/7", GOOD, 403, "/r/scoped/{sku}"),
    ("POST", "/r/orders/7", {**GOOD, "idempotency-key": '"'}, 400, "/r/orders/{sku}"),
    ("POST", "/r/orders/7", GOOD, 422, "/r/orders/{sku}"),
    ("GET", "/r/orders/7", GOOD, 405, "/r/orders/{sku}"),
    ("HEAD", "/r/closed/7", {}, 401, "/r/closed/{sku}"),
    ("GET", "/plain/x", GOOD, 422, "/plain/{number}"),
    ("GET", "/nowhere/7", GOOD, 404, ""),
]


@pytest.mark.parametrize("request_", REFUSED, ids=lambda one: f"{one[0]} {one[1]} {one[3]}")
async def test_a_refused_request_has_route_and_path(request_):
    """Whatever refused it, before or after the router; the query is not logged."""
    method, path, headers, status, route = request_
    with logged() as (log, events):
        async with running(
            failing_gateway(views(), events=events, authenticator=Tokens())
        ) as client:
            answer = await client.request(method, f"{path}?token=s3cr3t", headers=headers)

    (line,) = log.of("request.answered")
    assert answer.status_code == line["status"] == status
    assert (line["route"], line["path"], line["level"]) == (route, path, "warning")
    assert "s3cr3t" not in log.text


async def test_a_request_that_is_answered_again_has_its_route():
    """The stored answer is sent before any router gets the request."""
    with logged() as (log, events):
        async with running(
            failing_gateway(views(), events=events, authenticator=Tokens())
        ) as client:
            for body in ({"n": 1}, {"n": 1}, {"n": 2}):
                await client.post("/r/orders/7", json=body, headers=KEY)

    lines = log.of("request.answered")
    assert [line["status"] for line in lines] == [200, 200, 422]
    assert {line["route"] for line in lines} == {"/r/orders/{sku}"}
    assert ["path" in line for line in lines] == [False, False, True]


async def test_a_request_over_a_limit_has_its_route():
    """A limit by address refuses before authentication."""
    limits = [Limit(quota=1, per=60, by="address")]
    with logged() as (log, events):
        async with running(failing_gateway(views(), events=events, limits=limits)) as client:
            await client.get("/r/open/7")
            await client.get("/r/open/8")

    first, second = log.of("request.answered")
    assert (second["status"], second["route"], second["path"]) == (
        429,
        "/r/open/{sku}",
        "/r/open/8",
    )
    assert "path" not in first


@pytest.mark.parametrize(
    ("path", "status", "route"),
    [
        ("/sub/items/7", 200, "/sub/items/{sku}"),
        ("/sub/items/7/8", 404, "/sub"),
        ("/sub/v1/view", 404, "/sub"),
        ("/v1/view/7", 404, ""),
    ],
)
async def test_a_mounted_application_is_logged_with_its_path(path, status, route):
    """Its routes are relative to that path, and not confused with ours."""
    sub = FastAPI()

    @sub.get("/items/{sku}")
    async def item(sku: str) -> int:
        return 1

    with logged() as (log, events):
        app = failing_gateway(events=events)
        app.mount("/sub", sub)
        async with running(app) as client:
            await client.get(path)

    (line,) = log.of("request.answered")
    assert (line["status"], line["route"]) == (status, route)
