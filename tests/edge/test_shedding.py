"""Load shedding: excess requests are refused at once, the least important first."""

import asyncio
import json
import re
import time
from collections import Counter
from contextlib import asynccontextmanager
from functools import partial

import httpx
import pytest
from fastapi import APIRouter, FastAPI
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

from bff_core import ANYONE, Settings, Views, access, gateway
from bff_core.auth.viewer import Viewer
from bff_core.edge.options import CorsOptions
from bff_core.edge.shedding.criticality import RequestCriticality, criticality
from bff_core.errors import ConfigurationError
from bff_core.events import LoadShed, RequestAnswered
from bff_core.http_exchange.request_context import declare_stream
from bff_core.routing.path import path_of
from bff_core.routing.route_table import RouteTable, route_entries
from bff_core.testing import running

HOST = (b"host", b"testserver")


def waiting(gate):
    """Make an application that answers when the test sets an event."""

    async def app(scope, receive, send):
        await gate.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    return app


@asynccontextmanager
async def holding(gateway, gate, count, **options):
    """Hold so many requests in flight."""
    running = [asyncio.create_task(gateway.get("/", **options)) for _ in range(count)]
    await asyncio.sleep(0.01)
    yield
    gate.set()
    assert [answer.status_code for answer in await asyncio.gather(*running)] == [200] * count


@pytest.mark.virtual_time
async def test_requests_over_the_limit_are_refused_at_once(edged):
    """The third of two gets a `Retry-After`, while the two go on."""
    gate = asyncio.Event()
    gateway = edged(waiting(gate), max_concurrent=2)
    async with holding(gateway, gate, 2):
        loop = asyncio.get_running_loop()
        began = loop.time()

        refused = await gateway.get("/")

        assert (refused.status_code, refused.json()["code"]) == (503, "overloaded")
        assert 1 <= int(refused.headers["retry-after"]) <= 4
        assert loop.time() == began


@pytest.mark.virtual_time
async def test_an_overloaded_gateway_is_alive(edged):
    """Probes are answered under any load: a busy process must not be killed."""
    gate = asyncio.Event()
    gateway = edged(waiting(gate), max_concurrent=1)
    async with holding(gateway, gate, 1):
        alive, ready = await gateway.get("/healthz"), await gateway.get("/readyz")

    assert (alive.status_code, ready.status_code) == (200, 200)


@pytest.mark.virtual_time
async def test_each_end_of_a_request_makes_room_for_another(edged):
    """After an answer, a crash, a timeout or a disconnect another request is admitted."""
    ends = iter([None, ValueError("crash")])

    async def app(scope, receive, send):
        end = next(ends, 3600)
        if isinstance(end, Exception):
            raise end
        await asyncio.sleep(end or 0)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    gateway = edged(app, max_concurrent=1)
    statuses = [(await gateway.get("/")).status_code for _ in range(3)]
    leaving = asyncio.create_task(gateway.get("/"))
    await asyncio.sleep(0.1)
    leaving.cancel()
    await asyncio.wait([leaving])

    last = await gateway.get("/", headers={"Request-Timeout": "0.1"})

    assert statuses == [200, 500, 504]
    assert last.status_code == 504


@pytest.mark.virtual_time
async def test_a_refusal_is_a_problem_like_any_other(edged):
    """It has ids, security headers and CORS like every answer; a HEAD gets no body."""
    gate = asyncio.Event()
    shop = "https://shop.example"
    cors = CorsOptions(origins=(shop,))
    gateway = edged(waiting(gate), max_concurrent=1, cors=cors, client_traces=True)
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    headers = {"Origin": shop, "X-Request-ID": "mine", "Traceparent": trace}
    async with holding(gateway, gate, 1):
        refused = await gateway.get("/", headers=headers)
        unnamed = await gateway.get("/", headers={"X-Request-ID": '"}{'})
        head = await gateway.ask("HEAD", "/")

    assert refused.json() == {
        "type": "/problems/overloaded",
        "title": "Overloaded",
        "status": 503,
        "code": "overloaded",
        "request_id": "mine",
        "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
    }
    fields = refused.headers
    assert fields["content-type"] == "application/problem+json"
    assert (fields["cache-control"], fields["x-request-id"]) == ("no-store", "mine")
    assert (fields["access-control-allow-origin"], fields["vary"]) == (shop, "Origin")
    assert "Retry-After" in fields["access-control-expose-headers"]
    assert fields["x-content-type-options"] == "nosniff"
    assert re.fullmatch(r"[0-9a-f]{24}", unnamed.json()["request_id"])
    assert "access-control-allow-origin" not in unnamed.headers
    assert (head.status_code, head.content) == (503, b"")


