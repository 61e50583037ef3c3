"""In development: bodies as they were, without secrets, and requests that are sent again."""

import asyncio
import gzip

import msgspec
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from bff_core import gateway
from bff_core.console.process_state import state_of
from bff_core.console.requests.masked_body import shown_body
from bff_core.console.requests.replay import may_change
from bff_core.gateway.captures import (
    MAX_REQUEST_BYTES,
    MAX_RESPONSE_BYTES,
    Capture,
    Captures,
)
from bff_core.settings.model import Settings
from bff_core.testing import running
from tests.console.conftest import CHANGE, browser

TOKEN = "the-operator-s-own-token"


class Shop:
    """What the routes of a gateway have received."""

    def __init__(self) -> None:
        self.received: list[tuple[str, str, dict[str, str]]] = []

    def app(self, **settings):
        """Return the gateway."""
        values = {"env": "development", "log": "off", **settings}
        app = gateway("shop", settings=Settings(**values))

        @app.api_route("/v1/{name:path}", methods=["GET", "POST"])
        async def echo(name: str, request: Request) -> Response:
            body = (await request.body()).decode()
            self.received.append(
                (request.method, f"{request.url.path}|{body}", dict(request.headers))
            )
            if name == "big":
                return Response("x" * (MAX_RESPONSE_BYTES + 1), media_type="text/plain")
            if name == "binary":
                return Response(b"\xff\xfe", media_type="image/png")
            if name == "endless":
                return StreamingResponse(endless(), media_type="application/x-ndjson")
            return JSONResponse(
                headers={"set-cookie": "sid=s3cret", "location": "/x?code=s3cret"},
                content={
                    "id": name,
                    "e": "remi@shop.example",
                    "access_token": "t0p",
                    "cards": [{"title": "Tent " * 300}],
                },
            )

        return app


async def endless():
    """Yield lines for ever."""
    while True:
        yield b"{}\n"
        await asyncio.sleep(0.5)


async def newest(console) -> dict:
    """Return the newest request of the list."""
    rows = (await console.get("/console/api/requests")).json()["rows"]
    return (await console.get(f"/console/api/requests/{rows[0]['id']}")).json()


async def replay(console, request_id: str, **body):
    """Send a request again."""
    return await console.post(
        f"/console/api/requests/{request_id}/replay", json=body, headers=CHANGE
    )


async def test_the_body_is_shown_without_secrets():
    """It is that before compression; e-mail addresses and tokens are masked, products are not."""
    app = Shop().app()
    async with running(app) as client, browser(app) as console:
        await client.get("/v1/home", headers={"accept-encoding": "gzip"})
        detail = await newest(console)

    body = msgspec.json.decode(detail["body"])
    assert (body["id"], body["e"], body["access_token"]) == ("home", "***", "***")
    assert body["cards"][0]["title"].startswith("Tent Tent")
    assert ["content-encoding", "gzip"] in detail["response_headers"]
    assert detail["body_note"] == ""
    assert ["set-cookie", "***"] in detail["response_headers"]
    assert ["location", "/x?***"] in detail["response_headers"]


@pytest.mark.parametrize(
    ("name", "note"),
    [
        ("big", "The body is longer than the 256 KB that are stored."),
        ("binary", "The body is not text: image/png."),
    ],
)
async def test_a_body_that_is_not_shown_says_why(name, note):
    """Too long, or no text: an empty body always has a reason."""
    app = Shop().app()
    async with running(app) as client, browser(app) as console:
        await client.get(f"/v1/{name}")
        detail = await newest(console)

    assert (detail["body"], detail["body_note"]) == ("", note)


async def test_a_request_is_sent_again_as_it_was():
    """With its credentials and its query, but under a new id; the answer is a request, too."""
    shop = Shop()
    app = shop.app()
    headers = {"authorization": "Bearer demo-1", "x-request-id": "mine"}
    async with running(app) as client, browser(app) as console:
        await client.get("/v1/home?a=b%20c", headers=headers)
        first = await newest(console)
        replayed = await replay(console, first["row"]["id"])
        second = await newest(console)

    assert (first["can_replay"], first["needs_confirmation"]) == (True, False)
    assert replayed.json() == {"id": second["row"]["id"]}
    assert second["row"]["id"] != first["row"]["id"]
    assert second["path"] == first["path"] == "/v1/home?a=b%20c"
    assert [one[:2] for one in shop.received] == [("GET", "/v1/home|")] * 2
    assert [one[2]["authorization"] for one in shop.received] == ["Bearer demo-1"] * 2


async def test_a_write_is_sent_again_if_that_is_confirmed():
    """Nothing changes by a key that was pressed by mistake; both are in the audit log."""
    shop = Shop()
    app = shop.app()
    async with running(app) as client, browser(app) as console:
        await client.post("/v1/orders", content=b'{"a": 1}')
        first = await newest(console)
        refused = await replay(console, first["row"]["id"])
        confirmed = await replay(console, first["row"]["id"], confirm=True)
        acted = [one.text for one in state_of(app).actions]

    assert first["needs_confirmation"] is True
    assert (refused.status_code, refused.json()["title"]) == (
        409,
        "This request may change something",
    )
    assert confirmed.status_code == 200
    assert [one[1] for one in shop.received] == ['/v1/orders|{"a": 1}'] * 2
    assert acted == ["sent `POST /v1/{name}` again"]


async def test_a_body_that_was_too_long_is_not_sent_again():
    """A part of a request is never sent."""
    app = Shop().app()
    async with running(app) as client, browser(app) as console:
        await client.post("/v1/orders", content=b"x" * (MAX_REQUEST_BYTES + 1))
        first = await newest(console)
        refused = await replay(console, first["row"]["id"], confirm=True)

    assert first["can_replay"] is False
    assert "64 KB" in first["replay_note"]
    assert refused.status_code == 409


