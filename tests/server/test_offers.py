"""Bodies after an upgrade offer: they are read as their head frames them."""

import asyncio
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest
from fastapi import Request
from hypothesis import given, settings
from hypothesis import strategies as st

from bff_core import Settings, gateway
from bff_core.server.options import ServerOptions
from bff_core.server.parser import RequestReader
from tests.server.talking import HELLO, Shop, echo, served

pytestmark = pytest.mark.uvloop

SMUGGLED = (
    b"GET /operator/cache HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: 10.9.9.9\r\n"
    b"Content-Length: 0\r\n\r\n"
)
LENGTH = b"Content-Length: %d\r\n\r\n%b" % (len(SMUGGLED), SMUGGLED)
CHUNKS = b"Transfer-Encoding: chunked\r\n\r\n%x;note=1\r\n%b\r\n0\r\nX-Trailer: 1\r\n\r\n"
FRAMINGS = {"length": LENGTH, "chunked": CHUNKS % (len(SMUGGLED), SMUGGLED)}
PROTOCOLS = (b"h2c", b"websocket", b"foo", b"websocket, h2c", b"HTTP/2.0", b"TLS/1.0")


def offer(
    framed: bytes,
    *,
    method: bytes = b"POST",
    protocol: bytes = b"h2c",
    version: bytes = b"1.1",
    connection: bytes = b"Upgrade",
    path: bytes = b"/",
) -> bytes:
    """Return a request that offers an upgrade, its body framed."""
    line = b"%b %b HTTP/%b\r\nHost: localhost\r\n" % (method, path, version)
    return line + b"Connection: %b\r\nUpgrade: %b\r\n%b" % (connection, protocol, framed)


def cut(data: bytes, *, segments: str) -> list[bytes]:
    """Cut a request as a network might."""
    if segments == "each byte":
        return [bytes((byte,)) for byte in data]
    at = data.index(b"\r\n\r\n") + 4
    return {"one": [data], "head, body": [data[:at], data[at:]]}[segments]


@pytest.mark.parametrize("segments", ["one", "head, body", "each byte"])
@pytest.mark.parametrize(
    ("framing", "method", "protocol"),
    [
        (framing, method, protocol)
        for framing, method, protocol in product(FRAMINGS, (b"GET", b"POST", b"PUT"), PROTOCOLS)
        if (method, protocol) != (b"GET", b"websocket")
    ],
)
async def test_a_body_after_an_upgrade_offer_is_not_a_request(framing, method, protocol, segments):
    """Its own handler gets it whole, and pipelined requests are answered once."""
    shop = Shop(routes={"/": echo})
    sent = offer(FRAMINGS[framing], method=method, protocol=protocol)

    async with served(shop) as server, server.client() as client:
        for piece in cut(sent + HELLO, segments=segments):
            client.send(piece)
            await asyncio.sleep(0)
        first, second = await client.answer(), await client.answer()
        client.send(HELLO)
        third = await client.answer()

    assert (first.body, second.body, third.body) == (SMUGGLED, b"hello", b"hello")
    assert [scope["path"] for scope in shop.scopes] == ["/", "/hello", "/hello"]


@pytest.mark.parametrize("segments", ["one", "head, body", "each byte"])
@pytest.mark.parametrize("framing", FRAMINGS)
async def test_a_handshake_with_a_body_is_refused(framing, segments):
    """One 400, and the connection ends: no web socket begins."""
    shop = Shop(routes={"/": echo})
    sent = offer(FRAMINGS[framing], method=b"GET", protocol=b"websocket")

    async with served(shop) as server, server.client() as client:
        for piece in cut(sent + HELLO, segments=segments):
            client.send(piece)
        answer = await client.answer()
        assert await client.is_closed()

    assert (answer.status, shop.scopes) == (400, [])
    assert answer.fields["content-type"] == "application/problem+json"


