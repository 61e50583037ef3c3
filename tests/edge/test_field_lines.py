"""A header in several lines means what it means in one (RFC 9110, section 5.3)."""

from typing import Annotated

import httpx
import pytest
from fastapi import FastAPI, Header, Request

from bff_core.auth.viewer import Viewer
from bff_core.edge.header_limits import LISTS, SINGULAR
from bff_core.http_exchange.request_context import EXCHANGE, SCOPE
from bff_core.policy.edge.rate_limits import Limit

HOST = (b"host", b"testserver")
LARGE = b'{"text": "' + b"word " * 1000 + b'"}'

LISTED = [
    "a-im", "accept", "accept-charset", "accept-encoding", "accept-language",
    "access-control-request-headers", "baggage", "cache-control", "cdn-loop", "connection",
    "content-encoding", "content-language", "expect", "forwarded", "if-match", "if-none-match",
    "link", "pragma", "prefer", "priority", "signature", "signature-input", "te", "tracestate",
    "trailer", "upgrade", "vary", "via", "want-content-digest", "want-repr-digest", "warning",
    "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto",
]  # fmt: skip


def lines(name: str, *values: str) -> list[tuple[bytes, bytes]]:
    """Return one header in several lines."""
    return [(name.encode(), value.encode()) for value in values]


def reading(found):
    """Return an application that notes what each reader of its request finds."""

    async def app(scope, _receive, send):
        found.update(scope=scope[SCOPE], fields=scope[EXCHANGE].fields, headers=scope["headers"])
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    return app


async def read(edged, *fields):
    """Return what an application behind the edge finds of a request with these fields."""
    found = {}
    await edged(reading(found), trusted_proxies=("unix",), client_traces=True).speak(
        [HOST, *fields]
    )
    return found


def test_the_lists_are_these():
    """A name that is missing is a list of which only one line counts."""
    assert sorted({*LISTED, "cookie"}) == sorted(name.decode() for name in LISTS)
    assert not LISTS & SINGULAR


@pytest.mark.parametrize(
    "name",
    sorted({*LISTED} - {"forwarded"} - {f"x-forwarded-{one}" for one in ("for", "host", "proto")}),
)
async def test_a_list_in_several_lines_is_one_list(edged, name):
    """For the edge, for a `Scope` and for FastAPI, in the order in which the lines came."""
    found = await read(edged, *lines(name, "a"), (b"x-between", b"1"), *lines(name, "b, c", "d"))

    assert found["scope"].header(name) == "a, b, c, d"
    assert found["fields"][name.encode()] == b"a, b, c, d"
    assert [value for key, value in found["headers"] if key == name.encode()] == [b"a, b, c, d"]


async def test_cookies_in_several_lines_are_joined_by_semicolons(edged):
    """HTTP/2 splits them, and a proxy may hand them on as they came."""
    found = await read(edged, *lines("cookie", "a=1", "b=2; c=3"))

    assert Request({"type": "http", "headers": found["headers"]}).cookies == {
        "a": "1", "b": "2", "c": "3",
    }  # fmt: skip
    assert found["scope"].header("cookie") == "a=1; b=2; c=3"


async def test_an_unknown_header_is_a_list_for_the_gateway(edged):
    """No line of it is overlooked; FastAPI's `list[str]` still finds one value per line."""
    found = await read(edged, *lines("x-tags", "a", "b"))

    assert found["scope"].header("x-tags") == "a, b"
    assert Request({"type": "http", "headers": found["headers"]}).headers.getlist("x-tags") == [
        "a", "b",
    ]  # fmt: skip


async def test_a_list_declared_with_header_gets_each_line(edged):
    """FastAPI documents this; the edge does not change it."""
    app = FastAPI()

    @app.get("/")
    async def tags(x_tags: Annotated[list[str], Header()]):
        return x_tags

    gateway = edged(app)
    answer = await gateway.get("/", headers=[("x-tags", "a"), ("x-tags", "b")])

    assert answer.json() == ["a", "b"]


@pytest.mark.parametrize("held", [("{tag}", '"y"'), ('"y"', "{tag}"), ('W/"z", "y"', "{tag}", "")])
async def test_an_entity_tag_in_any_line_is_found(edged, answering, held):
    """A proxy that splits If-None-Match does not cost a full answer."""
    gateway = edged(answering(headers=[(b"etag", b'"x"')]))

    answer = await gateway.get(
        "/", headers=[("if-none-match", one.replace("{tag}", '"x"')) for one in held]
    )

    assert answer.status_code == 304


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        (("gzip", "deflate"), "gzip"),
        (("deflate", "gzip"), "gzip"),
        (("br;q=0.5", "gzip;q=0.8"), "gzip"),
        (("gzip;q=0", "*"), "zstd"),
        (("identity", "gzip;q=0.5"), None),
    ],
)
async def test_codings_in_several_lines_are_one_list(edged, answering, accepted, coding):
    """Neither the first line nor the last decides alone."""
    app = answering(headers=[(b"content-type", b"application/json")], body=LARGE)
    transport = httpx.ASGITransport(edged(app).app)
    fields = [("host", "testserver"), *(("accept-encoding", one) for one in accepted)]

    async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:
        answer = await client.send(client.build_request("GET", "/", headers=fields), stream=True)

    assert answer.headers.get("content-encoding") == coding


async def test_a_second_key_does_not_change_who_is_counted(edged, answering):
    """Limits and authenticators read the same value: that of both lines."""
    found = []

    class Keys:
        """Plays an authenticator of API keys."""

        challenge = "Bearer"

        async def authenticate(self, scope):
            """Return the same viewer for any key."""
            found.append(dict(scope.headers)[b"x-api-key"])
            return Viewer("ada")

    limit = Limit(name="keys", quota=1, per=60, by="key", key_header="X-API-Key")
    gateway = edged(answering(), authenticator=Keys(), limits=[limit])

    answers = [
        await gateway.get("/", headers=[("x-api-key", "good"), ("x-api-key", "other")])
        for _ in range(2)
    ]

    assert found == [b"good, other", b"good, other"]
    assert [one.status_code for one in answers] == [200, 429]


async def test_doubled_lines_count_towards_the_bounds(edged, answering):
    """Joining them comes after counting them."""
    gateway = edged(answering(), max_fields=3)

    await gateway.speak([HOST, *lines("accept", "a", "b", "c")])

    assert gateway.status == 431
