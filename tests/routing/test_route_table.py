"""The route table: each request is matched once, in FastAPI's order."""

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
from fastapi import APIRouter, FastAPI, WebSocket
from starlette.responses import PlainTextResponse
from starlette.routing import BaseRoute, Host, Match, Mount, Route
from starlette.staticfiles import StaticFiles

from bff_core import ANYONE, Limit, Require, Views, gateway
from bff_core.auth.access import access
from bff_core.edge.shedding.criticality import criticality
from bff_core.events import Events, RequestAnswered
from bff_core.routing.route_table import RouteTable, route_entries
from bff_core.settings.model import Settings

KEY = {"idempotency-key": "0123456789abcdef0123456789abcdef"}


@contextmanager
def searches() -> Iterator[list[str]]:
    """Yield the paths that route tables search for, recorded by a profiler."""
    found: list[str] = []

    def profile(frame, event, _):
        if event == "call" and frame.f_code is RouteTable.find.__code__:
            found.append(frame.f_locals["path"])

    sys.setprofile(profile)
    try:
        yield found
    finally:
        sys.setprofile(None)


def shop(**options):
    """Make a gateway with a compiled view, a view that FastAPI serves and a sheddable route."""
    views = Views(access=ANYONE)

    @views.get("/fast/{number}")
    async def fast(number: int) -> int:
        return number

    @views.post("/slow/{number}")
    async def slow(number: int, body: dict[str, int]) -> int:
        return number + len(body)

    @views.get("/closed", access=Require("never"))
    async def closed() -> int:
        return 1

    events = []
    settings = Settings(env="development", log="off", auth="demo", max_concurrent=1)
    limits = [
        Limit(quota=100, by="address", paths=("/fast", "/slow/7")),
        Limit(quota=100, exempt=("/closed",), methods=("GET",)),
    ]
    app = gateway(
        "shop",
        faces=[views],
        settings=settings,
        events=Events(events.append),
        limits=limits,
        **options,
    )

    @app.get("/telemetry")
    @access(ANYONE)
    @criticality("sheddable")
    async def telemetry() -> int:
        return 1

    return app, events


@pytest.mark.parametrize(
    ("method", "path", "options", "status"),
    [
        ("GET", "/fast/7", {}, 200),
        ("HEAD", "/fast/7", {}, 200),
        ("POST", "/slow/7", {"json": {}, "headers": KEY}, 200),
        ("POST", "/slow/7", {"content": b"{}", "headers": KEY}, 415),
        ("GET", "/closed", {}, 401),
        ("GET", "/nowhere", {}, 404),
        ("HEAD", "/telemetry", {}, 200),
        ("GET", "/fast/7", {"headers": {"host": "other.example"}}, 400),
    ],
)
async def test_each_request_is_matched_once(method, path, options, status):
    """Shedding, limits, keys, access, body checks, the fast path and the log line share a match."""
    app, events = shop()
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://testserver") as client,
    ):
        app.shedding.pressure.lowest_threshold = 0  # the criticality of the route decides
        with searches() as found:
            answer = await client.request(method, path, **options)

    assert answer.status_code == status
    assert found == [path]
    assert len([one for one in events if isinstance(one, RequestAnswered)]) == 1


async def test_a_middleware_that_rewrites_the_path_is_obeyed():
    """The body is checked against the route that serves the request after the rewrite."""
    app, _ = shop()

    @app.middleware("http")
    async def rewrite(request, call_next):
        request.scope["path"] = "/slow/8"
        return await call_next(request)

    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://testserver") as client,
    ):
        answers = [
            await client.post("/anything", content=body, headers={"content-type": kind})
            for body, kind in ((b"{}", "application/json"), (b"{}", "text/plain"))
        ]

    assert [one.status_code for one in answers] == [200, 415]


def table_of(app: FastAPI) -> RouteTable:
    """Return the table of an app's routes."""
    return RouteTable(route_entries(app.routes))


def routed() -> FastAPI:
    """Make an app whose routes overlap."""
    app = FastAPI(openapi_url=None)
    app.get("/orders/open")(lambda: 1)
    app.get("/orders/{order}")(lambda order: order)
    app.get("/orders/late")(lambda: 1)
    app.head("/head")(lambda: 1)
    app.get("/head")(lambda: 1)
    app.post("/orders/open")(lambda: 1)
    app.router.routes.append(Mount("/files", app=PlainTextResponse("a file")))
    app.router.routes.append(Route("/files/late", PlainTextResponse("never")))

    @app.websocket("/live/{room}")
    async def live(socket: WebSocket, room: str) -> None: ...

    return app


