"""Web sockets: handed to uvicorn's protocol, after the checks of any request."""

import asyncio
from dataclasses import dataclass, field

import pytest
from fastapi import WebSocket
from websockets.asyncio.client import connect as open_socket
from websockets.exceptions import ConnectionClosed

from bff_core import Settings, gateway
from bff_core.events import AnyEvent, Events, RequestAnswered
from tests.server.talking import HELLO, live, served, until

pytestmark = pytest.mark.uvloop

HANDSHAKE = (
    b"GET /chat HTTP/1.1\r\n%bConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


def chatting():
    """Make a gateway that says everything again."""
    app = gateway("chat", settings=Settings(env="development", log="off"))

    @app.websocket("/chat")
    async def chat(socket: WebSocket):
        await socket.accept()
        await socket.send_text(await socket.receive_text() + socket.query_params["mark"])
        await socket.close()

    @app.get("/hello")
    async def hello() -> str:
        return "hello"

    return app


async def test_a_web_socket_is_served():
    """Handshake, query, and a message each way."""
    async with (
        served(chatting()) as server,
        open_socket(f"ws://127.0.0.1:{server.port}/chat?mark=!") as chat,
    ):
        await chat.send("hello")

        assert await chat.recv() == "hello!"


async def test_a_handshake_after_an_answer_is_served():
    """A client may reuse a connection."""
    async with served(chatting()) as server, server.client() as client:
        client.send(HELLO)
        await client.answer()
        client.send(HANDSHAKE % b"Host: localhost\r\n")

        assert (await client.head())[0] == 101


async def test_a_handshake_is_not_pipelined():
    """It would upgrade a connection whose earlier answer is missing."""
    async with served(chatting()) as server, server.client() as client:
        client.send(HELLO + HANDSHAKE % b"Host: localhost\r\n")

        assert [(await client.answer()).status for _ in range(2)] == [200, 400]


@pytest.mark.parametrize("behind", [HELLO, b"\x81\x85aaaa\t\x04\r\r\x0e", b"\xff", b"\r\n"])
async def test_a_client_must_wait_for_the_answer_to_its_handshake(behind):
    """Bytes with the handshake are not taken for a frame: 400, and nothing fails."""
    failures = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: failures.append(context))
    async with served(chatting()) as server, server.client() as client:
        client.send(HANDSHAKE % b"Host: localhost\r\n" + behind)
        answer = await client.answer()
        assert await client.is_closed()

    assert (answer.status, failures) == (400, [])


@pytest.mark.parametrize("hosts", [b"", b"Host: a\r\nHost: b\r\n"])
async def test_a_handshake_passes_the_checks_of_a_request(hosts):
    """No Host, or two, is refused as in any request."""
    async with served(chatting()) as server:
        answer = await server.say(HANDSHAKE % hosts)

    assert answer.status == 400
    assert answer.fields["content-type"] == "application/problem+json"


IMPLEMENTATIONS = ("websockets-sansio", "websockets")
"""What `uvicorn --ws` may name."""

OFFER = HANDSHAKE.replace(b"/chat", b"/%b")
HOST = b"Host: localhost\r\n"


@dataclass
class Sockets:
    """An application that never accepts under some paths, and notes who was cancelled."""

    ended: list[str] = field(default_factory=list)
    begun: list[str] = field(default_factory=list)

    async def __call__(self, scope, receive, send):
        if scope["type"] == "lifespan":
            await live(receive, send)
            return
        self.begun.append(scope["path"])
        try:
            await getattr(self, scope["path"].strip("/"))(receive, send)
        finally:
            self.ended.append(scope["path"])

    async def waits(self, receive, send):
        """Neither accept nor refuse."""
        await asyncio.Event().wait()

    async def reads(self, receive, send):
        """Receive for ever without an answer."""
        while True:
            await receive()

    async def closes(self, receive, send):
        """Refuse once it is too late, as code that cleans up does."""
        try:
            await asyncio.Event().wait()
        finally:
            await send({"type": "websocket.close", "code": 1011})

    async def begins(self, receive, send):
        """Begin to refuse, and never end."""
        await send({"type": "websocket.http.response.start", "status": 401, "headers": []})
        await asyncio.Event().wait()

    async def accepts(self, receive, send):
        """Accept, and speak once the deadline of the handshake is over."""
        await send({"type": "websocket.accept"})
        await asyncio.sleep(0.4)
        await send({"type": "websocket.send", "text": "late"})
        await send({"type": "websocket.close"})


