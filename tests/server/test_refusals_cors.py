"""CORS on refusals of the server: pages that may read answers may read refusals."""

import asyncio

import pytest

from bff_core import Settings, gateway
from tests.server.talking import Shop, hang, served, until

pytestmark = pytest.mark.uvloop

SHOP, PREVIEW, STRANGER = (
    "https://shop.example",
    "https://a.preview.example",
    "https://evil.example",
)


def head(*fields: str, line: str = "GET /wait HTTP/1.1") -> bytes:
    """Return the head of a request that a page sends, up to fields of one's own."""
    return "\r\n".join([line, "Host: localhost", "Origin: {origin}", *fields, "", ""]).encode()


CHUNKED = "Transfer-Encoding: chunked"
HANDSHAKE = ["Connection: Upgrade", "Upgrade: websocket"]
REFUSED = {
    "no target": (400, head(line="GET /a#b HTTP/1.1")),
    "two hosts": (400, head("Host: a")),
    "a malformed field": (400, head("X : 1")),
    "a malformed chunk": (400, head(CHUNKED, line="POST /wait HTTP/1.1") + b"zz\r\n"),
    "a head that never ends": (408, head()[:-2]),
    "a body that never ends": (408, head("Content-Length: 9", line="POST /wait HTTP/1.1")),
    "an unknown expectation": (417, head("Expect: tea")),
    "a large field after a malformed one": (400, head("X : 1", "Y: " + "x" * 100_000)),
    "a large head": (431, head("X: " + "x" * 100_000)),
    "a thousand fields": (431, head(*[f"X-{n}: 1" for n in range(1000)])),
    "an unknown coding": (501, head("Transfer-Encoding: gzip, chunked")),
    "an unknown version": (505, head(line="GET /wait HTTP/2.0")),
    "a handshake with a body": (400, head(*HANDSHAKE, "Content-Length: 5")),
}


LATE = b"GET /wait HTTP/1.1\r\nHost: localhost\r\nX: %b\r\nOrigin: {origin}\r\n\r\n"


def open_gateway(**settings):
    """Make a gateway that waits for the body, and whose previews may read."""
    settings = {"cors_origins": (SHOP, "https://*.preview.example")} | settings
    app = gateway("shop", settings=Settings(env="development", log="off", **settings))

    @app.api_route("/wait", methods=["GET", "POST"])
    async def wait(body: dict[str, int] | None = None) -> None:
        await asyncio.Event().wait()

    return app


async def refused(data: bytes, origin: str, app=None):
    """Send bytes of a page of an origin; return the refusal."""
    async with served(
        app or open_gateway(), header_timeout=0.2, body_timeout=0.2, linger=0
    ) as server:
        return await server.say(data.replace(b"{origin}", origin.encode()))


@pytest.mark.mostly_slow
@pytest.mark.parametrize("origin", [SHOP, PREVIEW])
@pytest.mark.parametrize("case", REFUSED)
async def test_a_page_can_read_a_refusal_of_the_server(case, origin):
    """Without CORS a script gets "network error", whatever the answer."""
    status, data = REFUSED[case]

    answer = await refused(data, origin)

    assert answer.status == answer.problem["status"] == status
    assert answer.fields["access-control-allow-origin"] == origin
    assert "Retry-After" in answer.fields["access-control-expose-headers"]
    assert "Origin" in answer.fields["vary"].split(", ")


@pytest.mark.mostly_slow
@pytest.mark.parametrize("origin", [STRANGER, "null", "https://shop.example.evil.example"])
@pytest.mark.parametrize("case", REFUSED)
async def test_a_page_of_another_origin_can_not_read_a_refusal(case, origin):
    """It has no CORS headers, and Vary, so that a cache does not mix them."""
    status, data = REFUSED[case]

    answer = await refused(data, origin)

    assert answer.status == status
    assert not [name for name in answer.fields if name.startswith("access-control")]
    assert "Origin" in answer.fields["vary"].split(", ")


async def test_the_origin_of_a_too_large_head_is_found():
    """If it has arrived: a browser sends some fields before it."""
    answer = await refused(LATE % (b"x" * 66_000), SHOP)

    assert answer.status == 431
    assert answer.fields["access-control-allow-origin"] == SHOP


async def test_two_origins_count_as_none():
    """The server does not guess which one is right."""
    answer = await refused(head(f"Origin: {SHOP}", line="GET /a#b HTTP/1.1"), SHOP)

    assert not [name for name in answer.fields if name.startswith("access-control")]


async def test_credentials_are_allowed_as_the_gateway_allows_them():
    """A page that sends cookies reads the refusal, too."""
    answer = await refused(REFUSED["two hosts"][1], SHOP, open_gateway(cors_credentials=True))

    assert answer.fields["access-control-allow-credentials"] == "true"


async def test_a_gateway_without_cors_sends_no_vary():
    """Nothing differs by origin."""
    answer = await refused(REFUSED["two hosts"][1], SHOP, open_gateway(cors_origins=()))

    assert not {"vary", "access-control-allow-origin"} & set(answer.fields)


async def test_a_refusal_to_everybody_does_not_vary():
    """A star is the same for all origins."""
    answer = await refused(REFUSED["two hosts"][1], STRANGER, open_gateway(cors_origins=("*",)))

    assert answer.fields["access-control-allow-origin"] == "*"
    assert "vary" not in answer.fields


async def test_a_page_can_read_that_the_gateway_restarts():
    """The 503 at the end of the grace period, with `Retry-After`."""
    async with served(open_gateway()) as server, server.client() as client:
        client.send(head().replace(b"{origin}", SHOP.encode()))
        await until(lambda: bool(server.serving.state.tasks))
        (connection,) = server.serving.connections
        connection.cancel()
        answer = await client.answer()

    assert (answer.status, answer.fields["retry-after"]) == (503, "1")
    assert answer.fields["access-control-allow-origin"] == SHOP
    assert answer.fields["vary"] == "Origin"


async def test_an_application_that_is_no_gateway_has_no_cors():
    """The server has no origins to allow then."""
    app = Shop(routes={"/wait": hang})

    answer = await refused(REFUSED["two hosts"][1], SHOP, app)

    assert not {"vary", "access-control-allow-origin"} & set(answer.fields)
