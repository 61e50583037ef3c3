"""Streamed request bodies on real sockets, by every transport."""

import asyncio
import contextlib
import socket
from typing import Annotated

import httpx
import pytest
from fastapi import Depends, Request
from pydantic import SecretStr

from bff_core import (
    ANYONE,
    BadStatus,
    Composition,
    FilePart,
    Policy,
    Settings,
    StreamedBody,
    Upstream,
    Views,
    compose,
    gateway,
)
from bff_core.errors import DeadlineExceeded, TransportFailed
from bff_core.policy.upstream.credentials import Signature
from bff_core.policy.upstream.retry import Retry
from bff_core.upstream.transport.httpx_transport import HttpxTransport

MEGABYTE = 1024 * 1024


class Spoilt(Exception):
    """What a body's own iterator raises."""


class Source:
    """Pieces of a body; notes how many were read, and whether reading was closed."""

    def __init__(self, *pieces, then=None):
        self.pieces = pieces
        self.then = then
        self.read = 0
        self.opened = 0
        self.is_closed = False

    async def __call__(self):
        self.opened += 1
        try:
            for piece in self.pieces:
                self.read += 1
                yield piece
            if isinstance(self.then, Exception):
                raise self.then
            if self.then is not None:
                await self.then.wait()
        finally:
            self.is_closed = True


async def read_body(peer):
    """Read one request whose body may come in chunks; return its head and its body."""
    head = (await peer.reader.readuntil(b"\r\n\r\n")).lower()
    body = b""
    if b"\r\ntransfer-encoding: chunked\r\n" in head:
        assert b"\r\ncontent-length:" not in head
        while size := int(await peer.reader.readuntil(b"\r\n"), 16):
            body += (await peer.reader.readexactly(size + 2))[:-2]
        assert await peer.reader.readexactly(2) == b"\r\n"
    else:
        length = head.partition(b"\r\ncontent-length: ")[2].partition(b"\r\n")[0]
        body = await peer.reader.readexactly(int(length))
    return head, body


def collecting(received, answer):
    """Return a script that notes each request, and answers it."""

    async def script(peer):
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                received.append(await read_body(peer))
                await peer.send(answer)

    return script


async def test_body_is_sent_in_chunks_while_it_is_read(kit, connected):
    """A body of unknown length arrives whole, and the connection serves the next call."""
    received = []
    async with (
        kit.Service(collecting(received, kit.http(b"ok"))) as service,
        connected(service) as connector,
    ):
        for pieces in ((b"ab", b"", b"c" * 70_000), (), (b"0\r\n\r\n",)):
            body = StreamedBody(Source(*pieces))
            reply = await connector.send(kit.calling("POST", body=body))
            assert reply.body == b"ok"

    assert [body for _, body in received] == [b"ab" + b"c" * 70_000, b"", b"0\r\n\r\n"]
    assert service.accepted == 1


async def test_body_of_known_length_says_so(kit, connected):
    """A service that wants a Content-Length gets one."""
    received = []
    async with (
        kit.Service(collecting(received, kit.http(b"ok"))) as service,
        connected(service) as connector,
    ):
        body = StreamedBody(Source(b"abc", b"de"), 5)
        await connector.send(kit.calling("PUT", body=body))

    [(head, body)] = received
    assert (b"\r\ncontent-length: 5\r\n" in head, body) == (True, b"abcde")


@pytest.mark.parametrize(
    ("source", "length", "kind"),
    [
        (Source(b"ab", then=Spoilt()), None, Spoilt),
        (Source(b"ab", then=Spoilt()), 4, Spoilt),
        (Source(b"ab"), 4, ValueError),
        (Source("text"), None, TypeError),
    ],
)
async def test_body_that_fails_never_looks_whole(kit, connected, source, length, kind):
    """Its own error reaches the caller, and the service sees the connection end."""
    ends = []

    async def script(peer):
        await peer.reader.readuntil(b"\r\n\r\n")
        with contextlib.suppress(ConnectionError):
            ends.append(await peer.reader.read(-1))

    async with kit.Service(script) as service, connected(service) as connector:
        with pytest.raises(kind):
            await connector.send(kit.calling("POST", body=StreamedBody(source, length)))
        await service.until(lambda: not service.open_connections)

    assert all(b"\r\n0\r\n" not in end and len(end) < 10 for end in ends)
    assert connector.load.active == 0


@pytest.mark.parametrize("loop", ["asyncio", pytest.param("uvloop", marks=pytest.mark.uvloop)])
async def test_refusal_ends_an_upload(kit, loop):
    """A service that answers 413 at once need not read the rest; a client of httpx sends it all."""
    del loop
    forever = asyncio.Event()
    source = Source(b"a" * 1000, then=forever)

    async def script(peer):
        await peer.reader.readuntil(b"\r\n\r\n")
        await peer.send(kit.http(b"too large", status="413 Content Too Large"))
        await peer.left()

    async with kit.Service(script) as service, kit.wired(service) as connector:
        reply = await connector.send(kit.calling("POST", body=StreamedBody(source)))
        await service.until(lambda: source.is_closed and not service.open_connections)

    assert (reply.status, reply.body) == (413, b"too large")


