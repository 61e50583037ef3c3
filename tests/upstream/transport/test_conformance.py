"""What every transport promises, held against the wire transport and against httpx and httpx2."""

import asyncio
import gzip
import re
import time
import zlib

import brotli
import pytest
import zstandard

from bff_core.call import find_header
from bff_core.errors import BadPayload, DeadlineExceeded, TransportFailed
from bff_core.upstream.transport.request_writer import UnsafeRequest
from tests.streamed import opened


async def test_returns_status_headers_and_body(kit, connected):
    """A reply has the status, the fields in lower case and the whole body."""
    response = kit.http(b'{"a": 1}', "Content-Type: application/json", "X-Two:  spaced \t ")

    async with kit.Service(kit.answering(response)) as service, connected(service) as connector:
        reply = await connector.send(kit.calling())

    assert (reply.status, reply.body, reply.source) == (200, b'{"a": 1}', "upstream")
    assert reply.header("content-type") == "application/json"
    assert reply.header("x-two") == "spaced"


async def test_every_status_is_a_reply(kit, connected):
    """A 500 is an answer; what it means is decided above."""
    response = kit.http(b"oops", status="500 Internal Server Error")

    async with kit.Service(kit.answering(response)) as service, connected(service) as connector:
        reply = await connector.send(kit.calling())

    assert (reply.status, reply.body) == (500, b"oops")


async def test_sends_method_target_headers_and_body(kit, connected):
    """A service sees the call as it was made, and how long it has."""
    call = kit.calling(
        "POST",
        "/things/a%2Fb%20c?x=%3F&y=1",
        body=b"hello",
        headers=((b"content-type", b"text/plain"), (b"x-one", b"1")),
        traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    )

    async with kit.Service(kit.answering(kit.http())) as service, connected(service) as connector:
        await connector.send(call)

    head, _, body = service.requests[0].partition(b"\r\n\r\n")
    lines = head.lower().split(b"\r\n")
    assert head.startswith(b"POST /things/a%2Fb%20c?x=%3F&y=1 HTTP/1.1\r\n")
    assert body == b"hello"
    assert f"host: 127.0.0.1:{service.port}".encode() in lines
    assert b"content-length: 5" in lines
    assert b"x-one: 1" in lines
    assert b"traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" in lines
    (left,) = (float(line[16:]) for line in lines if line.startswith(b"request-timeout:"))
    assert 1.5 < left <= 2.0


def values(request: bytes, name: bytes) -> list[bytes]:
    """Return the values of a header in the bytes of a request, one for each line."""
    lines = request.partition(b"\r\n\r\n")[0].split(b"\r\n")[1:]
    pairs = [line.partition(b": ") for line in lines]
    return [value for spelled, _, value in pairs if spelled.lower() == name]


async def test_a_call_has_a_user_agent(kit, connected):
    """A service that looks at its log finds the framework, and no library below it."""
    async with kit.Service(kit.answering(kit.http())) as service, connected(service) as connector:
        await connector.send(kit.calling())

    [agent] = values(service.requests[0], b"user-agent")
    assert re.fullmatch(rb"bff-core/[0-9]+\.[0-9]+\.[0-9]+", agent)


async def test_user_agent_and_codings_of_a_call_replace_ours(kit, connected):
    """Each is sent once, as the call has it; the next call has ours again."""
    own = ((b"user-agent", b"shop/1"), (b"accept-encoding", b"gzip;q=0"))

    async with (
        kit.Service(kit.answering(kit.http())) as service,
        connected(service, accept_encoding=("br",)) as connector,
    ):
        for headers in (own, own[:1], own[1:], ()):
            await connector.send(kit.calling(headers=headers))

    sent = [(values(r, b"user-agent"), values(r, b"accept-encoding")) for r in service.requests]
    ours = values(service.requests[-1], b"user-agent")
    assert sent == [
        ([b"shop/1"], [b"gzip;q=0"]),
        ([b"shop/1"], [b"br"]),
        (ours, [b"gzip;q=0"]),
        (ours, [b"br"]),
    ]
    assert len(ours) == 1


