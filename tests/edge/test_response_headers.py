"""Response headers: security headers, Vary, and headers of the application."""

import gc
from contextlib import suppress

import pytest
from fastapi import APIRouter, FastAPI, Response
from fastapi.responses import HTMLResponse
from httpx import ASGITransport, AsyncClient
from starlette.applications import Starlette
from starlette.routing import Mount

from bff_core import ANYONE, access, gateway
from bff_core.edge.options import HSTS, EdgeOptions
from bff_core.events import RequestAnswered
from bff_core.settings.model import Settings
from bff_core.testing import running


async def test_every_answer_has_security_headers(edged, answering):
    """Browsers may not sniff types, frame the answer, send referrers or load anything."""
    answer = await edged(answering()).get("/")

    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert "strict-transport-security" not in answer.headers


async def test_refusals_have_security_headers(edged, answering):
    """An answer of the edge has the same headers as one of the application."""
    answer = await edged(answering()).get("/", headers={"Host": "evil.example"})

    assert answer.status_code == 400
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_production_insists_on_https(edged, answering):
    """HSTS is sent where the settings say production."""
    settings = Settings(env="production", allowed_hosts=("testserver",))

    answer = await edged(answering(), hsts=EdgeOptions.of(settings).hsts).get("/")

    assert answer.headers["strict-transport-security"] == HSTS


async def test_the_applications_own_header_wins(edged, answering):
    """A page of documentation sets its own policy, and the answer has only that one."""
    own = (b"content-security-policy", b"default-src 'self'")

    answer = await edged(answering(headers=[own])).get("/")

    assert answer.headers.get_list("content-security-policy") == ["default-src 'self'"]
    assert answer.headers["x-frame-options"] == "DENY"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("X-Frame-Options", "SAMEORIGIN"),
        ("Content-Security-Policy", "frame-ancestors 'self'"),
        ("Cross-Origin-Resource-Policy", "cross-origin"),
        ("Referrer-Policy", "same-origin"),
        ("X-Content-Type-Options", "nosniff"),
        ("Strict-Transport-Security", "max-age=1"),
    ],
)
async def test_a_route_may_set_each_security_header_itself(name, value):
    """A page that its own site frames, or that others embed; the answer has the header once."""
    app = gateway("shop", options=EdgeOptions(hsts=HSTS), settings=Settings(env="development"))

    @app.get("/page")
    @access(ANYONE)
    async def page() -> Response:
        return HTMLResponse("<p>", headers={name: value})

    @app.get("/data")
    @access(ANYONE)
    async def data(response: Response) -> dict[str, str]:
        response.headers[name] = value
        return {}

    transport = ASGITransport(app)
    async with running(app), AsyncClient(transport=transport, base_url="http://localhost") as http:
        answers = [await http.get(path) for path in ("/page", "/data")]

    for answer in answers:
        assert answer.status_code == 200
        assert answer.headers.get_list(name) == [value]
        assert len(answer.headers.get_list("x-content-type-options")) == 1


async def test_a_304_leaves_the_policy_of_the_page_that_the_browser_has(edged, answering):
    """A browser replaces the headers that it has stored by those of a 304 (RFC 9111, 3.2)."""
    own = [(b"content-security-policy", b"default-src 'self'"), (b"etag", b'"a"')]
    known = {"if-none-match": '"a"'}

    by_route = await edged(answering(304, [(b"etag", b'"a"')])).get("/")
    by_edge = await edged(answering(headers=own)).get("/", headers=known)

    assert (by_route.status_code, by_edge.status_code) == (304, 304)
    assert "content-security-policy" not in by_route.headers
    assert "x-frame-options" not in by_route.headers
    assert by_edge.headers["content-security-policy"] == "default-src 'self'"


@pytest.mark.parametrize("status", [200, 401])
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("content-security-policy", "default-src 'self'"),
        ("x-content-type-options", "nosniff"),
        ("x-request-id", "mine"),
        ("cache-control", "public, max-age=60"),
        ("expires", "0"),
        ("www-authenticate", "Own"),
    ],
)
async def test_a_header_that_a_concern_adds_is_the_only_one(edged, answering, name, value, status):
    """It stands in place of the edge's own: of two, a browser would obey another one."""

    class Adding:
        def check(self, context):
            context.added += ((name.encode(), value.encode()),)

    answer = await edged(answering(status), own=[Adding()]).get("/")

    assert answer.headers.get_list(name) == [value]
    assert not (name == "expires" and "cache-control" in answer.headers)


async def test_a_vary_that_a_concern_adds_is_merged(edged, answering):
    """One line names all that the answer depended on."""

    class Adding:
        def check(self, context):
            context.added += ((b"vary", b"X-Segment"),)
            context.scope.header("accept-language")

    answer = await edged(answering(), own=[Adding()]).get("/")

    assert answer.headers.get_list("vary") == ["X-Segment, Accept-Language, Accept-Encoding"]