@pytest.mark.slow
async def test_deadline_ends_an_upload(kit, connected):
    """A body that stops coming can't hold a call for longer than it has."""
    source = Source(b"ab", then=asyncio.Event())

    async with (
        kit.Service(collecting([], kit.http())) as service,
        connected(service) as connector,
    ):
        with pytest.raises(DeadlineExceeded):
            await connector.send(kit.calling("POST", body=StreamedBody(source), within=0.4))
        await service.until(lambda: source.is_closed and not service.open_connections)


async def test_cancelled_upload_closes_its_connection(kit, connected):
    """A client that left does not keep a body or a connection open."""
    source = Source(b"ab", then=asyncio.Event())

    async with (
        kit.Service(collecting([], kit.http())) as service,
        connected(service) as connector,
    ):
        call = asyncio.ensure_future(connector.send(kit.calling("POST", body=StreamedBody(source))))
        await service.until(lambda: source.read == 1 and service.open_connections == 1)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await service.until(lambda: source.is_closed and not service.open_connections)


@pytest.mark.slow
async def test_body_is_read_no_faster_than_the_service_reads(kit, connected):
    """Of a large body only what the sockets hold is in memory."""
    source = Source(*[b"a" * MEGABYTE] * 32)
    go_on = asyncio.Event()
    received = []

    async def script(peer):
        await go_on.wait()
        received.append(await read_body(peer))
        await peer.send(kit.http(b"ok"))

    async with kit.Service(script) as service, connected(service) as connector:
        call = asyncio.ensure_future(
            connector.send(kit.calling("POST", body=StreamedBody(source), within=20.0))
        )
        await service.until(lambda: source.read > 1)
        before = 0
        while before != source.read:  # until nothing moves any more
            before = source.read
            for _ in range(200):
                await asyncio.sleep(0)
        assert source.read < 24
        go_on.set()
        assert (await call).body == b"ok"

    assert len(received[0][1]) == 32 * MEGABYTE


async def test_stale_connection_does_not_cost_a_body(kit):
    """A connection that ended while it was idle took nothing of a body that is read once."""
    received = []

    async def script(peer):
        received.append(await read_body(peer))
        await peer.send(kit.http(b"ok"))
        if peer.number == 1:
            await peer.reader.readuntil(b"\r\n\r\n")
            peer.reset()
        else:
            await peer.left()

    async with kit.Service(script) as service, kit.wired(service) as pool:
        await pool.send(kit.calling("PUT", body=StreamedBody(Source(b"1")())))
        source = Source(b"2")
        again = await pool.send(kit.calling("PUT", body=StreamedBody(source)))
        assert (again.status, source.opened) == (200, 2)

    assert [body for _, body in received] == [b"1", b"2"]


async def test_body_that_is_read_once_is_not_sent_again(kit):
    """Where its connection was lost it fails, and the service may have got it."""

    async def script(peer):
        await read_body(peer)
        if peer.number == 1:
            await peer.send(kit.http(b"ok"))
            await peer.reader.readuntil(b"\r\n\r\n")
        peer.reset()

    async with kit.Service(script) as service, kit.wired(service) as pool:
        await pool.send(kit.calling("PUT", body=StreamedBody(Source(b"1")())))
        with pytest.raises(TransportFailed) as caught:
            await pool.send(kit.calling("PUT", body=StreamedBody(Source(b"2")())))

    assert (caught.value.is_sent, service.accepted) == (True, 1)


class Files(Upstream):
    """A service that takes uploads."""

    policy = Policy(retry=Retry(attempts=3, backoff=0.0, budget_min=100), coalesce=False)

    async def store(self, content):
        await self.put("/files/{name:path}", None, content=content, name="a/b")

    async def attach(self, form, file):
        await self.post("/files", None, form=form, files={"file": file})


class Signed(Upstream):
    """One whose calls are signed."""

    policy = Policy(credentials=Signature(secret="key", key_id="k"))

    async def store(self, content):
        await self.put("/files", None, content=content)


@contextlib.asynccontextmanager
async def opened(service, *kinds, **options):
    """Run a gateway that calls a service."""
    address = (service if isinstance(service, str) else service.endpoint.url,)
    app = gateway(
        "mobile",
        services=kinds,
        settings=Settings(
            env="development",
            upstreams={kind.name: address for kind in kinds},
            secrets={"key": SecretStr("k" * 32)},
        ),
        **options,
    )
    async with app.router.lifespan_context(app):
        yield app


@pytest.mark.parametrize("is_replayable", [True, False])
async def test_only_a_body_that_can_be_read_again_is_retried(kit, is_replayable):
    """A PUT that met a 503 is sent again if its body is a function, and else fails at once."""
    received = []
    answers = [kit.http(status="503 Service Unavailable"), kit.http(status="204 No Content")]

    async def script(peer):
        with contextlib.suppress(asyncio.IncompleteReadError):
            while True:
                received.append((await read_body(peer))[1])
                await peer.send(answers[min(len(received), 2) - 1])

    source = Source(b"ab", b"cd")
    async with kit.Service(script) as service, opened(service, Files) as app:
        files = app.services[Files]
        if is_replayable:
            await files.store(source)
        else:
            with pytest.raises(BadStatus):
                await files.store(source())

    assert received == [b"abcd"] * (2 if is_replayable else 1)