async def test_a_put_without_body_says_so(kit, connected):
    """A method that has a body announces an empty one."""
    async with kit.Service(kit.answering(kit.http())) as service, connected(service) as connector:
        await connector.send(kit.calling("PUT"))

    assert b"content-length: 0" in service.requests[0].lower()


async def test_puts_the_base_path_before_the_target(kit, connected):
    """An upstream may live under a path."""

    class Below(kit.Service):
        @property
        def endpoint(self):
            plain = super().endpoint
            return type(plain)("http", plain.host, plain.port, plain.address, "/api/v2")

    async with Below(kit.answering(kit.http())) as service, connected(service) as connector:
        await connector.send(kit.calling())

    assert service.requests[0].startswith(b"GET /api/v2/things HTTP/1.1\r\n")


async def test_reads_a_chunked_body(kit, connected):
    """Chunks are joined; extensions and trailers are dropped."""
    body = b"3;a=b\r\nabc\r\n4\r\ndefg\r\n0\r\nX-Trailer: 1\r\n\r\n"
    response = kit.http(b"", "Transfer-Encoding: chunked", length=False) + body

    async with kit.Service(kit.answering(response)) as service, connected(service) as connector:
        replies = [await connector.send(kit.calling()) for _ in range(3)]

    assert [reply.body for reply in replies] == [b"abcdefg"] * 3
    assert replies[0].header("x-trailer") is None
    assert service.accepted == 1


async def test_reads_a_body_until_the_connection_closes(kit, connected):
    """A response without any length ends with its connection."""

    async def script(peer):
        await peer.request()
        await peer.send(kit.http(b"", "Connection: close", length=False), b"all ", b"of it")

    async with kit.Service(script) as service, connected(service) as connector:
        replies = [await connector.send(kit.calling()) for _ in range(2)]

    assert [reply.body for reply in replies] == [b"all of it"] * 2
    assert service.accepted == 2


@pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified"])
async def test_statuses_without_a_body(kit, connected, status):
    """204 and 304 have none, whatever their head says, and the connection serves on."""
    response = kit.http(b"", "ETag: 1", status=status, length=False)

    async with kit.Service(kit.answering(response)) as service, connected(service) as connector:
        replies = [await connector.send(kit.calling()) for _ in range(2)]

    assert [(reply.status, reply.body) for reply in replies] == [(int(status[:3]), b"")] * 2
    assert service.accepted == 1


async def test_head_announces_a_length_and_sends_no_body(kit, connected):
    """The length of a HEAD reply is that of the body that a GET would bring."""
    response = kit.http(b"", "Content-Length: 1234", length=False)

    async with kit.Service(kit.answering(response)) as service, connected(service) as connector:
        replies = [await connector.send(kit.calling("HEAD")) for _ in range(2)]

    assert [(reply.header("content-length"), reply.body) for reply in replies] == [
        ("1234", b"")
    ] * 2
    assert service.accepted == 1


async def test_interim_responses_are_passed_over(kit, connected):
    """100 and 103 come before the answer and are not it."""
    interim = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
    response = interim + kit.http(b"real")

    async with kit.Service(kit.answering(response)) as service, connected(service) as connector:
        replies = [await connector.send(kit.calling()) for _ in range(2)]

    assert [(reply.status, reply.body) for reply in replies] == [(200, b"real")] * 2


async def test_a_redirect_is_not_followed(kit, connected):
    """A redirect is an answer, so that no service can send the gateway elsewhere."""
    response = kit.http(b"", "Location: http://169.254.169.254/", status="302 Found")

    async with kit.Service(kit.answering(response)) as service, connected(service) as connector:
        reply = await connector.send(kit.calling())

    assert (reply.status, reply.header("location")) == (302, "http://169.254.169.254/")
    assert len(service.requests) == 1


async def test_hop_by_hop_fields_are_not_passed_on(kit, connected):
    """Hop-by-hop fields, and those that Connection names, are not part of a reply."""
    response = kit.http(
        b"x", "Connection: keep-alive, X-Hop", "Keep-Alive: timeout=5", "X-Hop: 1", "X-End: 2"
    )

    async with kit.Service(kit.answering(response)) as service, connected(service) as connector:
        reply = await connector.send(kit.calling())

    names = {name for name, _ in reply.headers}
    assert names == {b"x-end", b"content-length"}