@pytest.mark.virtual_time
async def test_clients_that_are_refused_do_not_come_back_at_once(edged):
    """Their `Retry-After` is random, so that they do not return at the same time."""
    gate = asyncio.Event()
    gateway = edged(waiting(gate), max_concurrent=1)
    async with holding(gateway, gate, 1):
        waits = [(await gateway.get("/")).headers["retry-after"] for _ in range(200)]

    assert sorted(Counter(waits)) == ["1", "2", "3", "4"]
    assert min(Counter(waits).values()) > 15


@pytest.mark.virtual_time
async def test_refusals_are_reported_once_a_second_not_one_by_one(edged):
    """A log line for each refusal would add to the overload."""
    gate = asyncio.Event()
    gateway = edged(waiting(gate), max_concurrent=10)
    async with holding(gateway, gate, 9):
        for _ in range(5):
            await gateway.get("/", headers={"Sec-Purpose": "prefetch;prerender"})
        await gateway.get("/")
        for _ in range(7):
            await gateway.get("/")
        await asyncio.sleep(1.1)

    [pressed] = gateway.of(LoadShed)
    assert pressed.refused == {"sheddable": 5, "critical": 8}
    assert pressed.in_flight == 9
    assert [event.status for event in gateway.of(RequestAnswered)] == [200] * 9


@pytest.mark.parametrize("header", ["Sec-Purpose", "Purpose"])
@pytest.mark.virtual_time
async def test_a_prefetch_gives_way_first(edged, header):
    """No user waits for a page that a browser prefetches."""
    gate = asyncio.Event()
    gateway = edged(waiting(gate), max_concurrent=10)
    async with holding(gateway, gate, 6):
        prefetch = await gateway.get("/", headers={header: "prefetch"})
        request = asyncio.create_task(gateway.get("/"))
        await asyncio.sleep(0.01)

        assert (prefetch.status_code, request.done()) == (503, False)
    assert (await request).status_code == 200


class Tiers:
    """An authenticator whose viewers have different criticalities."""

    challenge = "Key"

    async def authenticate(self, scope):
        key = scope.header("authorization")
        ranks = {"gold": "critical_plus", "batch": "sheddable"}
        return key and Viewer(key, criticality=ranks.get(key, "critical"))


@pytest.mark.virtual_time
async def test_a_viewer_who_matters_less_is_refused_once_known(edged):
    """The first time after authentication, later before it, with the same answer."""
    gate = asyncio.Event()
    gateway = edged(waiting(gate), max_concurrent=10, authenticator=Tiers())
    batch = {"Authorization": "batch", "X-Request-ID": "mine", "Traceparent": "00-" + "a" * 32}
    async with holding(gateway, gate, 6):
        late, early = [await gateway.get("/", headers=batch) for _ in range(2)]
        usual = asyncio.create_task(gateway.get("/", headers={"Authorization": "usual"}))
        await asyncio.sleep(0.01)
        assert not usual.done()

    assert (late.status_code, early.status_code) == (503, 503)
    bodies = [answer.json() | {"trace_id": ""} for answer in (late, early)]
    assert bodies[0] == bodies[1]
    names = [set(answer.headers) for answer in (late, early)]
    assert names[0] - {"vary"} == names[1]  # before authentication there is no other header
    assert len(gateway.of(RequestAnswered)) == 6 + 1 + 1  # the late one has passed the edge
    await usual


