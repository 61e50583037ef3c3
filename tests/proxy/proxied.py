"""Gateways with proxied routes, for tests."""

from collections.abc import Sequence
from contextlib import asynccontextmanager
from urllib.parse import unquote

from bff_core import Policy, Settings, Upstream, gateway
from bff_core.auth import ANYONE
from bff_core.call import Call, Reply
from bff_core.proxy import Match, Proxy, Route
from bff_core.testing import client, reply

DEVELOPMENT = Settings(
    env="development", log="off", upstreams={"suppliers": ("http://suppliers.test",)}
)


class Suppliers(Upstream):
    """A service behind proxied routes."""

    policy = Policy(retry=None)


class Others(Upstream):
    """Another service behind proxied routes."""

    policy = Policy(retry=None)


def route(name: str, path: str, *, to=Suppliers, access=ANYONE, match=None, **options) -> Route:
    """Return a route that anyone may call; `match` has further conditions."""
    return Route(name, Match(path, **(match or {})), to=to, access=access, **options)


class PlainMiddleware:
    """Passes each request on; with it FastAPI serves all of them."""

    def __init__(self, app) -> None:
        self._app = app

    async def __call__(self, scope, receive, send) -> None:
        """Pass a request on."""
        await self._app(scope, receive, send)


def proxied(*routes: Route, faces: Sequence[object] = (), is_slow: bool = False, **options):
    """Return a function that makes a gateway with these routes."""

    def make():
        app = gateway("shop", faces=[*faces, Proxy(routes=routes)], **options)
        if is_slow:
            app.add_middleware(PlainMiddleware)
        return app

    return make


@asynccontextmanager
async def served(
    *routes: Route, suppliers=None, others=None, environ=None, viewer=None, headers=None, **options
):
    """Open a client of a gateway with these routes, whose services are scripted."""
    scripts = {"suppliers": suppliers or reply(200, b"reply")}
    if any(one.to is Others for one in routes):
        scripts["others"] = others or reply(200, b"others")
    made = proxied(*routes, **options)
    async with client(made, environ=environ, viewer=viewer, headers=headers, **scripts) as opened:
        yield opened


class Recorder:
    """A service that records the calls as they were sent."""

    def __init__(self, status: int = 200, headers=(), body: bytes = b"") -> None:
        self.calls: list[Call] = []
        self._reply = Reply(status, tuple(headers), body)

    async def __call__(self, call: Call) -> Reply:
        """Record a call and answer it."""
        self.calls.append(call)
        return self._reply

    def sent(self, name: str) -> list[bytes]:
        """Return the values of a header of the last call, line by line."""
        return [value for key, value in self.calls[-1].headers if key == name.encode()]


def ids_of(opened) -> list[str]:
    """Return the ids of the routes that called services, in their order."""
    return [one.operation.partition(" ")[2] for one in opened.calls]


class RawAnswer:
    """An answer to a request that was sent byte for byte."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self.body = b""

    def sent(self, name: str) -> list[bytes]:
        """Return the values of a header, line by line."""
        return [value for key, value in self.headers if key == name.encode()]


async def send_raw(
    opened, target: bytes, *, method: str = "GET", headers=(), body: bytes = b"", **scope
) -> RawAnswer:
    """Send a request as our server passes it on: path and headers byte for byte."""
    path, _, query = target.partition(b"?")
    answer, messages = RawAnswer(), [{"type": "http.request", "body": body, "more_body": False}]
    names = {name for name, _ in headers}
    length = [(b"content-length", b"%d" % len(body))] if body else []
    host = [] if b"host" in names else [(b"host", b"localhost")]

    async def receive():
        return messages.pop() if messages else {"type": "http.disconnect"}

    async def send(message) -> None:
        if message["type"] == "http.response.start":
            answer.status, answer.headers = message["status"], list(message["headers"])
        else:
            answer.body += message.get("body", b"")

    asgi = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": unquote(path.decode("latin-1")),
        "raw_path": path,
        "query_string": query,
        "root_path": "",
        "headers": [*host, *headers, *length],
        "client": ("203.0.113.9", 4711),
        "server": ("127.0.0.1", 80),
        "extensions": {},
        "state": {},
    }
    await opened.app(asgi | scope, receive, send)
    return answer
