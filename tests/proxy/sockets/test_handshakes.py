"""Handshakes through the proxy: what is offered, who answers, and what is refused."""

import asyncio
import gzip
import socket
import ssl
from contextlib import asynccontextmanager

import pytest
import trustme
from pydantic import SecretStr
from starlette.routing import WebSocketRoute

from bff_core import Gateway, Settings, gateway
from bff_core.http_exchange.request_context import SCOPE
from bff_core.policy.upstream.balance import Balance
from bff_core.policy.upstream.breaker import Breaker
from bff_core.policy.upstream.bulkhead import Bulkhead
from bff_core.policy.upstream.connection import Connection
from bff_core.policy.upstream.credentials import ApiKey
from bff_core.policy.upstream.policy import Policy
from bff_core.policy.upstream.retry import Retry
from bff_core.proxy.socket_forwarding import agreeable, forward_socket
from bff_core.proxy.sockets import Socket
from bff_core.upstream.client import Upstream
from bff_core.upstream.forwarding import ForwardedRequest
from tests.proxy.sockets.proxying import proxying
from tests.proxy.sockets.wire import (
    TEXT,
    Peer,
    accept_of,
    closing,
    connected,
    echo,
    frame,
    offer,
    opened,
    serving,
)
from tests.server.talking import served, until

pytestmark = pytest.mark.uvloop


def answering(data: bytes):
    """Return the script of a service that answers every handshake with these bytes."""

    async def answer(peer: Peer) -> None:
        peer.send(data)
        await peer.writer.drain()

    return answer


async def wait(peer: Peer) -> None:
    """Never answer."""
    await peer.reader.read()


def refused_port() -> int:
    """Return a port without a listener."""
    with socket.socket() as line:
        line.bind(("127.0.0.1", 0))
        return line.getsockname()[1]


REFUSALS = {
    status: b"HTTP/1.1 %d Whatever\r\nContent-Length: 4\r\nX-Why: %d\r\n\r\nwhy?" % (status, status)
    for status in (200, 201, 301, 302, 400, 401, 403, 404, 409, 422, 426, 429, 500, 502, 503, 504)
}


@pytest.mark.parametrize("status", REFUSALS)
async def test_a_refusal_of_the_service_is_the_answer(status):
    """Any status before 101 reaches the client, with its fields and its body."""
    script = answering(REFUSALS[status])
    async with serving(script, accepts=False) as service, proxying(service.url) as proxy:
        async with await proxy.open() as client:
            body = await client.reader.read()

        assert (client.status, body) == (status, b"why?")
        assert client.fields["x-why"] == str(status)
        assert len(service.peers) == 1  # neither redirected nor retried
        await proxy.rest()


async def test_a_refusal_without_a_length_is_passed_on_whole():
    """It ends with the connection, and is as long as it is."""
    text = b"HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nnone\r\n0\r\n\r\n"
    script = answering(text)
    async with serving(script, accepts=False) as service, proxying(service.url) as proxy:
        async with await proxy.open() as client:
            body = await client.reader.read()
        await proxy.rest()

    assert (client.status, body) == (404, b"4\r\nnone\r\n0\r\n\r\n")


async def test_a_coded_refusal_stays_coded():
    """The body of a forwarded reply is not decoded."""
    coded = gzip.compress(b"no")
    head = b"HTTP/1.1 403 No\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(coded)
    script = answering(head + coded)
    async with (
        serving(script, accepts=False) as service,
        proxying(service.url) as proxy,
        await proxy.open() as client,
    ):
        body = await client.reader.read()

    assert gzip.decompress(body) == b"no"


def switching(*fields: bytes, accept: bytes | None = None, status: bytes = b"101 Switching"):
    """Return a script that answers with these fields in place of the right ones."""

    async def answer(peer: Peer) -> None:
        right = accept_of(peer.fields[b"sec-websocket-key"]) if accept is None else accept
        lines = (b"HTTP/1.1 " + status, *fields, b"Sec-WebSocket-Accept: " + right, b"", b"")
        peer.send(b"\r\n".join(lines))
        await peer.is_closed()

    return answer