@pytest.mark.parametrize(
    ("own", "read", "vary"),
    [
        ([], [], ""),
        ([], ["accept-language"], "Accept-Language"),
        ([], ["accept-language", "width", "accept-language"], "Accept-Language, Width"),
        ([b"Accept-Encoding"], ["accept-language"], "Accept-Language"),
        ([b"accept-language, Cookie"], ["accept-language"], "Accept-Language, Cookie"),
        ([b"A", b"B"], ["c"], "A, B, C"),
        ([b"Cookie"], [], "Cookie"),
    ],
)
async def test_caches_learn_what_an_answer_depended_on(edged, own, read, vary):
    """Vary lists each header that the answer depends on, once."""

    async def app(scope, receive, send):
        for name in read:
            scope["bff.scope"].header(name)
        headers = [(b"vary", value) for value in own]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    (field,) = (await edged(app).get("/")).headers.get_list("vary")

    named = field.split(", ")
    assert sorted(named) == sorted(["Accept-Encoding", *filter(None, vary.split(", "))])


async def test_an_answer_that_depends_on_everything_says_only_that(edged, answering):
    """`Vary: *` has no other members (RFC 9110, section 12.5.5)."""
    answer = await edged(answering(headers=[(b"vary", b"*")])).get("/")

    assert answer.headers.get_list("vary") == ["*"]


async def test_an_answer_that_is_sent_twice_does_not_grow(edged):
    """An application may send a message object twice; the edge changes copies."""
    start = {"type": "http.response.start", "status": 200, "headers": [(b"etag", b'"1"')]}

    async def app(scope, receive, send):
        await send(start)
        await send({"type": "http.response.body", "body": b""})

    gateway = edged(app)

    first, second = await gateway.get("/"), await gateway.get("/")

    assert len(first.headers) == len(second.headers)
    assert start["headers"] == [(b"etag", b'"1"')]


async def test_nothing_can_be_sent_after_the_request(edged):
    """A task that calls `send` later gets an error."""
    held = []

    async def app(scope, receive, send):
        held.append(send)

    await edged(app).speak()

    with pytest.raises(RuntimeError, match="request is over"):
        await held[0]({"type": "http.response.start", "status": 200, "headers": []})


async def test_a_request_leaves_no_cycle_for_the_collector(edged, answering):
    """Memory is freed by reference counts, without the garbage collector."""
    gateway = edged(answering())

    class Server:
        """A server's request, with a scope and a bound `send`."""

        def __init__(self):
            self.scope = {"type": "http", "http_version": "1.1", "method": "GET", "path": "/"}
            self.scope |= {"query_string": b"", "headers": [(b"host", b"testserver")]}

        async def send(self, message):
            """Take a message."""

        async def receive(self):
            """Hand out the end of the body."""
            return {"type": "http.request", "body": b""}

        async def serve(self):
            """Serve the request."""
            await gateway.app(self.scope, self.receive, self.send)

    await Server().serve()
    gc.collect()
    gc.disable()
    try:
        for _ in range(50):
            await Server().serve()
        left = gc.collect()
    finally:
        gc.enable()

    assert left == 0


def nested():
    """Make an application with a route of its own, an included and a mounted one."""
    app = FastAPI()
    router = APIRouter(prefix="/v1")

    @app.get("/plain/{number}")
    async def plain(number: int):
        return number

    @router.get("/products/{product_id}")
    async def product(product_id: int):
        return product_id

    app.include_router(router, prefix="/api")
    app.router.routes.append(Mount("/below", Starlette()))
    return app


@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/plain/7", "/plain/{number}"),
        ("/api/v1/products/7", "/api/v1/products/{product_id}"),
        ("/nothing/7", ""),
    ],
)
async def test_an_event_has_the_template_of_the_route(edged, path, route):
    """Events have the template of the route, not the ids in its path."""
    gateway = edged(nested())

    await gateway.get(path)

    assert [event.route for event in gateway.of(RequestAnswered)] == [route]


@pytest.mark.parametrize(
    ("bodies", "is_truncated"),
    [([True, False], False), ([False], False), ([True], True)],
)
async def test_an_answers_event_says_whether_it_has_ended(edged, bodies, is_truncated):
    """An application that stops in the middle leaves the answer without its end."""

    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for more in bodies:
            await send({"type": "http.response.body", "body": b"x", "more_body": more})

    gateway = edged(app)
    with suppress(Exception):  # the client of the test may miss the end
        await gateway.get("/")

    assert [event.is_truncated for event in gateway.of(RequestAnswered)] == [is_truncated]


async def test_an_answers_event_says_how_it_went(edged, answering):
    """Method, status, duration and ids; the ids are those of the answer."""
    instants = iter([10.0, 10.25])
    gateway = edged(answering(207), clock=lambda: next(instants))

    answer = await gateway.ask("PUT", "/")

    (event,) = gateway.of(RequestAnswered)
    assert (event.method, event.status, event.duration) == ("PUT", 207, 0.25)
    assert event.request_id == answer.headers["x-request-id"]
    assert len(event.trace_id) == 32