async def test_body_that_was_not_begun_may_go_elsewhere(kit):
    """A refused connection reads nothing of a body, so that the next address can have it."""
    received = []
    async with kit.Service(collecting(received, kit.http(status="204 No Content"))) as service:
        with socket.socket() as taken:  # bound, and not listening
            taken.bind(("127.0.0.1", 0))
            refusing = taken.getsockname()[1]
        settings = Settings(
            env="development",
            upstreams={"files": (f"http://127.0.0.1:{refusing}", service.endpoint.url)},
        )
        app = gateway("mobile", services=[Files], settings=settings)
        async with app.router.lifespan_context(app):
            for _ in range(8):
                await app.services[Files].store(Source(b"abcd")())

    assert [body for _, body in received] == [b"abcd"] * 8


async def test_form_with_a_streamed_file_reaches_a_service(kit):
    """Fields and file come as one multipart body, through the whole stack."""
    received = []
    file = FilePart("a.csv", StreamedBody(Source(b"x,", b"y")(), 3), "text/csv")
    async with (
        kit.Service(collecting(received, kit.http(status="204 No Content"))) as service,
        opened(service, Files) as app,
    ):
        await app.services[Files].attach({"title": "t"}, file)

    [(head, body)] = received
    assert b"\r\ncontent-length: %d\r\n" % len(body) in head
    assert b'name="title"\r\n\r\nt\r\n' in body
    assert b'filename="a.csv"\r\nContent-Type: text/csv\r\n\r\nx,y\r\n' in body


async def test_streamed_body_can_not_be_signed(kit):
    """The digest of a body is sent before it; the error says what to do."""
    async with (
        kit.Service(collecting([], kit.http(status="204 No Content"))) as service,
        opened(service, Signed) as app,
    ):
        with pytest.raises(Exception, match="a streamed body can't be signed"):
            await app.services[Signed].store(Source(b"a"))
        await app.services[Signed].store(b"a")


class Store(Composition):
    """Hands uploads on."""

    files: Files


@contextlib.asynccontextmanager
async def storing(service):
    """Run a gateway with a view that hands a body on while it comes."""
    views = Views(access=ANYONE)

    @views.put("/store", status=204)
    async def put_file(request: Request, store: Annotated[Store, Depends(compose(Store))]) -> None:
        await store.files.store(request.stream())

    async with (
        opened(service, Files, faces=[views]) as app,
        httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://testserver"
        ) as client,
    ):
        yield client


async def test_view_hands_an_upload_on(kit):
    """The body of a client goes to the service, and nothing is collected on the way."""
    received = []
    async with (
        kit.Service(collecting(received, kit.http(status="204 No Content"))) as service,
        storing(service) as client,
    ):
        answer = await client.put("/store", content=Source(b"ab", b"cd")())

    assert (answer.status_code, [body for _, body in received]) == (204, [b"abcd"])


async def test_service_sees_the_end_of_an_upload_whose_client_left(kit):
    """The connection is cut, so that half a file is not stored as a whole one."""
    ends = []

    async def script(peer):
        with contextlib.suppress(ConnectionError):
            ends.append(await peer.reader.read(-1))

    class Left(httpx.ASGITransport):
        async def handle_async_request(self, request):
            scope = {
                "type": "http", "method": "PUT", "path": "/store", "raw_path": b"/store",
                "query_string": b"", "headers": [(b"host", b"testserver")], "http_version": "1.1",
                "scheme": "http", "server": ("testserver", 80), "client": ("127.0.0.1", 1),
            }  # fmt: skip
            messages = [
                {"type": "http.request", "body": b"half", "more_body": True},
                {"type": "http.disconnect"},
            ]

            async def receive():
                return messages.pop(0) if len(messages) > 1 else messages[0]

            async def send(_):
                """Drop the answer."""

            await self.app(scope, receive, send)
            return httpx.Response(499)

    async with kit.Service(script) as service, storing(service) as client:
        gone = Left(client._transport.app)
        async with httpx.AsyncClient(transport=gone, base_url="http://testserver") as leaving:
            assert (await leaving.put("/store")).status_code == 499
        await service.until(lambda: not service.open_connections)

    assert all(b"\r\n0\r\n" not in end for end in ends)


@pytest.mark.parametrize("kind", ["httpx", "httpx2"])
async def test_upload_to_an_app_in_the_same_process(kind):
    """An in-process service reads the body as it comes."""
    library = pytest.importorskip(kind)
    bodies = []

    async def app(scope, receive, send):
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        bodies.append((dict(scope["headers"]).get(b"content-type"), body))
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    async with library.AsyncClient(transport=library.ASGITransport(app)) as client:
        transport = {"transport": lambda policy, _: HttpxTransport(client, policy.connection)}
        async with opened("http://files", Files, **transport) as gate:
            await gate.services[Files].store(Source(b"a", b"b"))

    assert bodies == [(b"application/octet-stream", b"ab")]