CODINGS = {
    "gzip": gzip.compress,
    "br": brotli.compress,
    "zstd": zstandard.ZstdCompressor().compress,
}


@pytest.mark.parametrize("coding", CODINGS)
async def test_a_coded_body_arrives_decoded(kit, connected, coding):
    """Whatever coding a service chose, the reply is plain and says so."""
    plain = b"to be or not to be " * 5000
    response = kit.http(CODINGS[coding](plain), f"Content-Encoding: {coding}")

    async with kit.Service(kit.answering(response)) as service, connected(service) as connector:
        reply = await connector.send(kit.calling())

    assert reply.body == plain
    assert find_header(reply.headers, b"content-encoding") is None
    assert find_header(reply.headers, b"content-length") is None


@pytest.mark.parametrize(
    ("fields", "coded"),
    [
        (["X-Gzip"], gzip.compress),
        (["DEFLATE"], zlib.compress),
        (["deflate"], lambda plain: zlib.compress(plain)[2:-4]),
        (["gzip, gzip"], lambda plain: gzip.compress(gzip.compress(plain))),
        (["gzip, identity"], gzip.compress),
        (["gzip", "br"], lambda plain: brotli.compress(gzip.compress(plain))),
        (["gzip,UTF-8", "none"], gzip.compress),
    ],
)
async def test_codings_are_undone_as_services_name_them(kit, connected, fields, coded):
    """Old names, stacked ones, in one line or several; without zlib's frame, too."""
    plain = b"to be or not to be " * 500
    lines = [f"Content-Encoding: {one}" for one in fields]
    response = kit.http(coded(plain), *lines)

    async with kit.Service(kit.answering(response)) as service, connected(service) as connector:
        reply = await connector.send(kit.calling())
        async with opened(connector.send, kit.calling()) as stream:
            streamed = b"".join([piece async for piece in stream])

    assert (reply.body, streamed) == (plain, plain)
    assert find_header(reply.headers, b"content-encoding") is None


@pytest.mark.parametrize(
    "name",
    [
        *("identity", "none", "NULL", "binary", "7bit", "8bit", "aws-chunked", "UTF-8", "utf8"),
        *("us-ascii", "ascii", "ISO-8859-1", "latin1", "windows-1252", "", "identity, none"),
    ],
)
async def test_an_unregistered_content_encoding_leaves_the_body_unchanged(kit, connected, name):
    """Object stores and frameworks write the charset, or MIME's words, into Content-Encoding."""
    response = kit.http(b'{"a": 1}', f"Content-Encoding: {name}")

    async with kit.Service(kit.answering(response)) as service, connected(service) as connector:
        reply = await connector.send(kit.calling())

    assert reply.body == b'{"a": 1}'


@pytest.mark.parametrize(
    ("options", "line"),
    [((), b"accept-encoding: identity"), (("br", "gzip"), b"accept-encoding: br, gzip")],
)
async def test_the_accepted_codings_are_sent(kit, connected, options, line):
    """Without the field a service may choose any coding (RFC 9110, section 12.5.3)."""
    async with (
        kit.Service(kit.answering(kit.http())) as service,
        connected(service, accept_encoding=options) as connector,
    ):
        await connector.send(kit.calling())

    (request,) = service.requests
    sent = [one for one in request.lower().split(b"\r\n") if one.startswith(b"accept-encoding")]
    assert sent == [line]