@pytest.mark.parametrize("framing", FRAMINGS)
async def test_an_offer_with_a_body_may_end_its_connection(framing):
    """`Connection: upgrade, close` is one request and one answer, whatever follows."""
    shop = Shop(routes={"/": echo})

    async with served(shop) as server, server.client() as client:
        client.send(offer(FRAMINGS[framing], connection=b"upgrade, close") + HELLO)
        answer = await client.answer()
        assert await client.is_closed()

    assert (answer.body, answer.fields["connection"]) == (SMUGGLED, "close")
    assert len(shop.scopes) == 1


@pytest.mark.parametrize("protocol", [b"h2c", b"websocket"])
@pytest.mark.parametrize("method", [b"GET", b"POST"])
async def test_the_offer_of_an_http_1_0_client_is_ignored(method, protocol):
    """As RFC 9110 requires; its body is read, and its connection ends."""
    shop = Shop(routes={"/": echo})

    async with served(shop) as server, server.client() as client:
        client.send(offer(LENGTH, method=method, protocol=protocol, version=b"1.0") + HELLO)
        answer = await client.answer()
        assert await client.is_closed()

    assert answer.body == SMUGGLED
    assert len(shop.scopes) == 1


async def test_an_http_1_0_handshake_opens_no_web_socket():
    """HTTP/1.0 has no upgrade: the request is an ordinary one."""
    async with served(Shop()) as server:
        answer = await server.say(
            offer(b"\r\n", method=b"GET", protocol=b"websocket", version=b"1.0", path=b"/hello")
        )

    assert (answer.status, answer.body) == (200, b"hello")


async def test_a_client_may_offer_an_upgrade_and_expect_a_100():
    """The 100 comes before the body is sent, and the answer after it."""
    shop = Shop(routes={"/": echo})

    async with served(shop) as server, server.client() as client:
        client.send(offer(b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(SMUGGLED)))
        first = await client.answer()
        client.send(SMUGGLED + HELLO)
        answers = [await client.answer() for _ in range(2)]

    assert (first.status, [one.body for one in answers]) == (100, [SMUGGLED, b"hello"])


async def test_an_answer_before_the_end_of_such_a_body_ends_the_connection():
    """The rest of the body is not parsed as a request."""
    shop = Shop()
    sent = offer(LENGTH, path=b"/hello")

    async with served(shop) as server, server.client() as client:
        client.send(sent[:-40])
        answer = await client.answer()
        client.send(sent[-40:] + HELLO)
        assert await client.is_closed()

    assert (answer.body, answer.fields["connection"]) == (b"hello", "close")
    assert len(shop.scopes) == 1