@pytest.mark.virtual_time
async def test_a_known_viewer_who_matters_more_is_admitted(edged):
    """A caller who has been authenticated before is admitted where others are refused."""
    gate = asyncio.Event()
    gate.set()
    gateway = edged(waiting(gate), max_concurrent=20, authenticator=Tiers())
    await gateway.get("/", headers={"Authorization": "gold"})
    gate.clear()
    async with holding(gateway, gate, 18):
        usual = await gateway.get("/", headers={"Authorization": "usual"})
        gold = asyncio.create_task(gateway.get("/", headers={"Authorization": "gold"}))
        await asyncio.sleep(0.01)

        assert (usual.status_code, gold.done()) == (503, False)
    assert (await gold).status_code == 200


def test_viewers_that_are_remembered_are_bounded():
    """Only the newest ones are remembered."""
    ranks = RequestCriticality()
    cookies = [{b"cookie": b"%d" % number} for number in range(20_000)]
    for fields in cookies:
        ranks.remember("critical_plus", fields)

    assert len(ranks._known) == 10_000
    assert ranks.of_path("GET", "/", cookies[0]) == "critical"
    assert ranks.of_path("GET", "/", cookies[-1]) == "critical_plus"


def test_a_viewer_without_credentials_of_its_own_is_not_remembered():
    """The criticality of a user named by a proxy's header must not apply to other callers."""
    ranks = RequestCriticality()
    ranks.remember("critical_plus", {b"x-auth-request-user": b"gold"})
    ranks.remember("critical_plus", {b"cookie": b"gold"})

    assert ranks.of_path("GET", "/", {}) == "critical"
    assert ranks.of_path("GET", "/", {b"authorization": b"other"}) == "critical"


@criticality("sheddable")
async def telemetry() -> None: ...


async def usual() -> None: ...


@criticality("critical_plus")
async def vital(request) -> None: ...


def routed() -> FastAPI:
    app = FastAPI(openapi_url=None)
    router = APIRouter(prefix="/v1")
    router.get("/items/{item}")(criticality("sheddable_plus")(lambda item: item))
    router.get("/orders/open")(usual)
    router.get("/orders/{order}")(telemetry)
    inner = APIRouter(prefix="/inner")
    inner.post("/telemetry")(telemetry)
    router.include_router(inner)
    app.include_router(router, prefix="/api")
    app.get("/usual")(usual)
    files = criticality("sheddable")(PlainTextResponse("a file"))
    app.router.routes.append(Mount("/static", app=files))
    app.router.routes.append(Route("/plain", vital))
    return app


@pytest.mark.parametrize(
    ("method", "path", "rank"),
    [
        ("GET", "/api/v1/items/7", "sheddable_plus"),
        ("HEAD", "/api/v1/items/7", "sheddable_plus"),
        ("POST", "/api/v1/items/7", "critical"),
        ("GET", "/api/v1/orders/open", "critical"),
        ("GET", "/api/v1/orders/9", "sheddable"),
        ("POST", "/api/v1/inner/telemetry", "sheddable"),
        ("GET", "/usual", "critical"),
        ("GET", "/static/logo.png", "sheddable"),
        ("GET", "/plain", "critical_plus"),
        ("GET", "/nowhere", "critical"),
        ("OPTIONS", "/api/v1/orders/9", "critical"),
    ],
)
def test_routes_of_every_kind_have_a_class(method, path, rank):
    """Included routers, mounts and plain routes: the first that matches decides, as in FastAPI."""
    ranks = RequestCriticality()
    ranks.routes = RouteTable(route_entries(routed().routes))

    assert ranks.of_path(method, path, {}) == rank


def test_below_a_root_path_routes_keep_their_class():
    """The root path does not count as part of the route."""
    scope = {"type": "http", "path": "/shop/api/v1/orders/9", "root_path": "/shop"}

    assert path_of(scope) == "/api/v1/orders/9"
    assert path_of(scope | {"root_path": ""}) == "/shop/api/v1/orders/9"


def test_an_unknown_criticality_is_refused():
    """The message lists the valid ones."""
    with pytest.raises(ConfigurationError, match="'urgent' is unknown: use sheddable, shedd"):
        criticality("urgent")