@pytest.mark.parametrize("coding", CODINGS)
async def test_a_bomb_is_refused(kit, connected, coding):
    """A small body that grows past the cap is no reply."""
    response = kit.http(CODINGS[coding](bytes(3_000_000)), f"Content-Encoding: {coding}")

    async with (
        kit.Service(kit.answering(response)) as service,
        connected(service, max_body=1_000_000) as connector,
    ):
        with pytest.raises(BadPayload, match="larger than 1000000 bytes"):
            await connector.send(kit.calling())


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        ("gzip", b"not gzip at all"),
        ("gzip", gzip.compress(b"x" * 100, mtime=0)[:-4]),
        ("br", brotli.compress(b"x" * 100)[:-2]),
        ("br", brotli.compress(b"x" * 100) + b"more"),
        ("zstd", zstandard.ZstdCompressor().compress(b"x" * 100)[:-2]),
        ("zstd", b"not zstd"),
        ("rot13", b"uryyb"),
        ("gzip, gzip", gzip.compress(b"once", mtime=0)),
        ("deflate", zlib.compress(b"x" * 100)[:-2]),
        ("compress", b"\x1f\x9d"),
    ],
)
async def test_an_undecodable_body_is_refused(kit, connected, coding, body):
    """A body that does not follow its coding, ends early, or has an unknown one."""
    response = kit.http(body, f"Content-Encoding: {coding}")

    async with kit.Service(kit.answering(response)) as service, connected(service) as connector:
        with pytest.raises(BadPayload):
            await connector.send(kit.calling())


@pytest.mark.parametrize("is_announced", [True, False])
async def test_an_oversized_body_is_refused(kit, connected, is_announced):
    """The cap holds whether the size is announced or not."""
    body = bytes(5000)
    plain = kit.http(body)
    in_chunks = kit.http(b"", "Transfer-Encoding: chunked", length=False) + kit.chunked(body, body)

    async with (
        kit.Service(kit.answering(plain if is_announced else in_chunks)) as service,
        connected(service, max_body=4096) as connector,
    ):
        with pytest.raises(BadPayload, match="larger than 4096 bytes"):
            await connector.send(kit.calling())


@pytest.mark.parametrize(
    "response",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nX-Cut: 1",
        b"\x16\x03\x01 this is no HTTP\r\n\r\n",
        b"",
    ],
    ids=["short", "cut chunks", "bad chunk", "cut head", "garbage", "nothing"],
)
async def test_a_broken_response_is_a_failed_transport(kit, connected, response):
    """A response that breaks off or makes no sense was sent, and is no reply."""

    async def script(peer):
        await peer.request()
        await peer.send(response)

    async with kit.Service(script) as service, connected(service) as connector:
        with pytest.raises(TransportFailed) as caught:
            await connector.send(kit.calling())

    assert caught.value.is_sent


async def test_too_many_header_fields_are_refused(kit, connected):
    """The number of fields has a cap."""
    response = kit.http(b"", *(f"X-{number}: 1" for number in range(20)))

    async with (
        kit.Service(kit.answering(response)) as service,
        connected(service, max_headers=16) as connector,
    ):
        with pytest.raises(TransportFailed, match="fields"):
            await connector.send(kit.calling())


async def test_a_refused_connection_was_not_sent(kit, connected):
    """If no server listens, the call may be tried elsewhere."""
    async with kit.Service(kit.answering(kit.http())) as service:
        service.server.close()
        await service.server.wait_closed()

        async with connected(service) as connector:
            with pytest.raises(TransportFailed) as caught:
                await connector.send(kit.calling("POST"))

    assert not caught.value.is_sent


@pytest.mark.alone
@pytest.mark.parametrize(
    "parts",
    [
        (),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 400\r\n\r\n", *[b"x"] * 400),
        (b"HTTP/1.1 200 OK\r\nX-Endless: ", *[b"x"] * 400),
    ],
    ids=["silence", "dripping body", "dripping head"],
)
async def test_the_deadline_is_absolute(kit, connected, parts):
    """Neither silence nor a drip of bytes can outlast the deadline."""

    async def script(peer):
        await peer.request()
        for part in parts:
            await peer.send(part)
            await asyncio.sleep(0.02)
        await peer.left()

    async with kit.Service(script) as service, connected(service) as connector:
        started = time.monotonic()
        with pytest.raises(DeadlineExceeded):
            await connector.send(kit.calling(within=0.15))
        took = time.monotonic() - started
        await service.until(lambda: service.open_connections == 0, within=1.0)

    assert 0.14 < took < 0.5


