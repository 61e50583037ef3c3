"""HEAD on each route of GET, and all methods of a path in `Allow` (RFC 9110, 9.3.2, 10.2.1)."""

from collections.abc import Awaitable

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Send
from starlette.types import Scope as ASGIScope

from bff_core.http_statuses import WITHOUT_CONTENT
from bff_core.routing.path import path_of
from bff_core.routing.route_table import RouteTable


class Methods:
    """In front of FastAPI: its routes of GET answer HEAD, too, and its 405s list all methods."""

    __slots__ = ("_app", "_table")

    def __init__(self, app: ASGIApp, table: RouteTable) -> None:
        self._app = app
        self._table = table

    def __call__(self, scope: ASGIScope, receive: Receive, send: Send) -> Awaitable[None]:
        """Serve a request; the route of GET serves a HEAD, unless a route declares HEAD."""
        if scope["type"] != "http":
            return self._app(scope, receive, send)
        if scope["method"] == "HEAD" and self._is_for_get(scope):
            return answer_head(self._app, scope, receive, self._with_allow(scope, send))
        return self._app(scope, receive, self._with_allow(scope, send))

    def _is_for_get(self, scope: ASGIScope) -> bool:
        entry = self._table.match(scope).entry
        # A mounted application answers HEAD itself.
        return entry is not None and bool(entry.methods) and "HEAD" not in entry.methods

    def _with_allow(self, scope: ASGIScope, send: Send) -> Send:
        def send_allow(message: Message) -> Awaitable[None]:
            if message["type"] == "http.response.start" and message["status"] == 405:
                message = self._completed(message, scope["method"], path_of(scope))
            return send(message)

        return send_allow

    def _completed(self, message: Message, method: str, path: str) -> Message:
        """Return a 405 with all methods of the path, unless the route itself sent it."""
        allowed = self._table.methods_of(path)
        if "GET" in allowed:
            allowed |= {"HEAD"}
        if not allowed or method in allowed:
            return message
        headers = [field for field in message["headers"] if field[0] != b"allow"]
        return {**message, "headers": [*headers, (b"allow", ", ".join(sorted(allowed)).encode())]}


class _Complete(OSError):
    """Stops the application: the answer to a HEAD is complete, the rest would be content."""


async def answer_head(app: ASGIApp, scope: ASGIScope, receive: Receive, send: Send) -> None:
    """Answer a HEAD like a GET, without content; a stream is closed before its first chunk."""
    is_complete = False

    async def send_head(message: Message) -> None:
        nonlocal is_complete
        if message["type"] == "http.response.start":
            await send(message)
            if not _is_stream(message):
                return
        elif message["type"] != "http.response.body":
            await send(message)
            return
        if not is_complete:
            is_complete = True
            await send({"type": "http.response.body", "body": b""})
        if message.get("more_body", message["type"] == "http.response.start"):
            raise _Complete

    as_get = {**scope, "method": "GET"}
    try:
        await app(as_get, receive, send_head)
    except (_Complete, ClientDisconnect):
        if not is_complete:
            raise
    finally:
        scope.update({name: as_get[name] for name in ("route", "path_params") if name in as_get})


def _is_stream(start: Message) -> bool:
    """Whether an answer starts before the length of its content is known."""
    is_known = any(name == b"content-length" for name, _ in start["headers"])
    return not is_known and start["status"] not in WITHOUT_CONTENT