@pytest.mark.virtual_time
async def test_a_stream_does_not_count_once_it_has_started(edged):
    """Clients that listen leave all room to those that send requests."""
    gate = asyncio.Event()

    async def app(scope, receive, send):
        if scope["path"] == "/stream":
            declare_stream(scope)
            declare_stream(scope)  # a face and a route may both say so
        await waiting(gate)(scope, receive, send)

    gateway = edged(app, max_concurrent=4, max_streams=30)
    async with holding(gateway, gate, 0):
        streams = []
        for _ in range(30):
            streams.append(asyncio.create_task(gateway.get("/stream")))
            await asyncio.sleep(0.01)
        requests = [asyncio.create_task(gateway.get("/")) for _ in range(3)]
        await asyncio.sleep(0.01)
        refused = await gateway.get("/stream")
        assert ([one.done() for one in requests], refused.status_code) == ([False] * 3, 503)
    answers = [(await each).status_code for each in (*streams, *requests)]
    again = [(await gateway.get("/")).status_code for _ in range(5)]

    assert answers == [200] * 33
    assert again == [200] * 5


@pytest.mark.virtual_time
async def test_a_web_socket_is_refused_by_a_close_code(edged):
    """It gets close code 1013, or problem details if the server can send them."""
    gate = asyncio.Event()

    async def chat(scope, receive, send):
        await gate.wait()
        await send({"type": "websocket.close", "code": 1000})

    gateway = edged(chat, max_streams=1)
    first = asyncio.create_task(gateway.speak([HOST], type="websocket"))
    await asyncio.sleep(0.01)

    await gateway.speak([HOST], type="websocket")
    extensions = {"websocket.http.response": {}}
    await gateway.speak([HOST], type="websocket", extensions=extensions)

    closed, start, body = gateway.sent
    assert closed == {"type": "websocket.close", "code": 1013}
    assert (start["type"], start["status"]) == ("websocket.http.response.start", 503)
    assert json.loads(body["body"])["code"] == "overloaded"
    gate.set()
    await first
    await gateway.speak([HOST], type="websocket")
    assert gateway.sent[-1] == {"type": "websocket.close", "code": 1000}


async def test_a_busy_loop_admits_fewer_requests(edged):
    """While requests use all CPU time, the limit falls until the loop is fast again."""
    loop, statuses = asyncio.get_running_loop(), Counter()

    async def busy(scope, receive, send):
        for _ in range(5):
            until = time.perf_counter() + 0.001
            while time.perf_counter() < until:
                pass
            await asyncio.sleep(0)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    gateway = edged(busy, max_concurrent=1000, min_concurrent=2)

    async def client():
        transport = httpx.ASGITransport(gateway.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as asking:
            while statuses[503] < 20 and loop.time() < began + 30:
                statuses[(await asking.get("/")).status_code] += 1
                await asyncio.sleep(0)

    began = loop.time()
    await asyncio.gather(*(client() for _ in range(16)))

    assert statuses[503] >= 20
    assert statuses[200] > 0


async def test_a_stream_of_a_gateway_below_a_mount_is_not_taken_for_an_own_one():
    """Each gateway counts what it serves: the outer one has its own stream still."""
    began, ended = asyncio.Event(), asyncio.Event()

    async def hold():
        began.set()
        await ended.wait()

    def shop(wait):
        views = Views(access=ANYONE)

        @views.stream("/stream")
        async def stream():
            yield 1
            await wait()

        return gateway("shop", faces=[views], settings=Settings(env="development", log="off"))

    outer, inner = shop(hold), shop(partial(asyncio.sleep, 0))
    outer.mount("/inner", access(ANYONE)(inner))
    async with running(outer) as client, inner.router.lifespan_context(inner):
        own = asyncio.create_task(client.get("/stream"))
        await began.wait()
        answers = [await client.get("/inner/stream") for _ in range(3)]
        counted = outer.shedding.pressure.streams, outer.shedding.pressure.in_flight
        ended.set()
        await own

    assert [one.text for one in answers] == ["1\n"] * 3
    assert counted == (1, 0)
    assert (outer.shedding.pressure.streams, outer.shedding.pressure.in_flight) == (0, 0)
