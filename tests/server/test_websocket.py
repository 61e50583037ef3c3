"""Web sockets: handed to uvicorn's protocol, behind the same checks as any request."""

import pytest
from fastapi import WebSocket
from websockets.asyncio.client import connect as open_socket
from websockets.exceptions import ConnectionClosed

from bff_core import Settings, gateway
from tests.server.talking import HELLO, served

pytestmark = pytest.mark.uvloop

HANDSHAKE = (
    b"GET /chat HTTP/1.1\r\n%bConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


def chatting():
    """Make a gateway that says everything again."""
    app = gateway("chat", settings=Settings(env="development", log="off", gc_freeze=False))

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
    """Handshake, a message each way, query and all."""
    async with (
        served(chatting()) as server,
        open_socket(f"ws://127.0.0.1:{server.port}/chat?mark=!") as chat,
    ):
        await chat.send("hello")

        assert await chat.recv() == "hello!"


async def test_a_handshake_behind_an_answer_is_served():
    """A client may use a connection that it has."""
    async with served(chatting()) as server, server.client() as client:
        client.send(HELLO)
        await client.answer()
        client.send(HANDSHAKE % b"Host: localhost\r\n")

        assert (await client.head())[0] == 101


async def test_a_handshake_is_not_pipelined():
    """What it upgrades would be the connection of an answer that is not there yet."""
    async with served(chatting()) as server, server.client() as client:
        client.send(HELLO + HANDSHAKE % b"Host: localhost\r\n")

        assert [(await client.answer()).status for _ in range(2)] == [200, 400]


@pytest.mark.parametrize("hosts", [b"", b"Host: a\r\nHost: b\r\n"])
async def test_a_handshake_passes_the_checks_of_a_request(hosts):
    """No Host, or two, is as wrong here as there."""
    async with served(chatting()) as server:
        answer = await server.say(HANDSHAKE % hosts)

    assert answer.status == 400
    assert answer.fields["content-type"] == "application/problem+json"


async def test_a_web_socket_is_told_that_the_service_restarts(depot):
    """1012: its client may connect anew, and finds another instance."""
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