UPGRADE, CONNECTION = b"Upgrade: websocket", b"Connection: Upgrade"
BAD_ANSWERS = {
    "another key": switching(UPGRADE, CONNECTION, accept=accept_of(b"another")),
    "an empty key": switching(UPGRADE, CONNECTION, accept=b""),
    "two keys": switching(UPGRADE, CONNECTION, b"Sec-WebSocket-Accept: x"),
    "no upgrade": switching(CONNECTION),
    "another upgrade": switching(b"Upgrade: h2c", CONNECTION),
    "no connection": switching(UPGRADE),
    "another connection": switching(UPGRADE, b"Connection: close"),
    "an extension that was not offered": switching(
        UPGRADE, CONNECTION, b"Sec-WebSocket-Extensions: permessage-deflate"
    ),
    "a subprotocol that was not offered": switching(
        UPGRADE, CONNECTION, b"Sec-WebSocket-Protocol: chat"
    ),
    "no HTTP": answering(b"\x81\x02hi"),
    "an interim status without end": answering(b"HTTP/1.1 102 Processing\r\n\r\n" * 9),
    "the end of the connection": answering(b""),
    "half a head": answering(b"HTTP/1.1 101 Switch"),
}


@pytest.mark.parametrize("fault", BAD_ANSWERS)
async def test_an_answer_that_is_none_is_a_bad_gateway(fault):
    """502 for the client, and nothing is left open."""
    async with serving(BAD_ANSWERS[fault], accepts=False) as service, proxying(service.url) as p:
        async with await p.open() as client:
            assert client.status == 502
        await p.rest()
        await until(lambda: not service.open, 5)