BROKEN = {
    "no chunk": (400, b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"),
    "no end of a chunk": (400, b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}x\r\n"),
    "an endless extension": (431, b"Transfer-Encoding: chunked\r\n\r\n5;x=" + b"x" * 200_000),
    "endless trailers": (
        431,
        b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n" + b"X: 1\r\n" * 40_000,
    ),
    "a slow body": (408, b"Content-Length: 50\r\n\r\n{"),
    "two lengths": (400, b"Content-Length: 50\r\nContent-Length: 2\r\n\r\n{}"),
    "length and chunks": (400, b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    "another coding": (501, b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
}


@pytest.mark.parametrize("kind", ["gateway", "plain"])
@pytest.mark.parametrize("case", BROKEN)
async def test_a_malformed_body_after_an_offer_gets_one_answer(case, kind):
    """The limits and deadlines are those of any body, for any application."""
    status, framed = BROKEN[case]
    app = reading_gateway() if kind == "gateway" else Shop(routes={"/": echo})

    async with served(app, body_timeout=0.2) as server, server.client() as client:
        client.send(offer(b"Content-Type: application/json\r\n" + framed))
        answer = await client.answer()
        assert await client.is_closed()

    assert answer.status == status


def reading_gateway():
    """Make a gateway that answers with what was posted and by whom."""
    app = gateway("reading", settings=Settings(env="development", log="off"))

    @app.post("/")
    async def take(body: dict[str, str], request: Request) -> dict[str, str]:
        return body | {"from": request.client.host, "by": request.headers.get("user-agent", "")}

    @app.get("/hello")
    async def hello() -> str:
        return "hello"

    return app


@pytest.mark.parametrize("framing", FRAMINGS)
async def test_a_gateway_reads_the_body_after_an_offer(framing):
    """Its handler gets the JSON, and the next request is parsed."""
    body = b'{"a":"GET /hello HTTP/1.1"}'
    framed = {
        "length": b"Content-Length: %d\r\n\r\n%b" % (len(body), body),
        "chunked": CHUNKS % (len(body), body),
    }[framing]

    async with served(reading_gateway()) as server, server.client() as client:
        client.send(offer(b"Content-Type: application/json\r\n" + framed) + HELLO)
        answers = [await client.answer() for _ in range(2)]

    assert [one.status for one in answers] == [200, 200]
    assert [answers[0].problem["a"], answers[1].problem] == ["GET /hello HTTP/1.1", "hello"]


@pytest.mark.parametrize("target", [b"/hello", b"*", b"http://localhost/hello", b"localhost:80"])
async def test_connect_is_refused_in_every_form(target):
    """The parser ends at the head as well: what follows is never read."""
    shop = Shop()
    head = b"CONNECT %b HTTP/1.1\r\nHost: localhost\r\n" % target

    async with served(shop) as server, server.client() as client:
        client.send(head + LENGTH)
        answer = await client.answer()
        assert await client.is_closed()

    assert (answer.status, shop.scopes) == (501, [])


POSTING = """
import java.io.*;
import java.net.URI;
import java.net.http.*;
import java.net.http.HttpRequest.BodyPublishers;

public class Posting {
    public static void main(String[] to) throws Exception {
        HttpClient client = HttpClient.newHttpClient();
        byte[] body = "{\\"a\\":\\"java\\"}".getBytes();
        for (var sent : new HttpRequest.BodyPublisher[] {
            BodyPublishers.ofByteArray(body),
            BodyPublishers.ofInputStream(() -> new ByteArrayInputStream(body)),
            BodyPublishers.ofByteArray(body),
        }) {
            var request = HttpRequest.newBuilder(URI.create(to[0]))
                .header("Content-Type", "application/json").POST(sent).build();
            var answer = client.send(request, HttpResponse.BodyHandlers.ofString());
            System.out.println(answer.statusCode() + " " + answer.body());
        }
    }
}
"""


async def run(*command: str) -> list[str]:
    """Run a program to its end; return its lines."""
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    written, _ = await asyncio.wait_for(process.communicate(), 60)
    return written.decode().splitlines()


@pytest.mark.slow
@pytest.mark.needs("java")
async def test_java_s_own_client_can_post(tmp_path: Path):
    """It offers HTTP/2 with each request over cleartext, and sends lengths and chunks."""
    source = tmp_path / "Posting.java"
    source.write_text(POSTING)

    async with served(reading_gateway()) as server:
        lines = await run("java", "-Xshare:auto", str(source), f"http://localhost:{server.port}/")

    assert len(lines) == 3
    assert all(line.startswith('200 {"a":"java"') and "Java-http-client" in line for line in lines)


@pytest.mark.slow
@pytest.mark.needs("curl")
async def test_curl_can_post_with_an_offer_of_http_2():
    """`curl --http2` twice over one connection: both bodies arrive."""
    post = ("-s", "--http2", "-H", "Content-Type: application/json", "-d", '{"a":"curl"}')

    async with served(reading_gateway()) as server:
        url = f"http://localhost:{server.port}/"
        lines = await run("curl", *post, "-w", "\\n", url, "--next", *post, url)

    assert [line.partition(',"from"')[0] for line in lines] == ['{"a":"curl"'] * 2


class Notes:
    """A sink that writes down what it is handed."""

    def __init__(self, *, offers: bool) -> None:
        self.requests: list[object] = []
        self.reader = RequestReader(self, ServerOptions(max_head=1024), can_upgrade=True)
        self._name = b"upgrade" if offers else b"upgradx"

    def begin(self) -> None:
        reader = self.reader
        fields = [field for field in reader.headers if field[0] != self._name]
        head = (reader.method, reader.version, reader.target, fields)
        self.requests.append([head, reader.is_last, reader.continues, b"", False])

    def body(self, piece: bytes) -> None:
        self.requests[-1][3] += piece

    def end(self) -> None:
        reader = self.reader
        self.requests[-1][4] = (reader.method, reader.version, len(reader.headers))

    def read(self, pieces: Iterator[bytes]) -> tuple[list[object], object]:
        for piece in pieces:
            if not self.reader.feed(piece):
                break
        return self.requests, self.reader.fault


BODIES = st.one_of(
    st.binary(max_size=40),
    st.sampled_from([SMUGGLED, HELLO, b"0\r\n\r\n", b"\r\n", b"GET / HTTP/1.1\r\n"]),
)


@st.composite
def chunked(draw) -> bytes:
    """Draw a chunked body, sometimes with extensions, trailers or faults."""
    written = b""
    for piece in draw(st.lists(BODIES.filter(bool), max_size=3)):
        extension = draw(st.sampled_from([b"", b"", b";a=b", b';q="x"', b"; " + b"x" * 1100]))
        end = draw(st.sampled_from([b"\r\n"] * 8 + [b"\n", b"x\r\n", b""]))
        written += b"%x%b\r\n%b%b" % (len(piece), extension, piece, end)
    last = [b"0\r\n\r\n", b"0\r\n\r\n", b"00;x\r\nA: b\r\n\r\n", b"0\r\nHost: c\r\n\r\n", b"zz\r\n"]
    last.append(b"0\r\n" + b"A: b\r\n" * 200 + b"\r\n")
    return written + draw(st.sampled_from(last))


@st.composite
def requests(draw) -> bytes:
    """Draw the bytes of a request that offers an upgrade; `Upgrad?` stands for the field."""
    method = draw(st.sampled_from([b"GET", b"POST", b"PUT", b"HEAD", b"OPTIONS", b"DELETE"]))
    version = draw(st.sampled_from([b"1.1"] * 6 + [b"1.0"]))
    connection = draw(st.sampled_from([b"upgrade"] * 4 + [b"upgrade, close", b"keep-alive"]))
    protocol = draw(st.sampled_from([b"h2c", b"foo", b"h2c, websocket"]))
    fields = [b"Host: a", b"Connection: " + connection, b"Upgrad?: " + protocol]
    if draw(st.booleans()):
        fields.append(b"Expect: 100-continue")
    body = b""
    match draw(st.sampled_from(["none", "length", "zero", "chunked", "both", "gzip"])):
        case "length":
            body = draw(BODIES)
            zeros = draw(st.sampled_from([b"", b"0", b"000"]))
            fields.append(b"Content-Length: %b%d" % (zeros, len(body)))
        case "zero":
            fields.append(b"Content-Length: 00")
        case "chunked":
            body = draw(chunked())
            fields.append(b"Transfer-Encoding: " + draw(st.sampled_from([b"chunked", b"Chunked"])))
        case "both":
            fields += [b"Transfer-Encoding: chunked", b"Content-Length: 3"]
        case "gzip":
            fields.append(b"Transfer-Encoding: gzip")
    lines = [b"%b /%b HTTP/%b" % (method, draw(st.sampled_from([b"", b"a"])), version)]
    return b"\r\n".join((*lines, *draw(st.permutations(fields)), b"", b"")) + body


@pytest.mark.slow
@settings(max_examples=400, deadline=None)
@given(st.lists(requests(), min_size=1, max_size=4), st.data())
def test_an_upgrade_offer_does_not_change_how_requests_are_read(drawn, data):
    """Any framing in any segments is the same requests, bodies and faults with an offer as without.

    The field without an offer has as many letters, so that both are cut at the same places.
    """
    sent = b"".join(drawn)
    cuts = [*sorted(data.draw(st.sets(st.integers(1, len(sent)), max_size=12))), len(sent)]

    def pieces(name: bytes) -> Iterator[bytes]:
        written, at = sent.replace(b"Upgrad?", name), 0
        for place in cuts:
            if place > at:
                yield written[at:place]
            at = place

    with_offer = Notes(offers=True).read(pieces(b"Upgrade"))
    without = Notes(offers=False).read(pieces(b"Upgradx"))

    assert with_offer == without