@pytest.mark.parametrize(
    ("method", "path", "template", "methods"),
    [
        ("GET", "/orders/open", "/orders/open", {"GET"}),
        ("GET", "/orders/late", "/orders/{order}", {"GET"}),
        ("HEAD", "/orders/7", "/orders/{order}", {"GET"}),
        ("HEAD", "/head", "/head", {"HEAD"}),
        ("GET", "/head", "/head", {"GET"}),
        ("POST", "/orders/open", "/orders/open", {"POST"}),
        ("GET", "/orders/open\n", "/orders/open", {"GET"}),
        ("PURGE", "/files/a/b", "/files", set()),
        ("GET", "/files/late", "/files", set()),
        ("", "/live/7", "/live/{room}", set()),
        ("GET", "/live/7", None, None),
        ("DELETE", "/orders/open", None, None),
        ("GET", "/", None, None),
    ],
)
def test_the_first_route_that_matches_serves(method, path, template, methods):
    """In FastAPI's order, with its patterns; a HEAD by the first route of GET or HEAD."""
    entry = table_of(routed()).find(method, path).entry

    assert (None if entry is None else entry.path) == template
    assert (None if entry is None else entry.methods) == methods


def test_a_gateway_within_a_gateway_has_its_own_match():
    """The inner gateway does not use the match of the outer one."""
    outer, inner = table_of(FastAPI(openapi_url=None)), table_of(routed())
    scope = {"type": "http", "method": "GET", "path": "/orders/open"}

    outer.match(scope)

    assert inner.match(scope).entry is not None


async def test_a_rule_of_a_route_of_head_is_checked():
    """A route of `app.head` has its own rule, whatever the route of GET allows."""
    app, _ = shop()

    @app.head("/secret")
    @access(Require("never"))
    async def secret() -> None: ...

    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://testserver") as client,
    ):
        answer = await asyncio.wait_for(client.head("/secret"), 5)

    assert answer.status_code == 401


def converted():
    """Make a gateway with a view and a plain route whose parameter is a number."""
    views, events = Views(), []

    @views.get("/views/{number:int}")
    async def view(number: int) -> int:
        return number

    settings = Settings(env="development", log="off", auth="demo")
    app = gateway("shop", faces=[views], settings=settings, events=Events(events.append))

    @app.get("/plain/{number:int}")
    @access(Require())
    async def plain(number: int) -> int:
        return number

    return app, events


@pytest.mark.parametrize("path", ["/views/7", "/plain/7"])
async def test_a_route_has_one_name_in_logs(path):
    """It is the template without convertors, whether a request was served or refused."""
    app, events = converted()
    transport = httpx.ASGITransport(app)
    viewer = {"authorization": "Bearer demo-1"}
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://testserver") as client,
    ):
        for headers in (viewer, {}, {"host": "other.example"}):
            await client.get(path, headers=headers)

    answered = [one for one in events if isinstance(one, RequestAnswered)]
    assert [one.status for one in answered] == [200, 401, 400]
    assert {one.route for one in answered} == {path.replace("7", "{number}")}


def test_openapi_describes_the_access_rule_of_a_route_with_a_convertor():
    """OpenAPI names paths without convertors, and its operations still require credentials."""
    app, _ = converted()

    paths = app.openapi()["paths"]

    assert paths["/views/{number}"]["get"]["security"] == [{"Demo": []}]
    assert paths["/plain/{number}"]["get"]["security"] == [{"Demo": []}]


@pytest.mark.parametrize(
    ("template", "prefix", "is_below"),
    [
        ("/v1/orders", "/", True),
        ("/v1/orders", "/v1/", True),
        ("/v1/orders", "/v1/orders/", True),
        ("/v1/orders", "/v1/order/", False),
        ("/v1/orders", "/v1/orders/7/", False),
        ("/v1/orders/{order}", "/v1/orders/", True),
        ("/v1/orders/{order}", "/v1/orders/7/", None),
        ("/v1/orders/{order}", "/v2/orders/7/", False),
        ("/v1/orders/{order}/lines", "/v1/orders/7/notes/", False),
        ("/v1/orders/{order}/lines", "/v1/orders/7/lines/", None),
        ("/v1/orders/{order}", "/v1/orders/7/lines/", False),
        ("/v1/{rest:path}", "/v1/orders/7/lines/", None),
        ("/v1/report-{number}.csv", "/v1/report-7.csv/", None),
        ("/", "/v1/", False),
        ("/", "/", True),
    ],
)
def test_the_table_knows_which_routes_are_below_a_prefix(template, prefix, is_below):
    """All requests of a route are below it, none, or some: then the path of each decides."""
    app = FastAPI(openapi_url=None)
    app.get(template)(lambda: 1)

    assert table_of(app).entries[0].is_below(prefix) is is_below


