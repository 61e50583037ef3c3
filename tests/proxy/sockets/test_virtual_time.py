"""What takes minutes, in virtual time: sign-ins that end, idle limits, pings, other servers."""

import asyncio
from contextlib import asynccontextmanager
from math import inf

import pytest

from bff_core.call import Reply
from bff_core.errors import (
    NotAllowed,
    NotAuthenticated,
    ProviderUnavailable,
    StoreUnavailable,
    TransportFailed,
)
from bff_core.http_exchange.request_context import SCOPE
from bff_core.policy.upstream.policy import Policy
from bff_core.proxy.close_codes import Close, Ends, after_client, after_service
from bff_core.proxy.socket_forwarding import forward_socket
from bff_core.proxy.sockets import Socket
from bff_core.scope import Scope
from bff_core.testing.layer_runtime import LayerRuntime
from bff_core.testing.scripted import Scripted, ScriptedTransport
from bff_core.upstream.client import Upstream
from bff_core.upstream.forwarding import ForwardedRequest
from bff_core.upstream.stack import open_stack
from bff_core.upstream.transport.upstream_socket import UpstreamSocket
from bff_core.web_socket.framing import ClientFraming
from bff_core.web_socket.limits import EXTENSION, Closed
from tests.proxy.sockets.wire import accept_of

pytestmark = pytest.mark.virtual_time


class Live(Upstream):
    """A service with web sockets."""


class Line:
    """A connection to a service; `arriving` has what it sends, `closing` its close frame."""

    unsent = 0

    def __init__(self, call):
        self.call = call
        self.arriving = asyncio.Queue()
        self.closing = b""
        self.is_closed = False

    def __aiter__(self):
        return self

    async def __anext__(self):
        piece = await self.arriving.get()
        if isinstance(piece, Exception):
            self.arriving.put_nowait(piece)
            raise piece
        return piece

    def write(self, pieces):
        """Take bytes; pings and close frames are answered."""
        data = b"".join(pieces)
        if data[:1] == b"\x89":
            self.arriving.put_nowait(b"\x8a\x00")
        elif data[:1] == b"\x88":
            self.closing = data
            self.fail(TransportFailed("closed", call=self.call, is_sent=True))

    async def drained(self):
        """Wait for nothing."""

    def fail(self, error):
        """Fail the reader."""
        self.arriving.put_nowait(error)

    async def aclose(self):
        """Close."""
        self.is_closed = True


class Client:
    """A client behind an ASGI server, as an application has it."""

    def __init__(self, *, is_own_server=True):
        self.arriving = asyncio.Queue()
        self.arriving.put_nowait({"type": "websocket.connect"})
        self.sent = []
        self.is_gone = False
        self.is_answered = asyncio.Event()
        extensions = {EXTENSION: {}} if is_own_server else {}
        self.scope = {"type": "websocket", "subprotocols": [], "extensions": extensions}

    async def send(self, event):
        """Take an event of the application."""
        if self.is_gone:
            raise OSError("gone")
        self.sent.append(event)
        self.is_answered.set()

    @property
    def close(self):
        """The code and the reason of the close frame; None without one."""
        last = self.sent[-1]
        return (last["code"], last["reason"]) if last["type"] == "websocket.close" else None


@asynccontextmanager
async def forwarded(client, options=None, **fields):
    """Pass a web socket on; yield the service's end and the task."""
    bench, lines = LayerRuntime("live"), []

    async def accept(call):
        line, framing = Line(call), ClientFraming(call.web_socket.max_message, ())
        key = framing.offer().partition(b"sec-websocket-key: ")[2].partition(b"\r\n")[0]
        head = b"HTTP/1.1 101 S\r\nupgrade: websocket\r\nconnection: Upgrade\r\n"
        assert framing.begin(head + b"sec-websocket-accept: " + accept_of(key) + b"\r\n\r\n") == ""
        lines.append(line)
        loop = asyncio.get_running_loop()
        return Reply(101, (), UpstreamSocket(line, framing, ping=call.web_socket.ping, loop=loop))

    transport = ScriptedTransport({"10.0.0.1": Scripted(accept)})
    stack = open_stack(Policy(), ["http://10.0.0.1"], bench.runtime, lambda *_: transport)
    scope = Scope(inf, "WEBSOCKET", **fields)
    client.scope[SCOPE] = scope
    task = asyncio.create_task(
        forward_socket(
            client.scope,
            client.arriving.get,
            client.send,
            upstream=Live(stack, clock=bench.runtime.clock).bind(scope),
            request=ForwardedRequest(method="GET", target="/", audience=None),
            options=options or Socket(idle=86_400, ping=3600),
        )
    )
    await client.is_answered.wait()
    while not lines:
        await asyncio.wait({task}, timeout=0.01)
    yield lines[0], task
    task.cancel()
    await asyncio.wait({task})
    await stack.aclose()


def code_of(line):
    """Return the code of the close frame that a service got; None for a frame without one."""
    assert line.closing
    key, payload = line.closing[2:6], line.closing[6:8]
    if not payload:
        return None
    return int.from_bytes(bytes(a ^ b for a, b in zip(payload, key, strict=False)), "big")


def failing(error, after):
    """Return a check of credentials that fails from an instant on, and a list of its times."""
    loop, times = asyncio.get_running_loop(), []
    begun = loop.time()

    async def recheck():
        times.append(loop.time() - begun)
        if times[-1] >= after:
            raise error

    return recheck, times