def socket_of(path: bytes, fields: bytes = HOST) -> bytes:
    """Return a handshake."""
    return OFFER % (path, fields)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore:The `websockets` implementation is deprecated")
@pytest.mark.parametrize("ws", IMPLEMENTATIONS)
@pytest.mark.parametrize(
    ("path", "status"), [("waits", 503), ("reads", 503), ("closes", 403), ("begins", 0)]
)
async def test_a_web_socket_that_is_not_accepted_holds_no_connection(ws, path, status):
    """The deadline of the head holds until the application accepts or refuses."""
    sockets = Sockets()

    async with served(sockets, ws=ws, header_timeout=0.2) as server, server.client() as client:
        client.send(socket_of(path.encode()))
        said = await asyncio.wait_for(client.reader.read(), 5)
        ended = list(sockets.ended)

    assert ended == [f"/{path}"] or path == "begins"
    assert not status or said.startswith(b"HTTP/1.1 %d " % status)
    assert status != 503 or b'"code"' in said


class Silent(asyncio.Protocol):
    """A protocol of web sockets that never calls the application."""

    def __init__(self, **_):
        pass


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore:The `websockets` implementation is deprecated")
@pytest.mark.parametrize("ws", IMPLEMENTATIONS)
@pytest.mark.parametrize("path", ["waits", "reads", "closes"])
@pytest.mark.parametrize("early", [HELLO, b"\x81\x85aaaa\t\x04\r\r\x0e", b"\xff", b"\r\n"])
async def test_bytes_before_the_answer_to_a_handshake_are_refused(ws, path, early, caplog):
    """They come in a segment of their own: one 400, and the application is cancelled."""
    failures = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: failures.append(context))
    sockets = Sockets()

    async with served(sockets, ws=ws) as server, server.client() as client:
        client.send(socket_of(path.encode()))
        await until(lambda: sockets.begun == [f"/{path}"])
        client.send(early)
        answer = await client.answer()
        assert await client.is_closed()
        await until(lambda: sockets.ended == [f"/{path}"])

    assert (answer.status, failures) == (400, [])
    assert answer.fields["content-type"] == "application/problem+json"
    assert not [record for record in caplog.records if record.exc_info]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore:The `websockets` implementation is deprecated")
@pytest.mark.parametrize("ws", IMPLEMENTATIONS)
async def test_bytes_during_a_refusal_are_dropped(ws):
    """The client is already refused and gets no second answer."""
    failures = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: failures.append(context))
    sockets = Sockets()

    async with (
        served(sockets, ws=ws, header_timeout=0.3) as server,
        server.client() as client,
    ):
        client.send(socket_of(b"begins"))
        await until(lambda: sockets.begun == ["/begins"])
        client.send(HELLO)
        said = await asyncio.wait_for(client.reader.read(), 5)

    assert said.count(b"HTTP/1.1") <= 1
    assert b" 400 " not in said
    assert failures == []


async def test_a_protocol_that_calls_no_application_holds_no_connection():
    """Whatever it waits for, the connection is reset at the deadline of the head."""
    async with (
        served(Sockets(), ws=Silent, header_timeout=0.2) as server,
        server.client() as client,
    ):
        client.send(socket_of(b"accepts"))

        assert await asyncio.wait_for(client.is_closed(), 5)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore:The `websockets` implementation is deprecated")