async def test_an_early_hint_precedes_the_acceptance():
    """Interim answers are read over."""

    async def hint(peer: Peer) -> None:
        peer.send(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
        peer.switch()
        await echo(peer)

    async with (
        serving(hint, accepts=False) as service,
        proxying(service.url) as proxy,
        await proxy.open() as client,
    ):
        client.send(frame(TEXT, b"hi"))
        answer = await client.message()

    assert (client.status, answer.payload if answer else b"") == (101, b"hi")


@pytest.mark.parametrize("cut", [1, 20, 60, 128, 131])
async def test_frames_right_behind_the_head_arrive(cut):
    """Also if the segments end anywhere."""

    async def speak(peer: Peer) -> None:
        key = accept_of(peer.fields[b"sec-websocket-key"])
        head = b"HTTP/1.1 101 S\r\n%b\r\n%b\r\nSec-WebSocket-Accept: %b\r\n\r\n"
        data = head % (UPGRADE, CONNECTION, key) + frame(TEXT, b"first", masked=False)
        for piece in (data[:cut], data[cut:]):
            peer.send(piece)
            await asyncio.sleep(0.01)
        await peer.close()

    async with (
        serving(speak, accepts=False) as service,
        proxying(service.url) as proxy,
        await proxy.open() as client,
    ):
        first = await client.message()

    assert first is not None
    assert first.payload == b"first"


async def test_a_service_that_refuses_the_connection():
    """502, and it was not sent."""
    async with proxying(f"http://127.0.0.1:{refused_port()}") as proxy:
        async with await proxy.open() as client:
            assert client.status == 502
        await proxy.rest()


@pytest.mark.parametrize("retry", [None, Retry(attempts=3)])
async def test_an_endpoint_that_refuses_leaves_it_to_another(retry):
    """Each web socket opens at the one that listens, without a retry."""
    policy = Policy(retry=retry, balance=Balance(ejection_failures=1000))
    async with (
        serving(echo) as service,
        proxying(f"http://127.0.0.1:{refused_port()}", service.url, policy=policy) as proxy,
    ):
        statuses = []
        for _ in range(8):
            async with await proxy.open() as client:
                statuses.append(client.status)
        await proxy.rest()

    assert statuses == [101] * 8


async def test_a_service_that_never_answers():
    """504 at the deadline; the connection is closed, and the permit free."""
    policy = Policy(timeout=0.3, retry=None)
    async with (
        serving(wait, accepts=False) as service,
        proxying(service.url, policy=policy) as proxy,
    ):
        async with await proxy.open() as client:
            assert client.status == 504
        await proxy.rest()
        await until(lambda: not service.open, 5)


async def test_a_deadline_longer_than_the_server_s_own_holds():
    """The server waits for the service as long as its policy does: 504, not the server's 503."""
    policy = Policy(timeout=0.5, retry=None)
    async with (
        serving(wait, accepts=False) as service,
        proxying(service.url, policy=policy, header_timeout=0.1) as proxy,
        await proxy.open() as client,
    ):
        assert client.status == 504


async def test_a_deadline_of_the_handshake_does_not_end_the_socket():
    """It bounds the wait for the 101 only, and so does the time of streams."""
    policy = Policy(timeout=0.2, connection=Connection(stream_timeout=0.2, stream_idle_timeout=0.1))
    async with (
        serving(echo) as service,
        proxying(service.url, policy=policy) as proxy,
        await proxy.open() as client,
    ):
        await asyncio.sleep(0.5)
        client.send(frame(TEXT, b"still here"))
        answer = await client.message()

    assert answer is not None
    assert answer.payload == b"still here"


async def test_an_open_circuit_refuses_handshakes():
    """503 at once: the service is not called."""
    policy = Policy(breaker=Breaker(minimum_calls=2, open_for=60), retry=None)
    script = answering(REFUSALS[503])
    async with (
        serving(script, accepts=False) as service,
        proxying(service.url, policy=policy) as proxy,
    ):
        bodies = []
        for _ in range(4):
            async with await proxy.open() as client:
                bodies.append((client.status, await client.reader.read()))
        await proxy.rest()

        assert bodies[-1] == (503, b"c\r\ncircuit_open\r\n0\r\n\r\n")
        assert len(service.peers) < 4


async def test_a_socket_holds_its_permit_to_the_end():
    """With one permit a second handshake is refused; the next gets the permit."""
    policy = Policy(bulkhead=Bulkhead(concurrent=1, queue=0))
    async with serving(echo) as service, proxying(service.url, policy=policy) as proxy:
        async with await proxy.open() as first:
            async with await proxy.open() as second:
                assert (first.status, second.status) == (101, 503)
            first.send(closing(1000))
            assert await first.close()
        await proxy.rest()
        async with await proxy.open() as third:
            assert third.status == 101


async def test_a_socket_has_its_connection_to_the_end():
    """It counts as active, and is not given to another call afterwards."""
    async with serving(echo) as service, proxying(service.url) as proxy:
        for number in range(3):
            async with await proxy.open() as client:
                assert proxy.connections == 1
                client.send(closing(1000))
                assert await client.close()
            await proxy.rest()
            assert len(service.peers) == number + 1
            assert [one.idle for one in proxy.stack.state().endpoints] == [0]


async def test_a_client_that_leaves_before_the_answer_opens_nothing():
    """The call to the service is cancelled, and its connection closed."""
    async with serving(wait, accepts=False) as service, proxying(service.url) as proxy:
        client = await connected(proxy.server.port)
        client.send(offer())
        await until(lambda: len(service.peers) == 1, 5)
        client.drop()

        await proxy.rest()
        await until(lambda: not service.open, 5)
        circuit = proxy.stack.state().breaker
        assert circuit is not None
        assert circuit.failed == 0


HEADERS = {
    "Connection": (("Upgrade, X-Hop", "X-Hop: 1"), b"x-hop", None),
    "TE": (("TE: trailers",), b"te", None),
    "Proxy-Authorization": (("Proxy-Authorization: Basic x",), b"proxy-authorization", None),
    "Keep-Alive": (("Keep-Alive: timeout=5",), b"keep-alive", None),
    "Extensions": (
        ("Sec-WebSocket-Extensions: permessage-deflate",),
        b"sec-websocket-extensions",
        None,
    ),
    "Origin": (("Origin: https://shop.example",), b"origin", b"https://shop.example"),
    "a field of its own": (("X-Colour: blue",), b"x-colour", b"blue"),
    "Request-Timeout": (("Request-Timeout: 9999",), b"request-timeout", ...),
    "traceparent": (("Traceparent: 00-x",), b"traceparent", None),
}


@pytest.mark.parametrize("name", HEADERS)
async def test_fields_of_the_handshake(name):
    """Those of one connection stay here; others reach the service."""
    (fields, field, expected) = HEADERS[name]
    lines = [one if ":" in one else f"Connection: {one}" for one in fields]
    async with (
        serving(echo) as service,
        proxying(service.url) as proxy,
        await proxy.open("/", *lines),
    ):
        got = service.peers[0].fields.get(field)

    assert got == expected or (expected is ... and got != b"9999")


async def test_the_key_is_not_the_client_s():
    """The handshake with the service is the proxy's own: key, version, host."""
    async with (
        serving(echo) as service,
        proxying(service.url) as proxy,
        await proxy.open("/live?room=1%2F2", "Sec-WebSocket-Fancy: 1"),
    ):
        peer = service.peers[0]

    assert peer.head.startswith(b"GET /live HTTP/1.1\r\n")
    assert peer.fields[b"sec-websocket-key"] != b"dGhlIHNhbXBsZSBub25jZQ=="
    assert peer.fields[b"sec-websocket-version"] == b"13"
    assert peer.fields[b"host"] == b"127.0.0.1:%d" % service.port
    assert b"sec-websocket-fancy" not in peer.fields
    assert peer.head.count(b"ec-websocket-key") == 1


def choosing(chosen: bytes):
    """Return a script that chooses a subprotocol."""

    async def choose(peer: Peer) -> None:
        peer.switch(*([b"Sec-WebSocket-Protocol: " + chosen] if chosen else []))
        await echo(peer)

    return choose


@pytest.mark.parametrize(
    ("offered", "allowed", "sent", "chosen", "status"),
    [
        ("chat", (), b"chat", b"chat", 101),
        ("chat, soap", (), b"chat, soap", b"soap", 101),
        ("chat, soap", ("soap",), b"soap", b"soap", 101),
        ("soap, chat, x", ("chat", "soap"), b"soap, chat", b"chat", 101),
        ("chat", ("soap",), None, b"", 101),
        ("chat", (), b"chat", b"", 101),
        ("chat", ("soap",), None, b"chat", 502),
        ("chat", (), b"chat", b"soap", 502),
        (None, (), None, b"", 101),
        (None, (), None, b"chat", 502),
    ],
)
async def test_the_service_chooses_a_subprotocol(offered, allowed, sent, chosen, status):
    """It chooses among those that the client offers and the route allows."""
    fields = [f"Sec-WebSocket-Protocol: {offered}"] if offered else []
    allowing = Socket(subprotocols=allowed)
    async with (
        serving(choosing(chosen), accepts=False) as service,
        proxying(service.url, socket=allowing) as proxy,
        await proxy.open("/", *fields) as client,
    ):
        assert client.status == status
        assert service.peers[0].fields.get(b"sec-websocket-protocol") == sent
        if status == 101:
            assert client.fields.get("sec-websocket-protocol", "") == chosen.decode()


def test_a_subprotocol_is_offered_once():
    """In the client's order, without repeats."""
    assert agreeable(["b", "a", "b"], ()) == ("b", "a")
    assert agreeable(["b", "a", "b"], ("b",)) == ("b",)


@pytest.mark.parametrize(
    "forged", ["", "a b", "a;b", "a\r\nx: y", 'a"', "a/b", "ä", "(a)", "a\0", "a=b"]
)
def test_what_is_no_subprotocol_is_not_offered(forged):
    """A name is a token; nothing else reaches the service."""
    assert agreeable([forged, "chat"], ()) == ("chat",)
    assert agreeable([forged], (forged,)) == ()


async def test_fields_of_the_acceptance_reach_the_client():
    """But not those that describe the service or set its cookies."""

    async def switch(peer: Peer) -> None:
        secret = (b"Set-Cookie: a=b", b"Server: Secret/1", b"Via: 1.1 inside")
        peer.switch(b"X-Room: 7", b"Date: yesterday", b"Content-Length: 0", *secret)
        await echo(peer)

    async with (
        serving(switch, accepts=False) as service,
        proxying(service.url) as proxy,
        await proxy.open() as client,
    ):
        fields = client.fields

    assert fields["x-room"] == "7"
    assert not {"set-cookie", "server", "via", "content-length"} & fields.keys()
    assert client.head.lower().count(b"date:") == 1
    assert fields["date"] != "yesterday"
    assert client.head.lower().count(b"sec-websocket-accept") == 1
    assert client.head.lower().count(b"upgrade: websocket") == 1


async def test_a_redirect_is_not_followed():
    """Clients of web sockets don't either; the answer is theirs."""
    refusal = b"HTTP/1.1 307 Elsewhere\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n"
    policy = Policy(redirects=3)
    async with (
        serving(answering(refusal), accepts=False) as service,
        proxying(service.url, policy=policy) as proxy,
        await proxy.open() as client,
    ):
        assert client.status == 307
        assert len(service.peers) == 1


async def test_a_refusal_is_not_retried():
    """Not even a status that calls are retried for."""
    policy = Policy(retry=Retry(attempts=3, backoff=0.01))
    async with (
        serving(answering(REFUSALS[503]), accepts=False) as service,
        proxying(service.url, policy=policy) as proxy,
        await proxy.open() as client,
    ):
        assert client.status == 503
        assert len(service.peers) == 1


async def test_a_socket_transfers_more_than_a_stream_may():
    """The cap of streamed replies does not hold for it."""
    policy = Policy(connection=Connection(max_streamed=10_000))
    async with (
        serving(echo) as service,
        proxying(service.url, policy=policy) as proxy,
        await proxy.open() as client,
    ):
        for _ in range(5):
            client.send(frame(TEXT, b"x" * 5000))
            answer = await client.message()
            assert answer is not None
            assert answer.payload == b"x" * 5000


async def test_a_stale_connection_is_replaced():
    """A pooled connection that the service has closed is opened again."""
    answers = [b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n"]

    async def once(peer: Peer) -> None:
        if answers:
            peer.send(answers.pop())
            await peer.reader.readuntil(b"\r\n\r\n")  # the second request: no answer
            return
        peer.switch()
        await echo(peer)

    async with serving(once, accepts=False) as service, proxying(service.url) as proxy:
        async with await proxy.open() as first:
            await first.reader.read()
        await proxy.rest()
        async with await proxy.open() as second:
            assert (first.status, second.status) == (404, 101)


@asynccontextmanager
async def secure_echo(authority):
    """Run a service over TLS that says everything again."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(context)

    async def serve(reader, writer):
        peer = Peer(reader, writer)
        peer.head = await reader.readuntil(b"\r\n\r\n")
        peer.switch()
        await echo(peer)
        writer.close()

    server = await asyncio.start_server(serve, "localhost", 0, ssl=context)
    try:
        yield f"https://localhost:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


async def test_a_service_over_tls(tmp_path):
    """The certificate is verified, and messages pass both ways."""
    authority = trustme.CA()
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(path)
    trusting = Policy(connection=Connection(ca_file=str(path)))
    async with secure_echo(authority) as url:
        async with proxying(url, policy=trusting) as proxy:
            async with await proxy.open() as client:
                client.send(frame(TEXT, b"x" * 100_000))
                answer = await client.message()
                client.send(closing(1000, "bye"))
                close = await client.close()
            await proxy.rest()
        async with proxying(url) as proxy, await proxy.open() as untrusting:
            assert untrusting.status == 502

    assert answer is not None
    assert len(answer.payload) == 100_000
    assert close is not None
    assert close.code == 1000


class Chat(Upstream):
    """A service behind a gateway."""

    policy = Policy(
        timeout=0.3,
        retry=None,
        bulkhead=Bulkhead(concurrent=1, queue=0),
        credentials=ApiKey(secret="key"),
    )


class Forwarding:
    """The application behind a route."""

    app: Gateway

    async def __call__(self, scope, receive, send):
        chat = self.app.running.services[Chat].bind(scope[SCOPE])
        request = ForwardedRequest(
            method="GET", target="/", audience=None, headers=tuple(scope["headers"])
        )
        await forward_socket(scope, receive, send, upstream=chat, request=request, options=Socket())


@asynccontextmanager
async def gateway_of(url: str):
    """Run a gateway with one route that passes web sockets on."""
    keys = {"key": SecretStr("of the gateway")}
    settings = Settings(env="development", log="off", upstreams={"chat": url}, secrets=keys)
    app = gateway("chat", settings=settings, services=[Chat])
    forwarding = Forwarding()
    forwarding.app = app
    app.router.routes.append(WebSocketRoute("/chat", forwarding))
    async with served(app) as server:
        yield server


@pytest.mark.parametrize(
    ("script", "status", "code"),
    [(wait, 504, "timeout"), (answering(b""), 502, "unavailable")],
)
async def test_a_gateway_answers_with_problem_details(script, status, code):
    """Where the service gives no answer, the gateway does: never with an address."""
    async with (
        serving(script, accepts=False) as service,
        gateway_of(service.url) as server,
        await opened(server.port, "/chat") as client,
    ):
        body = await client.reader.read()

    assert client.status == status
    assert client.fields["content-type"] == "application/problem+json"
    assert code.encode() in body
    assert str(service.port).encode() not in body


async def test_a_gateway_whose_permits_are_taken():
    """503, before 101."""
    async with (
        serving(echo) as service,
        gateway_of(service.url) as server,
        await opened(server.port, "/chat") as first,
        await opened(server.port, "/chat") as second,
    ):
        assert (first.status, second.status) == (101, 503)
        assert second.fields["content-type"] == "application/problem+json"


async def test_a_gateway_s_credentials_replace_those_of_the_client():
    """The service gets the key of the gateway, and no other."""
    async with (
        serving(echo) as service,
        gateway_of(service.url) as server,
        await opened(server.port, "/chat", "X-API-Key: forged") as client,
    ):
        assert client.status == 101
        head = service.peers[0].head

    assert head.count(b"x-api-key") == 1
    assert service.peers[0].fields[b"x-api-key"] == b"of the gateway"
