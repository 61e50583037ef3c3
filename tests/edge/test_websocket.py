"""Web sockets pass the same edge: scope, hosts, viewer, refused handshakes."""

import pytest

from bff_core.auth.demo import DemoAuthenticator
from bff_core.events import Crashed, RequestAnswered

DEMO = DemoAuthenticator(env="development")
HOST = (b"host", b"testserver")


def chatting(scopes):
    """Make an application that accepts a socket and closes it again."""

    async def app(scope, receive, send):
        scopes.append(scope["bff.scope"])
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.close", "code": 1000})

    return app


async def test_a_socket_has_a_viewer_and_no_deadline(edged):
    """A web socket may stay open for ever; each message may have its own deadline."""
    scopes = []
    gateway = edged(chatting(scopes), authenticator=DEMO)

    await gateway.speak([HOST, (b"authorization", b"Bearer demo-3")], type="websocket")

    assert scopes[0].viewer.subject == "3"
    assert scopes[0].deadline == float("inf")
    assert [message["type"] for message in gateway.sent] == ["websocket.accept", "websocket.close"]
    assert [event.status for event in gateway.of(RequestAnswered)] == [101]


@pytest.mark.parametrize(
    "headers",
    [[(b"host", b"evil.example")], [HOST, (b"authorization", b"Basic x")]],
)
async def test_a_refused_socket_is_closed_before_it_opens(edged, headers):
    """The server answers the handshake with a 403."""
    scopes = []
    gateway = edged(chatting(scopes), authenticator=DEMO)

    await gateway.speak(headers, type="websocket")

    assert gateway.sent == [{"type": "websocket.close", "code": 1008}]
    assert scopes == []


async def test_a_refused_socket_gets_a_problem_where_the_server_can(edged):
    """With the ASGI extension the handshake gets status, body and challenge."""
    gateway = edged(chatting([]), authenticator=DEMO)

    await gateway.speak(
        [HOST, (b"authorization", b"Basic x")],
        type="websocket",
        extensions={"websocket.http.response": {}},
    )

    assert gateway.sent[0]["type"] == "websocket.http.response.start"
    assert (gateway.status, gateway.json["code"]) == (401, "not_authenticated")
    assert (b"www-authenticate", b'Bearer realm="demo"') in gateway.sent[0]["headers"]


async def test_a_cookie_that_a_handshake_gets_is_set(edged):
    """Otherwise a session that got a new cookie would be lost."""

    async def app(scope, receive, send):
        scope["bff.scope"].added.append((b"set-cookie", b"a=1"))
        await send({"type": "websocket.accept", "headers": [(b"x-own", b"1")]})
        await send({"type": "websocket.close", "code": 1000})

    gateway = edged(app)

    await gateway.speak([HOST], type="websocket")

    assert gateway.sent[0]["headers"] == [(b"x-own", b"1"), (b"set-cookie", b"a=1")]


async def test_a_crash_of_an_open_socket_ends_the_connection(edged):
    """The server gets the error and closes; an event reports it."""

    async def app(scope, receive, send):
        await send({"type": "websocket.accept"})
        raise ValueError("broken hub")

    gateway = edged(app)

    with pytest.raises(ValueError, match="broken hub"):
        await gateway.speak([HOST], type="websocket")

    assert len(gateway.of(Crashed)) == 1


async def test_the_lifespan_passes_by(edged):
    """The lifespan is no request: the edge neither checks nor changes it."""
    scopes = []

    async def app(scope, receive, send):
        scopes.append(dict(scope))

    await edged(app).app({"type": "lifespan"}, None, None)

    assert scopes == [{"type": "lifespan"}]
