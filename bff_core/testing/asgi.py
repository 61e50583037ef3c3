"""Services of a test that are ASGI apps: a stub written with FastAPI, or the service itself."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import unquote

from bff_core.call import Call, Reply, find_header
from bff_core.errors import TransportFailed
from bff_core.streamed_body import StreamedBody
from bff_core.testing.scripted import Step

Message = MutableMapping[str, Any]
Application = Callable[
    [
        MutableMapping[str, Any],
        Callable[[], Awaitable[Message]],
        Callable[[Message], Awaitable[None]],
    ],
    Awaitable[None],
]


def asgi(app: Application) -> Step:
    """Answer by an ASGI app that runs in the process of the test, without its lifespan.

        async with client(make_app, catalog=asgi(catalog_stub)) as c:

    An exception of the app breaks the connection. The reply is complete when the app has ended.
    """

    async def step(call: Call) -> Reply:
        exchange = _InProcess(call)
        try:
            await app(_scope(call), exchange.receive, exchange.send)
        except Exception as error:
            raise TransportFailed(f"the app raised {error!r}", call=call, is_sent=True) from error
        if exchange.status == 0:
            raise TransportFailed("the app sent no answer", call=call, is_sent=True)
        return Reply(exchange.status, exchange.headers, bytes(exchange.body))

    return step


def _content(call: Call) -> bytes:
    return b"" if isinstance(call.body, StreamedBody) else call.body


def _scope(call: Call) -> Message:
    path, _, query = call.target.partition("?")
    headers = [(b"host", call.upstream.encode()), *call.headers]
    content = _content(call)
    if content and find_header(call.headers, b"content-length") is None:
        headers.append((b"content-length", b"%d" % len(content)))
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": call.method,
        "scheme": "http",
        "path": unquote(path),
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": headers,
        "client": ("127.0.0.1", 0),
        "server": (call.upstream, 80),
    }


class _InProcess:
    """The body of one call, and the answer to it."""

    def __init__(self, call: Call) -> None:
        self._content: bytes | None = _content(call)
        self.status = 0
        self.headers: tuple[tuple[bytes, bytes], ...] = ()
        self.body = bytearray()

    async def receive(self) -> Message:
        """Return the body; after that the client neither sends nor leaves."""
        if self._content is None:
            await asyncio.get_running_loop().create_future()
        body, self._content = self._content, None
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(self, message: Message) -> None:
        """Take a message of the answer."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = tuple(
                (bytes(name).lower(), bytes(value)) for name, value in message.get("headers", ())
            )
        elif message["type"] == "http.response.body":
            self.body += message.get("body", b"")
