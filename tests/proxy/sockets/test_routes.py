"""Web sockets of proxied routes, through whole gateways and real sockets."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from bff_core import Policy, Require, Settings, Upstream, gateway
from bff_core.auth import ANYONE, Access
from bff_core.proxy import Headers, Match, Proxy, Route, Transform
from tests.proxy.sockets.wire import TEXT, Peer, echo, frame, opened, serving
from tests.server.talking import Served, served


class Live(Upstream):
    """A service with web sockets."""

    policy = Policy(retry=None)


@asynccontextmanager
async def gate(url: str, access: Access = ANYONE) -> AsyncIterator[Served]:
    """Serve a gateway with a route of web sockets, and a fallback without."""
    transform = Transform(
        path="/v2/{room}", request_headers=Headers(set={"X-Room": "{route.room}"})
    )
    match = Match("/live/{room}", headers={"X-App": "1"})
    live = Route("live", match, to=Live, access=access, websocket=True, transform=transform)
    rest = Route("rest", Match("/{rest:path}"), to=Live, access=ANYONE)
    settings = Settings(env="development", log="off", auth="demo", upstreams={"live": (url,)})
    app = gateway("chats", faces=[Proxy(routes=[live, rest])], settings=settings)
    async with served(app) as server:
        yield server


async def test_a_route_passes_web_sockets_on() -> None:
    """With its transforms and its conditions."""
    heads: list[bytes] = []

    async def heard(peer: Peer) -> None:
        heads.append(peer.head)
        await echo(peer)

    async with (
        serving(heard) as service,
        gate(service.url) as server,
        await opened(server.port, "/live/a%2Fb?q=1", "X-App: 1", "Cookie: session=1") as client,
    ):
        client.send(frame(TEXT, b"hello"))
        answer = await client.message()

    assert answer is not None
    assert answer.payload == b"hello"
    assert heads[0].startswith(b"GET /v2/a%2Fb?q=1 HTTP/1.1\r\n")
    assert b"x-room: a/b\r\n" in heads[0]
    assert b"cookie" not in heads[0].lower()


@pytest.mark.parametrize(
    ("path", "fields", "access", "status"),
    [
        ("/live/a", ["X-App: 1"], Require("chat:read"), 401),
        ("/live/%2e%2e", ["X-App: 1"], ANYONE, 400),
        ("/live/a", [], ANYONE, 403),
        ("/other", ["X-App: 1"], ANYONE, 403),
    ],
)
async def test_a_handshake_is_refused_before_the_service(path, fields, access, status) -> None:
    """By the access rule, for an unsafe path, and where no route takes web sockets."""
    async with (
        serving(echo) as service,
        gate(service.url, access) as server,
        await opened(server.port, path, *fields) as client,
    ):
        assert client.status == status
