"""The API page: contracts of gateways, and requests that it sends to them."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import strawberry
from fastapi import Request
from fastapi.responses import JSONResponse, RedirectResponse, Response

from bff_core import ANYONE, Settings, Views, access, gateway
from bff_core.console.commands import api
from bff_core.console.process_commands import process_commands
from bff_core.console.sources import GatewaySource
from bff_core.graphql import GraphQL
from bff_core.testing import running
from tests.console.conftest import CHANGE, browser


@strawberry.type
class Query:
    """The root."""

    @strawberry.field
    def hello(self) -> str:
        return "hello"


def made(*, has_graphql: bool = True, authenticator=None, **settings):
    """Return a gateway with views, GraphQL, and plain routes."""
    views = Views(prefix="/v1", access=ANYONE)

    @views.get("/slow")
    async def get_slow() -> int:
        await asyncio.sleep(60)
        return 1

    @views.stream("/ticks")
    async def stream_ticks() -> AsyncIterator[int]:
        yield 1
        await asyncio.sleep(60)
        yield 2

    faces = [views, GraphQL(strawberry.Schema(Query))] if has_graphql else [views]
    chosen = Settings(**{"env": "development", "auth": "demo", "log": "off", **settings})
    app = gateway(
        "shop",
        settings=chosen,
        faces=faces,
        openapi_url="/openapi.json",
        authenticator=authenticator,
    )

    @app.api_route("/echo/{name}", methods=["GET", "POST", "HEAD"])
    @access(ANYONE)
    async def echo(name: str, request: Request) -> Response:
        content = {
            "name": name,
            "query": request.url.query,
            "headers": request.headers.items(),
            "body": (await request.body()).decode(),
            "client": request.client.host,
        }
        return JSONResponse(content, headers={"set-cookie": "__Host-bff=secret; Secure; Path=/"})

    @app.get("/away")
    @access(ANYONE)
    async def away() -> Response:
        return RedirectResponse("https://shop.example/")

    @app.get("/large")
    @access(ANYONE)
    async def large() -> Response:
        return Response(b"x" * (api.MAX_TEXT_BYTES + 1))

    @app.get("/picture")
    @access(ANYONE)
    async def picture() -> Response:
        return Response(b"\x89PNG\xff\xff" * 100)

    return app


@pytest.fixture
def opened(pages):
    """Open a gateway, and a client of the console over it."""

    @asynccontextmanager
    async def open_console(app=None):
        app = app or made()
        async with running(app):
            source = GatewaySource(name="shop", commands=process_commands(app))
            async with browser(pages.app(pages.console([source]))) as http:
                yield http

    return open_console


async def send(http, path: str, method: str = "GET", *, gateway: str = "shop", **members):
    """Send a request to the gateway as the page does."""
    url, body = f"/console/api/gateways/{gateway}/send", {"method": method, "path": path, **members}
    return await http.post(url, json=body, headers=CHANGE)


async def test_a_request_is_sent_as_it_is_given(opened):
    """Path, query, headers and body; the answer has status, headers and text."""
    headers = [["Authorization", "Bearer demo-1"], ["X-One", "a"], ["X-One", "b"]]
    async with opened() as http:
        sent = (
            await send(http, "/echo/caf%C3%A9?a=%20b", "POST", headers=headers, body='{"é":1}')
        ).json()
    echoed = json.loads(sent["text"])

    assert (sent["status"], sent["is_cut"], sent["size"]) == (
        200,
        False,
        len(sent["text"].encode()),
    )
    assert (echoed["name"], echoed["query"], echoed["body"]) == ("café", "a=%20b", '{"é":1}')
    assert [one for one in echoed["headers"] if one[0] in {"x-one", "host", "content-length"}] == [
        ["host", "localhost"], ["x-one", "a"], ["x-one", "b"], ["content-length", "8"]
    ]  # fmt: skip
    assert echoed["client"] == "127.0.0.1"
    assert sent["request_id"]
    assert 0 < sent["seconds"] < 5


async def test_no_cookie_is_sent_or_shown(opened):
    """Neither those of the console's browser, nor the value of one that the gateway sets."""
    async with opened() as http:
        http.cookies.set("session", "of-the-browser")
        plain = (await send(http, "/echo/1")).json()
        given = (await send(http, "/echo/1", headers=[["Cookie", "a=1"]])).json()

    assert "of-the-browser" not in plain["text"]
    assert '["cookie","a=1"]' in given["text"]
    assert ["set-cookie", "__Host-bff=***; Secure; Path=/"] in plain["headers"]


class BySession:
    """Authenticates no one, and names the cookie of a session."""

    challenge = "Cookie"
    login = "/bff/login"

    def __init__(self):
        self.security_scheme = {"type": "apiKey", "in": "cookie", "name": "__Host-bff"}

    async def authenticate(self, scope):
        """Return no viewer."""