async def test_a_body_that_no_one_read_is_not_sent_again():
    """A request without it would be another one."""
    app = Shop().app()

    @app.post("/unread")
    async def unread() -> None:
        """Answer at once."""

    async with running(app) as client, browser(app) as console:
        await client.post("/unread", content=b"{}")
        await client.post("/unread")
        rows = (await console.get("/console/api/requests")).json()["rows"]
        without, with_body = [
            (await console.get(f"/console/api/requests/{one['id']}")).json() for one in rows
        ]

    assert (with_body["can_replay"], without["can_replay"]) == (False, True)
    assert "${BODY:?" in with_body["curl"]


async def test_in_production_no_body_is_stored():
    """Nothing of a body or a credential is in memory; the note says so."""
    app = Shop().app(
        env="production", console="on", operator_token=TOKEN, allowed_hosts=["localhost"]
    )
    headers = {**CHANGE, "authorization": f"Bearer {TOKEN}"}
    async with running(app) as client, browser(app) as console:
        console.headers.update(headers)
        await client.get("/v1/home")
        detail = await newest(console)
        refused = await replay(console, detail["row"]["id"], confirm=True)

    assert app.captures is None
    assert (detail["body"], detail["can_replay"]) == ("", False)
    assert detail["body_note"] == "Bodies and credentials are stored in development only."
    assert refused.status_code == 409


async def test_captures_are_bounded():
    """The newest are stored, whatever comes; of an older one the console says that it has none."""
    app = Shop().app()
    app.captures = Captures(max_stored=2)
    async with running(app) as client, browser(app) as console:
        for number in range(4):
            await client.get(f"/v1/{number}")
        rows = (await console.get("/console/api/requests")).json()["rows"]
        details = [(await console.get(f"/console/api/requests/{one['id']}")).json() for one in rows]

    assert len(app.captures) == 2
    assert [one["can_replay"] for one in details] == [True, True, False, False]
    assert details[-1]["body_note"].startswith("Not stored any more")


async def test_headers_count_as_stored_bytes():
    """Requests with long headers and no bodies displace older ones as well."""
    app = Shop().app()
    one = Capture(
        span_id="1", method="GET", target="/a", request_headers=[("x-a", "b" * 10)], request=b"cd",
        response_headers=[("y", "z")], response=b"efg",
    )  # fmt: skip
    async with running(app) as client, browser(app) as console:
        await client.get("/v1/home", headers={"x-a": "b" * 1000})
        await newest(console)
        found = [app.captures.get(span_id) for span_id in list(app.captures._stored)]

    assert one.stored_bytes == 2 + 13 + 2 + 2 + 3
    assert app.captures._size == sum(one.stored_bytes for one in found) > 1000


def captured(body: bytes, kind: str = "application/json") -> Capture:
    """Return the capture of a response."""
    return Capture(
        span_id="1", method="GET", target="/", request_headers=[], response=body,
        response_headers=[("content-type", kind)],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (b'{"password":"a"}', '{"password":"***"}'),
        (b'{"session":{"id":1}}', '{"session":{"id":"***"}}'),
        (b'{"pin":[1,2]}', '{"pin":["***","***"]}'),
        (b'{"secret":null,"token":true}', '{"secret":null,"token":true}'),
        (b'["a@b.example c"]', '["*** c"]'),
        (b'{"t":"Bearer abc"}', '{"t":"Bearer ***"}'),
        (b'{"api_key":1.5}', '{"api_key":"***"}'),
        (b"token=abc&a=b@c.example", "token=***&a=***"),
    ],
)
def test_what_is_masked(body, shown):
    """Values of secret-sounding names, credentials and addresses; the form stays as it was."""
    assert shown_body(captured(body)) == (shown, "")


@pytest.mark.parametrize(
    ("method", "target", "body", "changes"),
    [
        ("GET", "/v1/a", b"", False),
        ("HEAD", "/v1/a", b"", False),
        ("POST", "/v1/a", b"", True),
        ("DELETE", "/v1/a", b"", True),
        ("POST", "/graphql", b'{"query":"{ home { id } }"}', False),
        ("POST", "/graphql?x=1", b'{"query":"query A { id }"}', False),
        ("POST", "/graphql", b'{"query":"mutation { a }"}', True),
        ("POST", "/graphql", b'{"query":"mut\\u0061tion { a }"}', True),
        ("POST", "/graphql/", b'{"query":"{ a }"}', True),
    ],
)
def test_what_may_change_something(method, target, body, changes):
    """A query of GraphQL is a read although it is a POST; when in doubt it is a write."""
    capture = Capture(span_id="1", method=method, target=target, request_headers=[], request=body)

    assert may_change(capture, "/graphql") is changes


def test_a_compressed_body_of_the_application_itself_is_not_text():
    """A response that the route compressed is not decoded."""
    assert (
        shown_body(captured(gzip.compress(b"{}")))[1] == "The body is not text: application/json."
    )


@pytest.mark.parametrize("depth", [1_200, 200_000])
def test_a_body_that_is_nested_deeply_is_not_shown(depth):
    """The page of the request says so instead of failing."""
    body = b"[" * depth + b"]" * depth

    assert shown_body(captured(body)) == ("", "The body is nested too deeply to be shown.")


@pytest.mark.parametrize("body", [b'{"query":"\xff\xfe"}', b'{"query":' * 20_000, b"[" * 20_000])
def test_what_is_no_query_may_change_something(body):
    """Such a body has to be confirmed, like a mutation."""
    capture = msgspec.structs.replace(captured(b""), method="POST", target="/graphql", request=body)

    assert may_change(capture, "/graphql")
