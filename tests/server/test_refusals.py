"""Requests that the server refuses before the application: malformed and ambiguous ones."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bff_core import Settings, gateway
from tests.server.talking import HELLO, Shop, echo, hello, served

pytestmark = pytest.mark.uvloop

HOST = b"Host: localhost\r\n"
TARGETS = (
    *("ftp://a/", "http:///b", "http://:80/", "http://a:65536/", "http://[:::1]/", "http://a%2/"),
    *("http://u@localhost/a", "http://u:p@localhost/a", "http://@localhost/", "http://u@/"),
    *(
        "http://localhost@",
        "http://a@b@localhost/",
        "http://u%40@localhost/",
        "http://localhost@?a",
    ),
    *("/a#b", "/a?b#c", "http://localhost/a#b", "http://localhost#@a/", "/a\\b", "/\\evil.example"),
    *(
        "http://localhost\\@a/",
        "http://local\thost/",
        "/a\tb",
        "/a b",
        "/\x7f",
        "/\xe4",
        "*",
        "a",
        "?a",
    ),
)
"""What is no target, or is read differently by programs on the way."""

LINES = {
    "GET /hello HTTP/2.0": 505,
    "POST /hello HTTP/2.0": 505,
    **dict.fromkeys(("GET /hello HTTP/0.9", "GET /hello HTTP/3.0", "GET /hello HTTP/1.2"), 400),
    **dict.fromkeys(("GET /hello HTTP/1.10", "GET /hello http/1.1", "GET /hello HTTP/11"), 400),
    **dict.fromkeys(("GET /hello RTSP/1.0", "GET /hello RTSP/1.1", "POST /hello RTSP/1.1"), 400),
    **dict.fromkeys(("OPTIONS * RTSP/1.0", "OPTIONS /hello RTSP/1.1", "SETUP / RTSP/1.0"), 400),
    **dict.fromkeys(("SOURCE /hello ICE/1.0", "SOURCE /hello ICE/1.1", "GET /hello SIP/2.0"), 400),
    **dict.fromkeys(("GET  /hello HTTP/1.1", "GET /hello  HTTP/1.1", "GET /hello HTTP/1.1 "), 400),
    **dict.fromkeys(("PRI * HTTP/2.0", "PRI * HTTP/1.1", "PRI /hello HTTP/1.1"), 400),
}
"""Request lines of other protocols and versions, and the status that refuses them."""


def request(*fields: bytes, line: bytes = b"GET /hello HTTP/1.1", body: bytes = b"") -> bytes:
    """Write a request."""
    return b"\r\n".join((line, *fields, b"", b"")) + body


REFUSED = {
    "no host": (400, request()),
    "two hosts": (400, request(b"Host: a", b"Host: b")),
    "the same host twice": (400, request(b"Host: a", b"Host: a")),
    "a host that is none": (400, request(b"Host: a b")),
    "bare line feeds": (400, b"GET /hello HTTP/1.1\nHost: localhost\n\n"),
    "one bare line feed": (400, b"GET /hello HTTP/1.1\r\nHost: localhost\nX: 1\r\n\r\n"),
    "length and chunks": (
        400,
        request(
            *(b"Host: a", b"Content-Length: 5", b"Transfer-Encoding: chunked"),
            line=b"POST / HTTP/1.1",
            body=b"0\r\n\r\n",
        ),
    ),
    "two lengths": (400, request(b"Host: a", b"Content-Length: 1", b"Content-Length: 2")),
    "a length with a sign": (400, request(b"Host: a", b"Content-Length: +1")),
    "a folded field": (400, request(b"Host: a", b"X: 1", b" 2")),
    "a space before the colon": (400, request(b"Host: a", b"X : 1")),
    "a null byte": (400, request(b"Host: a", b"X: \x00")),
    "a lone carriage return": (400, request(b"Host: a", b"X: 1\r2")),
    "chunks in HTTP/1.0": (
        400,
        request(b"Host: a", b"Transfer-Encoding: chunked", line=b"POST / HTTP/1.0"),
    ),
    "a transfer coding that is not supported": (
        501,
        request(b"Host: a", b"Transfer-Encoding: gzip, chunked", line=b"POST / HTTP/1.1"),
    ),
    "an expectation that is not supported": (417, request(b"Host: a", b"Expect: tea")),
    "a tunnel": (501, request(b"Host: a:443", line=b"CONNECT a:443 HTTP/1.1")),
    "a host with a user": (400, request(b"Host: u@a")),
    "a host without a name": (400, request(b"Host: :80")),
    "a host with a port that is none": (400, request(b"Host: a:65536")),
    "a host with half a code": (400, request(b"Host: a%2")),
    "an address that is none": (400, request(b"Host: [:::1]")),
    "HTTP/0.9": (400, b"GET /hello\r\n\r\n"),
    "HTTP/0.9 with fields": (400, b"GET /hello\r\nHost: a\r\n\r\n"),
    "HTTP/2 without asking": (400, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    "TLS on a plain port": (400, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(64)),
    "100 KB of headers": (431, request(b"Host: a", b"X: " + b"x" * 100_000)),
    "100 KB of a target": (431, request(b"Host: a", line=b"GET /" + b"x" * 100_000)),
    "100 KB of empty lines": (431, b"\r\n" * 50_000 + HELLO),
    "a thousand headers": (431, request(b"Host: a", *[b"X-%d: 1" % n for n in range(1000)])),
}


REFUSED |= {
    target: (400, request(b"Host: a", line=b"GET %b HTTP/1.1" % target.encode("latin-1")))
    for target in TARGETS
}
REFUSED |= {
    line: (status, request(b"Host: localhost", line=line.encode()))
    for line, status in LINES.items()
}


@pytest.mark.parametrize("case", REFUSED)
async def test_an_ambiguous_request_is_refused(case):
    """The client gets problem details with ids; the application is never called."""
    status, data = REFUSED[case]
    shop = Shop()

    async with served(shop) as server, server.client() as client:
        client.send(data)
        answer = await client.answer()

        assert answer.status == status
        assert await client.is_closed()
    assert answer.fields["content-type"] == "application/problem+json"
    assert answer.fields["connection"] == "close"
    assert answer.fields["x-content-type-options"] == "nosniff"
    assert answer.problem["status"] == status
    assert len(answer.problem["trace_id"]) == 32
    assert answer.problem["request_id"] == answer.fields["x-request-id"]
    assert shop.scopes == []


async def test_a_refusal_arrives_although_the_client_still_sends():
    """An immediate close would reset the connection, and the client would lose the answer."""
    async with served(Shop()) as server, server.client() as client:
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\nX: ")
        for _ in range(40):
            client.send(b"x" * 50_000)

        assert (await client.answer()).status == 431
        assert await client.is_closed()


async def test_a_refusal_waits_for_the_answer_before_it():
    """Of two requests on one connection the first is answered, the second refused."""
    async with served(Shop()) as server, server.client() as client:
        client.send(HELLO + b"GET / HTTP/1.1\r\n\r\n" + HELLO)

        assert [(await client.answer()).status for _ in range(2)] == [200, 400]
        assert await client.is_closed()


async def test_the_ids_of_the_caller_are_used():
    """A refusal can be found in the log and the trace of the client."""
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    fields = (b"X-Request-ID: r-1", b"Traceparent: 00-%b-00f067aa0ba902b7-01" % trace.encode())

    async with served(Shop()) as server:
        answer = await server.say(request(*fields))

    assert (answer.problem["request_id"], answer.problem["trace_id"]) == ("r-1", trace)


async def test_trailers_are_dropped():
    """A trailer has passed no check, so it must not look like a header."""
    shop = Shop(routes={"/": echo})
    chunks = b"5\r\nhello\r\n0\r\nAuthorization: Bearer forged\r\n\r\n"

    async with served(shop) as server:
        answer = await server.say(
            request(HOST[:-2], b"Transfer-Encoding: chunked", line=b"POST / HTTP/1.1", body=chunks)
        )

    assert answer.body == b"hello"
    assert [name for name, _ in shop.scopes[0]["headers"]] == [b"host", b"transfer-encoding"]


@pytest.mark.parametrize("protocol", [b"Connection: Upgrade\r\nUpgrade: h2c\r\n", b""])
@pytest.mark.parametrize(
    "field", [b"Connection: close", b"connection: upgrade", b"Proxy-Connection: close"]
)
async def test_a_trailer_can_not_close_a_shared_connection(field, protocol):
    """The parser would apply it, and refuse the next request of the connection."""
    shop = Shop(routes={"/": echo})
    chunks = b"5\r\nhello\r\n0\r\n%b\r\n\r\n" % field

    async with served(shop) as server, server.client() as client:
        client.send(
            b"POST / HTTP/1.1\r\nHost: a\r\n%bTransfer-Encoding: chunked\r\n\r\n%b"
            % (protocol, chunks)
        )
        answer = await client.answer()
        assert await client.is_closed()

    assert (answer.status, shop.bodies) == (400, [])


BEHIND = {
    "HTTP/2.0": 505,
    "HTTP/0.9": 400,
    "RTSP/1.0": 400,
    "RTSP/1.1": 400,
    "ICE/1.0": 400,
    " HTTP/1.1": 400,
}


@pytest.mark.parametrize("segments", ["one", "two"])
@pytest.mark.parametrize("framing", ["length", "chunks", "field"])
@pytest.mark.parametrize("version", BEHIND)
async def test_a_body_can_not_fake_the_version_of_the_next_request(version, framing, segments):
    """A body or a field may contain the request line that a pipelined request should have."""
    line = b"GET /hello HTTP/1.1"
    first = {
        "length": b"Content-Length: %d\r\n\r\n%b\r\n" % (len(line) + 2, line),
        "chunks": b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(line), line),
        "field": b"X: %b\r\n\r\n" % line,
    }[framing]
    second = b"GET /hello %b\r\nHost: a\r\n\r\n" % version.encode()
    sent = b"POST / HTTP/1.1\r\nHost: a\r\n" + first + second
    at = len(sent) if segments == "one" else len(sent) - len(second) + 11
    shop = Shop(routes={"/": echo})

    async with served(shop) as server, server.client() as client:
        client.send(sent[:at])
        first_answer = await client.answer()
        client.send(sent[at:])
        answer = await client.answer()
        assert await client.is_closed()

    assert (first_answer.status, answer.status) == (200, BEHIND[version])
    assert [scope["path"] for scope in shop.scopes] == ["/"]


async def test_requests_may_be_pipelined_after_a_body_that_looks_like_one():
    """A request line in a body is no reason to refuse what follows."""
    shop = Shop(routes={"/": echo})
    body = b"GET /hello HTTP/1.1\r\nGET /hello HTTP/1.0"

    async with served(shop) as server, server.client() as client:
        length = b"Content-Length: %d" % len(body)
        client.send(request(HOST[:-2], length, line=b"POST / HTTP/1.1", body=body) + HELLO * 2)
        answers = [await client.answer() for _ in range(3)]

    assert [one.body for one in answers] == [body, b"hello", b"hello"]


@pytest.mark.parametrize("wrapping", [b"0\r\nX: ", b"0\r\n", b"5;x="])
async def test_the_framing_of_a_body_is_limited(wrapping):
    """Trailers and chunk extensions are not used, so megabytes of them are refused."""
    app = gateway("strict", settings=Settings(env="development", log="off"))
    app.post("/")(takes_a_body)
    head = request(HOST[:-2], b"Transfer-Encoding: chunked", line=b"POST / HTTP/1.1")
    piece = b"X: 1\r\n" * 10_000 if wrapping == b"0\r\n" else b"x" * 60_000

    async with served(app) as server, server.client() as client:
        client.send(head + b"2\r\n{}\r\n" + wrapping)
        for _ in range(5):
            client.send(piece)
        answer = await client.answer()

    assert answer.status == 431
    assert answer.fields["connection"] == "close"


async def takes_a_body(body: dict[str, int]) -> dict[str, int]:
    """Answer with what was sent."""
    return body


async def test_nothing_is_read_after_the_last_request():
    """The request that ends its connection is answered, whatever follows."""
    read = asyncio.Event()

    async def late(shop, scope, receive, send):
        await read.wait()
        await hello(shop, scope, receive, send)

    async with served(Shop(routes={"/": late})) as server, server.client() as client:
        client.send(request(HOST[:-2], b"Connection: close", line=b"GET / HTTP/1.1"))
        for _ in range(4):
            client.send(b"x" * 50_000)
            await server.say(HELLO)  # it has arrived
        read.set()

        assert (await client.answer()).body == b"hello"


@pytest.mark.parametrize("segments", ["one", "each byte", "behind another"])
@pytest.mark.parametrize("line", [one for one in LINES if "RTSP" in one])
async def test_another_protocol_is_refused_in_any_segments(line, segments):
    """The parser takes it for HTTP, so the bytes are searched, however they arrive."""
    shop = Shop()
    method, target, _ = line.encode().split()
    decoys = [b"X: %b %b HTTP/1.%d" % (method, target, minor) for minor in (0, 1)]
    fields = [] if segments == "behind another" else decoys
    sent = request(b"Host: localhost", *fields, line=line.encode())

    async with served(shop) as server, server.client() as client:
        if segments == "behind another":
            client.send(HELLO + HELLO + sent)
            assert [(await client.answer()).status for _ in range(2)] == [200, 200]
        else:
            size = len(sent) if segments == "one" else 1
            for at in range(0, len(sent), size):
                client.send(sent[at : at + size])
                await asyncio.sleep(0)
        answer = await client.answer()
        assert await client.is_closed()

    assert answer.status == 400
    assert {scope["path"] for scope in shop.scopes} <= {"/hello"}


async def test_a_request_line_may_come_in_pieces_after_a_body():
    """However the network segments several requests, each of them is answered."""
    shop = Shop(routes={"/": echo})
    post = request(HOST[:-2], b"Content-Length: 3", line=b"POST / HTTP/1.1", body=b"abc")
    sent = post + HELLO + post

    async with served(shop) as server:
        for at in range(1, len(sent)):
            async with server.client() as client:
                client.send(sent[:at])
                await client.writer.drain()
                await asyncio.sleep(0)
                client.send(sent[at:])
                answers = [(await client.answer()).body for _ in range(3)]

            assert answers == [b"abc", b"hello", b"abc"]


async def test_options_may_have_an_asterisk_as_target():
    """It is the only such method."""
    shop = Shop()

    async with served(shop) as server:
        answer = await server.say(request(b"Host: a", line=b"OPTIONS * HTTP/1.1"))

    assert (answer.status, shop.scopes[0]["path"]) == (200, "*")


@pytest.mark.parametrize("authority", [b"shop.example", b"shop.example:80", b"[::1]:8000"])
async def test_the_host_of_the_target_replaces_the_host_field(authority):
    """A target in absolute form has the host, whatever the Host field says."""
    shop = Shop()

    async with served(shop) as server:
        await server.say(request(b"Host: forged", line=b"GET http://%b/a?b HTTP/1.1" % authority))

    assert shop.scopes[0]["headers"] == [(b"host", authority)]
    assert (shop.scopes[0]["path"], shop.scopes[0]["query_string"]) == ("/a", b"b")


async def test_http_1_0_needs_no_host():
    """Its probes are answered, and the connection ends."""
    async with served(Shop()) as server, server.client() as client:
        client.send(b"GET /hello HTTP/1.0\r\n\r\n")

        assert (await client.answer()).body == b"hello"
        assert await client.is_closed()


PIECES = st.sampled_from(
    [
        *(b"GET ", b"POST ", b"/", b" HTTP/1.1", b"\r\n", b"\n", b"\r", b"\r\n\r\n", b" ", b"\t"),
        *(b"Host: a", b"Host:", b"Content-Length: 3", b"Transfer-Encoding: chunked", b"abc"),
        *(b"0\r\n\r\n", b"3\r\nabc\r\n", b"Connection: close", b"Connection: upgrade", b"Expect: "),
        *(b"Upgrade: websocket", b"Upgrade: h2c", b"100-continue", b"%00", b"\x00", b"\xff", HELLO),
    ]
)


@pytest.mark.alone
@settings(max_examples=150, deadline=None)
@given(st.lists(st.one_of(PIECES, st.binary(max_size=8)), max_size=24))
async def test_whatever_is_sent_the_next_client_is_served(pieces):
    """No bytes crash the server, leave a task behind, or hold memory."""
    shop = Shop(routes={"/": echo})

    async with served(shop, header_timeout=0.05, body_timeout=0.05, keep_alive=0.05) as server:
        async with server.client() as client:
            for piece in pieces:
                client.send(piece)
            client.writer.write_eof()
            await client.reader.read()
        answer = await server.say(HELLO)

    assert answer.body == b"hello"
    assert shop.running == 0
    for scope in shop.scopes:
        names = [name for name, _ in scope["headers"]]
        assert names.count(b"host") == 1 or scope["http_version"] == "1.0"
        assert not {b"content-length", b"transfer-encoding"} <= set(names)