@pytest.mark.parametrize("error", [NotAuthenticated("ended"), NotAllowed("no more")])
async def test_a_socket_ends_with_its_sign_in(error):
    """A logout, a revoked key, an expired token: 1008 within seconds; the service gets 1001."""
    client = Client()
    recheck, times = failing(error, 600)
    async with forwarded(client, recheck=recheck) as (line, task):
        await task

    assert 600 <= times[-1] <= 616
    assert client.close == (1008, "sign in again")
    assert code_of(line) == 1001


@pytest.mark.parametrize(
    "error", [StoreUnavailable("sessions", "down"), ProviderUnavailable("down")]
)
async def test_a_socket_outlives_a_store_that_is_down(error):
    """Whether the sign-in is valid is unknown then: the socket goes on."""
    client = Client()
    recheck, times = failing(error, 100)
    async with forwarded(client, recheck=recheck) as (_, task):
        await asyncio.sleep(1000)
        assert not task.done()

    assert len(times) > 60


async def test_a_check_that_hangs_does_not_end_a_socket():
    """It is given up, and tried again."""
    client, calls = Client(), []

    async def hang():
        calls.append(1)
        await asyncio.Event().wait()

    async with forwarded(client, recheck=hang) as (_, task):
        await asyncio.sleep(300)
        assert not task.done()

    assert len(calls) >= 9


async def test_a_socket_without_credentials_is_not_checked():
    """It ends by its idle limit, after a day."""
    client = Client()
    async with forwarded(client) as (line, task):
        begun = asyncio.get_running_loop().time()
        await task

    assert asyncio.get_running_loop().time() - begun == pytest.approx(86_400, abs=10)
    assert client.close == (1001, "no message for 86400 s")
    assert code_of(line) == 1001


async def test_an_idle_limit_counts_from_the_last_message():
    """Messages of either direction count, pings do not."""
    client, loop = Client(), asyncio.get_running_loop()
    async with forwarded(client, Socket(idle=100, ping=3600)) as (line, task):
        begun = loop.time()
        await asyncio.sleep(90)
        client.arriving.put_nowait({"type": "websocket.receive", "text": "up"})
        await asyncio.sleep(90)
        line.arriving.put_nowait(b"\x81\x04down")
        await asyncio.sleep(50)
        line.arriving.put_nowait(b"\x89\x00")
        await task

    assert loop.time() - begun == pytest.approx(280, abs=0.1)


async def test_other_servers_close_without_a_code_by_1000():
    """ASGI has no close without a code."""
    client = Client(is_own_server=False)
    async with forwarded(client) as (line, task):
        line.arriving.put_nowait(b"\x88\x00")
        await task

    assert client.close == (1000, "")


@pytest.mark.parametrize(
    ("event", "code"),
    [
        ({"code": 1000}, 1000),
        ({"code": 1005}, None),
        ({"code": 1006}, 1001),
        ({}, None),
        ({"code": 4001, "reason": "x"}, 4001),
        ({"code": 2000}, 1001),
    ],
)
async def test_the_end_at_other_servers(event, code):
    """They tell a close from a lost connection by the code alone."""
    client = Client(is_own_server=False)
    async with forwarded(client) as (line, task):
        client.arriving.put_nowait({"type": "websocket.disconnect", **event})
        await task

    assert code_of(line) == code


async def test_a_client_that_can_not_be_sent_to_may_say_why():
    """Its close frame was read, and waits behind a message for a slow service."""
    client = Client()
    async with forwarded(client) as (line, task):
        client.is_gone = True
        line.arriving.put_nowait(b"\x81\x02hi")
        await asyncio.sleep(0.5)
        client.arriving.put_nowait({"type": "websocket.disconnect", "code": 4000})
        await task

    assert code_of(line) == 4000


async def test_a_client_that_can_not_be_sent_to_is_lost():
    """If it says nothing for a second, its service gets 1001."""
    client, loop = Client(), asyncio.get_running_loop()
    async with forwarded(client) as (line, task):
        client.is_gone = True
        line.arriving.put_nowait(b"\x81\x02hi")
        begun = loop.time()
        await task

    assert loop.time() - begun < 2
    assert code_of(line) == 1001


async def test_a_client_that_leaves_while_it_is_accepted():
    """The service gets 1001, and nothing fails."""
    client = Client()
    client.is_gone = True
    client.is_answered.set()
    async with forwarded(client) as (line, task):
        await task

    assert code_of(line) == 1001


ENDS = {
    Closed(1000, "bye"): (Close(1000, "bye"), Close(1000, "bye")),
    Closed(1005): (Close(None), Close(None)),
    Closed(1006, end="lost"): (Close(1001), Close(1014, "the service is gone")),
    Closed(1006, end="unanswered"): (Close(1001), Close(1014, "the service is gone")),
    Closed(1012, end="shutdown"): (Close(1001), Close(1014, "the service is gone")),
    Closed(1002, "bad", end="failed"): (Close(1001), Close(1002, "bad")),
    Closed(1007, "bad", end="failed"): (Close(1001), Close(1007, "bad")),
    Closed(1009, "long", end="failed"): (Close(1001), Close(1009, "long")),
}


@pytest.mark.parametrize("end", ENDS)
def test_each_end_becomes_another(end):
    """What the other side is sent: the service after the client, the client after the service."""
    to_service, to_client = ENDS[end]

    assert after_client(end) == Ends(None, to_service)
    assert after_service(end).to_client == to_client
