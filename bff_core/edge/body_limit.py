"""Body limit: bounds the declared length of a request's body, and the bytes that arrive."""

from math import inf

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive
from starlette.types import Scope as ASGIScope

from bff_core.edge.concern import HTTP_ONLY
from bff_core.http_exchange.request_context import RequestContext
from bff_core.routing.route_table import RouteTable

MAX_LENGTH_DIGITS = 18


class BodyLimit:
    """After the allowed hosts: a body over `limit` bytes is a 413, before it is in memory.

    The limit holds for the whole gateway. A route may set a lower one by FastAPI's `max_body_size`;
    a proxied route has a limit of its own.
    """

    __slots__ = ("_limit", "_routes")
    kinds = HTTP_ONLY

    def __init__(self, *, limit: int, routes: RouteTable | None = None) -> None:
        self._limit = limit
        self._routes = routes or RouteTable()

    def check(self, context: RequestContext) -> None:
        """Raise a 413 if the declared length is too large; count the bytes that arrive."""
        length = context.fields.get(b"content-length")
        is_framed = length is not None or b"transfer-encoding" in context.fields
        if not is_framed and _is_http1(context.asgi):
            return
        limit = self._limit_of(context.asgi) if self._routes.is_ranked else self._limit
        if length is not None:
            _check(length, limit, context.asgi)
        context.receive = _counted(context.receive, limit, context.asgi)

    def _limit_of(self, scope: ASGIScope) -> int:
        entry = self._routes.match(scope).entry
        matching = None if entry is None else entry.matching
        return self._limit if matching is None else matching.max_body


def _check(length: bytes, limit: int, scope: ASGIScope) -> None:
    if not length.isdigit():
        raise HTTPException(400, "Content-Length must be a number of bytes.")
    # More digits than any limit has: Python refuses to convert thousands of them.
    if len(length) > MAX_LENGTH_DIGITS or int(length) > limit:
        raise too_large(limit, scope)


def _counted(receive: Receive, limit: int, scope: ASGIScope) -> Receive:
    received = 0

    async def counted() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > limit:
            raise too_large(limit, scope)
        return message

    return counted


def too_large(limit: int, scope: ASGIScope) -> HTTPException:
    """Return the 413 for a body over the limit."""
    # An HTTPException, since FastAPI replaces other errors while it reads a body. The connection is
    # closed because the rest of the body is not read.
    headers = {"connection": "close"} if _is_http1(scope) else None
    return HTTPException(413, f"At most {limit} bytes are accepted.", headers)


async def whole(receive: Receive, scope: ASGIScope, limit: float = inf) -> bytes:
    """Return the whole body of a request; raise a 413 beyond `limit` bytes."""
    pieces: list[bytes] = []
    received, is_more = 0, True
    while is_more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        pieces.append(message.get("body", b""))
        received += len(pieces[-1])
        if received > limit:
            raise too_large(int(limit), scope)
        is_more = message.get("more_body", False)
    return b"".join(pieces)


def replay(body: bytes, receive: Receive) -> Receive:
    """Return a `receive` that returns a body which was read before, then later messages."""
    first = iter([{"type": "http.request", "body": body, "more_body": False}])

    async def replayed() -> Message:
        message = next(first, None)
        return await receive() if message is None else message

    return replayed


def _is_http1(scope: ASGIScope) -> bool:
    """Whether a request without Content-Length or Transfer-Encoding has no body (RFC 9112, 6.3)."""
    return str(scope.get("http_version", "")).startswith("1")