async def test_a_call_without_time_is_not_sent(kit, connected):
    """A deadline that has passed costs the service nothing."""
    async with kit.Service(kit.answering(kit.http())) as service, connected(service) as connector:
        with pytest.raises(DeadlineExceeded):
            await connector.send(kit.calling(within=-0.1))

    assert service.accepted == 0


@pytest.mark.alone
async def test_a_cancelled_call_reaches_the_service(kit, connected):
    """When the caller goes, the service learns it within 50 ms."""

    async def script(peer):
        await peer.request()
        await peer.left()

    async with kit.Service(script) as service, connected(service) as connector:
        task = asyncio.create_task(connector.send(kit.calling()))
        await service.until(lambda: service.requests)
        task.cancel()
        cancelled = time.monotonic()
        await asyncio.gather(task, return_exceptions=True)
        await service.until(lambda: service.departures)

    assert task.cancelled()
    assert service.departures[0] - cancelled < 0.05


UNSAFE = {
    "space": {"target": "/a b"},
    "new line": {"target": "/a\r\nX: 1"},
    "fragment": {"target": "/a#b"},
    "relative": {"target": "a"},
    "absolute": {"target": "http://elsewhere/"},
    "not ascii": {"target": "/caf\xe9"},
    "method": {"method": "GET / HTTP/1.1\r\nX: 1\r\n\r\nGET"},
    "tunnel": {"method": "CONNECT"},
    "value": {"headers": ((b"x-one", b"1\r\nx-two: 2"),)},
    "nul": {"headers": ((b"x-one", b"a\0b"),)},
    "padded": {"headers": ((b"x-one", b" 1"),)},
    "name": {"headers": ((b"x one", b"1"),)},
    "colon": {"headers": ((b"x-one:", b"1"),)},
    "no name": {"headers": ((b"", b"1"),)},
    "host": {"headers": ((b"Host", b"elsewhere"),)},
    "length": {"headers": ((b"content-length", b"0"),)},
    "framing": {"headers": ((b"transfer-encoding", b"chunked"),)},
    "hop": {"headers": ((b"connection", b"close"),)},
    "upgrade": {"headers": ((b"upgrade", b"h2c"),)},
    "trace": {"traceparent": "00\r\nx: 1"},
}


@pytest.mark.parametrize("part", UNSAFE)
async def test_a_call_that_could_split_a_request_is_refused(kit, connected, part):
    """Nothing that could be read as another request is ever sent."""
    async with kit.Service(kit.answering(kit.http())) as service, connected(service) as connector:
        with pytest.raises(UnsafeRequest):
            await connector.send(kit.calling(**UNSAFE[part]))

    assert service.accepted == 0


async def test_cookies_of_one_viewer_never_reach_another(kit, connected):
    """What a service sets for one call is not sent with the next."""
    response = kit.http(b"", "Set-Cookie: session=alice; Path=/")

    async with kit.Service(kit.answering(response)) as service, connected(service) as connector:
        await connector.send(kit.calling())
        await connector.send(kit.calling())
        await connector.send(kit.calling(headers=((b"cookie", b"own=1"),)))

    assert [b"alice" in request for request in service.requests] == [False] * 3
    assert b"cookie: own=1" in service.requests[2].lower()


async def test_calls_after_closing_are_refused(kit, connected):
    """A connector that was closed stays closed."""
    async with kit.Service(kit.answering(kit.http())) as service, connected(service) as connector:
        await connector.send(kit.calling())
        await connector.aclose()
        with pytest.raises(TransportFailed) as caught:
            await connector.send(kit.calling())

    assert not caught.value.is_sent
    assert len(service.requests) == 1


@pytest.mark.alone
async def test_many_calls_at_once_each_get_their_own_answer(kit, connected):
    """Two hundred calls over a few connections, and no answer goes astray."""

    async def echo(peer):
        while True:
            target = (await peer.request()).split(b" ")[1]
            await peer.send(kit.http(target))

    async with kit.Service(echo) as service, connected(service, max_connections=8) as connector:
        calls = [kit.calling(target=f"/{number}", within=10) for number in range(200)]
        replies = await asyncio.gather(*(connector.send(call) for call in calls))

    assert [reply.body.decode() for reply in replies] == [call.target for call in calls]