async def test_a_route_that_changes_nothing_ignores_an_idempotency_key(tmp_path):
    """Files are never written, so that their 405 comes before an error about the key."""
    app, _ = shop()
    app.mount("/files", access(ANYONE)(StaticFiles(directory=tmp_path)))
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://testserver") as client,
    ):
        answers = [
            await client.post(path, headers={"idempotency-key": '"malformed'})
            for path in ("/files/a.txt", "/fast/7")
        ]

    assert [one.status_code for one in answers] == [405, 400]


SECRET = PlainTextResponse("for the signed in")


class Everything(BaseRoute):
    """A route of one's own that matches by no path."""

    def matches(self, scope):
        """Match all requests."""
        return Match.FULL if scope["type"] == "http" else Match.NONE, {}

    async def handle(self, scope, receive, send):
        """Answer."""
        await SECRET(scope, receive, send)


def included(app: FastAPI) -> None:
    """Include a router that mounts an application."""
    router = APIRouter()
    router.mount("/below", SECRET)
    app.include_router(router, prefix="/v1")


ADDED = {
    "mount": ("/files/a", lambda app: app.mount("/files", SECRET)),
    "mount of everything": ("/a", lambda app: app.mount("/", SECRET)),
    "mount in a router": ("/v1/below/a", included),
    "host": ("/a", lambda app: app.router.routes.append(Host("testserver", SECRET))),
    "route of one's own": ("/a", lambda app: app.router.routes.append(Everything())),
    "first": ("/open", lambda app: app.router.routes.insert(0, Host("testserver", SECRET))),
}
"""What serves a path, and how it is added to an app."""


@pytest.mark.parametrize("is_late", [False, True])
@pytest.mark.parametrize("kind", ADDED)
async def test_whatever_serves_a_request_requires_a_viewer(kind, is_late):
    """Mounts of all paths and routes without a path are closed as well, also if added late."""
    path, add = ADDED[kind]
    app, _ = shop()
    app.get("/open")(access(ANYONE)(lambda: "open"))
    if not is_late:
        add(app)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://testserver") as client,
    ):
        await client.get("/fast/7")
        if is_late:
            add(app)
        refused = await client.get(path)
        answer = await client.get(path, headers={"authorization": "Bearer demo-7"})

    assert refused.status_code == 401
    assert answer.text == "for the signed in"


async def test_a_route_that_is_added_late_has_its_rule():
    """Also in a router that was included before: the table is read again."""
    app, _ = shop()
    router = APIRouter()
    app.include_router(router, prefix="/v1")
    app.get("/v1/{name}")(access(ANYONE)(lambda name: name))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://testserver") as client,
    ):
        before = await client.get("/v1/orders")
        router.get("/orders")(lambda: "for the signed in")
        router.get("/imprint")(access(ANYONE)(lambda: "imprint"))
        answers = [await client.get(f"/v1/{name}") for name in ("orders", "imprint", "other")]

    assert before.json() == "orders"
    assert [one.status_code for one in answers] == [401, 200, 200]


async def test_a_rule_by_inputs_does_not_open_a_route_that_is_added_late():
    """A plain route with one does not start a gateway, and is not served by one that runs."""
    app, _ = shop()
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://testserver") as client,
    ):
        await client.get("/fast/7")
        app.get("/own")(access(Require(when=lambda viewer, inputs: False))(lambda: "own"))
        answer = await client.get("/own", headers={"authorization": "Bearer demo-7"})

    assert answer.status_code == 500


async def test_a_route_without_a_path_declares_its_rule_itself():
    """A `Host` is open if the application behind it is declared open."""
    app, _ = shop()

    @access(ANYONE)
    async def everyone(scope, receive, send):
        await PlainTextResponse("for all")(scope, receive, send)

    app.router.routes.append(Host("testserver", everyone))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://testserver") as client,
    ):
        answer = await client.get("/a")

    assert answer.text == "for all"


@pytest.mark.parametrize("method", ["PUT", "OPTIONS"])
async def test_a_mounted_application_says_which_methods_it_has(method):
    """Routes of the gateway at the same path are not those of the application below a mount."""
    app, _ = shop()
    app.delete("/orders")(access(ANYONE)(lambda: None))
    inner = FastAPI()
    inner.post("/orders")(lambda: None)
    app.mount("/inner", access(ANYONE)(inner))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://testserver") as client,
    ):
        answers = [await client.request(method, path) for path in ("/inner/orders", "/orders")]

    assert [one.headers["allow"] for one in answers] == ["POST", "DELETE"]
