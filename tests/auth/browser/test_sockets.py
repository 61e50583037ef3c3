"""WebSockets of browsers: pages of allowed origins open them with the session's cookie."""

from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
from fastapi import WebSocket
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from bff_core import ANYONE, Require, access, gateway
from bff_core.auth.session.authenticator import SessionAuthenticator
from bff_core.auth.session.session import Session
from bff_core.auth.viewer import Viewer
from bff_core.events import Events
from bff_core.http_exchange.request_context import SCOPE
from bff_core.testing.scripted import Scripted
from tests.auth.browser.site import HERE, settings, sign_in_at
from tests.server.talking import served
from tests.shop_with_view_cache import by_script

pytestmark = pytest.mark.uvloop

APP = "https://app.shop.example"


@dataclass
class Chat:
    """A gateway with web sockets on a real port, and the cookie of user 7."""

    port: int
    auth: SessionAuthenticator
    cookie: str

    async def open(self, path="/chat", *, origin=None, cookie="", headers=()):
        """Open a socket as a client does; return whom it greets, and what was set."""
        sent = [("cookie", f"__Host-bff={cookie or self.cookie}"), *headers]
        sent = [one for one in sent if one[1] != "__Host-bff=none"]
        url = f"ws://127.0.0.1:{self.port}{path}"
        async with connect(url, origin=origin, additional_headers=sent) as socket:
            return await socket.recv(), socket.response.headers

    async def status(self, path="/chat", **options) -> int:
        """Return with what a handshake is answered."""
        try:
            await self.open(path, **options)
        except InvalidStatus as refused:
            return refused.response.status_code
        return 101


@asynccontextmanager
async def opened():
    """Run the gateway."""
    auth = SessionAuthenticator(sign_in_at(), origins=[APP])
    app = gateway(
        "chat",
        settings=settings(allowed_hosts=["127.0.0.1"]),
        authenticator=auth,
        events=Events(),
        transport=by_script({"identity": Scripted()}),
    )

    async def greet(socket: WebSocket) -> None:
        await socket.accept()
        await socket.send_text(Viewer.from_scope(socket.scope[SCOPE]).subject or "anonymous")
        await socket.close()

    async def greet_anew(socket: WebSocket) -> None:
        await auth.rotate(socket.scope[SCOPE])
        await greet(socket)

    app.websocket("/chat")(greet)
    app.websocket("/anew")(greet_anew)
    app.websocket("/lobby")(access(ANYONE)(_copy(greet)))
    app.websocket("/desk")(access(Require("desk"))(_copy(greet)))
    async with served(app) as server:
        secret = await auth.sessions.begin(Session("h", "7"))
        yield Chat(server.port, auth, secret)


def _copy(act):
    async def other(socket: WebSocket) -> None:
        await act(socket)

    return other


@pytest.mark.parametrize("origin", [HERE, APP])
async def test_a_page_of_an_allowed_origin_opens_a_socket(origin):
    """The cookie names the viewer; no header is needed, since pages can't add one."""
    async with opened() as chat:
        greeted, _ = await chat.open(origin=origin)

    assert greeted == "7"


OTHERS = [
    None, "null", "", "https://evil.example", "http://shop.example", "https://shop.example:8443",
    "https://shop.example.evil.example", "https://blog.shop.example", "https://evilshop.example",
    "https://shop.example/", "https://shop.example, https://evil.example", "shop.example", "*",
]  # fmt: skip


@pytest.mark.mostly_slow
@pytest.mark.parametrize("origin", OTHERS)
@pytest.mark.parametrize("path", ["/chat", "/lobby"])
async def test_no_other_page_opens_a_socket_with_the_cookie(path, origin):
    """A handshake without an origin is refused too, even on open routes."""
    claims = [("x-csrf", "1"), ("sec-fetch-site", "same-origin")]
    async with opened() as chat:
        statuses = [await chat.status(path, origin=origin, headers=more) for more in ((), claims)]

    assert statuses == [403, 403]


async def test_a_socket_without_a_cookie_needs_no_origin():
    """An open route accepts all pages; another one requires a signed-in viewer."""
    async with opened() as chat:
        statuses = [
            await chat.status(path, origin="https://evil.example", cookie="none")
            for path in ("/lobby", "/chat")
        ]

    assert statuses == [101, 401]


async def test_a_socket_passes_the_access_rule_of_its_route():
    """A viewer without the required scope is refused."""
    async with opened() as chat:
        poor = await chat.status("/desk", origin=HERE)
        chat.cookie = await chat.auth.sessions.begin(Session("h2", "8", scopes=frozenset({"desk"})))
        rich = await chat.status("/desk", origin=HERE)

    assert (poor, rich) == (403, 101)


async def test_the_cookie_of_an_ended_session_opens_no_socket():
    """The answer is 401, and the browser deletes the cookie."""
    async with opened() as chat:
        with pytest.raises(InvalidStatus) as refused:
            await chat.open(origin=HERE, cookie="x" * 43)

    assert refused.value.response.status_code == 401
    assert "max-age=0" in refused.value.response.headers["set-cookie"].lower()


async def test_a_socket_that_rotates_its_session_sets_the_new_cookie():
    """Otherwise the browser would be signed out by it."""
    async with opened() as chat:
        greeted, headers = await chat.open("/anew", origin=HERE)
        cookie = headers["set-cookie"].partition(";")[0].partition("=")[2]
        again, _ = await chat.open(origin=HERE, cookie=cookie)

    assert (greeted, again) == ("7", "7")
    assert cookie != chat.cookie