@pytest.mark.parametrize(("env", "is_sent"), [("development", True), ("production", False)])
async def test_the_session_of_the_browser_is_sent_if_the_page_wants_it(pages, env, is_sent):
    """That cookie only, and in development only."""
    app = made(auth="none", authenticator=BySession())
    async with running(app):
        source = GatewaySource(name="shop", commands=process_commands(app))
        console = pages.console([source])
        console.is_development = env == "development"
        async with browser(pages.app(console)) as http:
            http.cookies.set("__Host-bff", "mine")
            http.cookies.set("other", "not-this")
            plain = (await send(http, "/echo/1")).json()
            wanted = (await send(http, "/echo/1", with_session=True)).json()

    assert "mine" not in plain["text"]
    assert ('["cookie","__Host-bff=mine"]' in wanted["text"]) is is_sent
    assert "not-this" not in wanted["text"]


async def test_redirects_are_shown(opened):
    """The console calls no other host."""
    async with opened() as http:
        sent = (await send(http, "/away")).json()

    assert sent["status"] == 307
    assert ["location", "https://shop.example/"] in sent["headers"]


async def test_long_answers_are_cut(opened):
    """And bytes that are no text are described."""
    async with opened() as http:
        large = (await send(http, "/large")).json()
        picture = (await send(http, "/picture")).json()
        head = (await send(http, "/echo/1", "HEAD")).json()

    assert (large["size"], large["is_cut"]) == (api.MAX_TEXT_BYTES, True)
    assert picture["text"] == "(600 bytes that are no text)"
    assert (head["status"], head["text"]) == (200, "")


@pytest.mark.virtual_time
async def test_slow_answers_are_cut(opened):
    """A stream shows what arrived; without a head there is no answer."""
    async with opened(made(timeout=120.0)) as http:
        stream = (await send(http, "/v1/ticks")).json()
        slow = await send(http, "/v1/slow")

    assert (stream["status"], stream["is_cut"]) == (200, True)
    assert stream["text"].startswith("1") or "data: 1" in stream["text"]
    assert (slow.status_code, slow.json()["detail"]) == (504, "It took more than 30 seconds.")


@pytest.mark.parametrize(
    ("members", "status"),
    [
        ({"path": "http://evil.example/"}, 422),
        ({"path": "//evil.example/"}, 422),
        ({"path": "/\\evil.example/"}, 422),
        ({"path": "v1/home"}, 422),
        ({"path": ""}, 422),
        ({"path": "/a b"}, 422),
        ({"path": "/a\r\nx: y"}, 422),
        ({"path": "/a#b"}, 422),
        ({"path": "/é"}, 422),
        ({"path": "/" + "a" * 8192}, 422),
        ({"path": "/console/api/faults"}, 422),
        ({"path": "/console?x"}, 422),
        ({"path": "/", "method": "CONNECT"}, 422),
        ({"path": "/", "method": "get"}, 422),
        ({"path": "/", "method": "GET /x"}, 422),
        ({"path": "/", "headers": [["Host", "evil.example"]]}, 422),
        ({"path": "/", "headers": [["Connection", "close"]]}, 422),
        ({"path": "/", "headers": [["Transfer-Encoding", "chunked"]]}, 422),
        ({"path": "/", "headers": [["Upgrade", "websocket"]]}, 422),
        ({"path": "/", "headers": [["Content-Length", "1"]]}, 422),
        ({"path": "/", "headers": [["A B", "c"]]}, 422),
        ({"path": "/", "headers": [["", "c"]]}, 422),
        ({"path": "/", "headers": [["A", "b\r\nc: d"]]}, 422),
        ({"path": "/", "headers": [["A", "b\u0000"]]}, 422),
        ({"path": "/", "headers": [["A", "日"]]}, 422),
        ({"path": "/", "headers": [["A", "b"]] * 65}, 422),
        ({"path": "/", "headers": [["A", "b" * 16_384]]}, 422),
        ({"path": "/", "body": "x" * (512 * 1024 + 1)}, 422),
        ({"path": "/", "body": 1}, 422),
        ({"path": "/", "gateway": "other"}, 404),
    ],
)
async def test_what_is_no_request_to_the_gateway_is_refused(opened, members, status):
    """Each with a sentence that says what to do."""
    async with opened() as http:
        answer = await send(http, **members)

    assert answer.status_code == status
    assert answer.json()["detail"]


async def test_sending_needs_the_header_of_a_page(opened):
    """Pages of other origins can't send requests by the console."""
    async with opened() as http:
        answer = await http.post("/console/api/gateways/shop/send", json={})

    assert answer.status_code == 403


async def test_contracts_of_a_gateway(opened):
    """Its OpenAPI document, and its schema in the schema language."""
    async with opened() as http:
        document = await http.get("/console/api/gateways/shop/openapi.json")
        schema = await http.get("/console/api/gateways/shop/schema.graphql")
    async with opened(made(has_graphql=False)) as http:
        none = await http.get("/console/api/gateways/shop/schema.graphql")

    assert "/v1/slow" in document.json()["paths"]
    assert schema.text.startswith("type Query {")
    assert none.status_code == 503
    assert "no GraphQL schema" in none.json()["detail"]