@pytest.mark.parametrize("ws", IMPLEMENTATIONS)
async def test_a_web_socket_that_is_accepted_may_last(ws):
    """The deadline ends with the acceptance."""
    async with (
        served(Sockets(), ws=ws, header_timeout=0.2) as server,
        open_socket(f"ws://127.0.0.1:{server.port}/accepts") as chat,
    ):
        assert await chat.recv() == "late"


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore:The `websockets` implementation is deprecated")
@pytest.mark.parametrize("ws", IMPLEMENTATIONS)
@pytest.mark.parametrize(
    ("status", "fields"),
    [
        (101, b"Content-Length: 0\r\n"),
        (101, b"Content-Length: 000\r\n"),
        (101, b"X: %b\r\n" % (b"x" * 8187)),
        (101, b"X: 1\r\n" * 123),
        (431, b"X: %b\r\n" % (b"x" * 8188)),
        (431, b"X: 1\r\n" * 124),
        (400, b"Content-Length: 50\r\n"),
        (400, b"Content-Length: 00050\r\n"),
        (400, b"Transfer-Encoding: chunked\r\n"),
    ],
)
async def test_a_handshake_has_no_body_and_a_limited_head(ws, status, fields):
    """The web socket protocol would wait for a body or a larger head: it is refused at once."""
    async with served(Sockets(), ws=ws) as server, server.client() as client:
        client.send(socket_of(b"accepts", HOST + fields))

        assert (await asyncio.wait_for(client.head(), 5))[0] == status


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore:The `websockets` implementation is deprecated")
@pytest.mark.parametrize("ws", IMPLEMENTATIONS)
async def test_a_handshake_that_the_protocol_refuses_ends(ws):
    """Without a key, or with another version, it is no valid handshake."""
    async with served(Sockets(), ws=ws, header_timeout=0.3) as server:
        for unlike in (b"Sec-WebSocket-Key: x", b"Sec-WebSocket-Version: 12"):
            name = unlike.partition(b":")[0]
            sent = b"\r\n".join(
                unlike if line.startswith(name) else line
                for line in socket_of(b"accepts").split(b"\r\n")
            )
            async with server.client() as client:
                client.send(sent)
                said = await asyncio.wait_for(client.reader.read(), 5)

            assert said.startswith(b"HTTP/1.1 4")


async def test_a_refused_handshake_has_no_late_failure():
    """The deadline passes after the connection is closed: nothing is reset."""
    failures: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, one: failures.append(one))
    sent = socket_of(b"accepts").replace(b"Sec-WebSocket-Version: 13", b"Sec-WebSocket-Version: 12")
    async with served(Sockets(), ws="websockets-sansio", header_timeout=0.3) as server:
        async with server.client() as client:
            client.send(sent)
            await asyncio.wait_for(client.reader.read(), 5)
        async with server.client() as client:  # the time of another, who came later, is over
            client.send(b"GET / HTTP/1.1\r\n")
            await asyncio.wait_for(client.reader.read(), 5)

    assert failures == []


async def test_a_gateway_reports_a_web_socket_that_was_not_accepted():
    """Its log has the status that the client got."""
    heard: list[AnyEvent] = []
    app = gateway(
        "chat",
        settings=Settings(env="development"),
        events=Events(heard.append),
    )

    @app.websocket("/waits")
    async def waits(socket: WebSocket):
        await asyncio.Event().wait()

    async with served(app, header_timeout=0.2) as server, server.client() as client:
        client.send(socket_of(b"waits"))
        status, fields = await client.head()

    assert (status, fields["content-type"]) == (503, "application/problem+json")
    assert [event.status for event in heard if isinstance(event, RequestAnswered)] == [503]


async def test_a_web_socket_is_closed_with_service_restart(depot):
    """1012: its client may reconnect, and reaches another instance."""
    process = depot("--drain-delay=0", "--grace=5")
    async with open_socket(f"ws://127.0.0.1:{process.port}/chat") as chat:
        await chat.send("hello")
        first = await chat.recv()

        process.ask_to_end()
        with pytest.raises(ConnectionClosed) as closed:
            await chat.recv()

    assert first == "hello"
    assert closed.value.rcvd.code == 1012
    process.wait_for_end()
