"""Bounds a request's body by its declared length and by what really arrives."""

from collections.abc import Awaitable
from math import inf

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Send
from starlette.types import Scope as ASGIScope

from bff_core.exchange.context import exchange_of


class BodyLimit:
    """Between hosts and authenticate: a body over `limit` bytes is a 413, before it is held.

    This is the bound of the whole gateway; a route may set a lower one with FastAPI's
    `max_body_size`.
    """

    __slots__ = ("_app", "_limit")

    def __init__(self, app: ASGIApp, *, limit: int) -> None:
        self._app = app
        self._limit = limit

    def __call__(self, scope: ASGIScope, receive: Receive, send: Send) -> Awaitable[None]:
        """Refuse a body that says to be too large, and count one that comes."""
        if scope["type"] == "http":
            fields = exchange_of(scope).fields
            length = fields.get(b"content-length")
            if length is not None:
                self._check(length, scope)
            if length is not None or b"transfer-encoding" in fields or not _is_http1(scope):
                receive = self._counted(receive, scope)
        return self._app(scope, receive, send)

    def _check(self, length: bytes, scope: ASGIScope) -> None:
        if not length.isdigit():
            raise HTTPException(400, "Content-Length must be a number of bytes.")
        # Longer than any limit's digits: not worth converting, and Python would refuse to.
        if len(length) > 18 or int(length) > self._limit:
            raise too_large(self._limit, scope)

    def _counted(self, receive: Receive, scope: ASGIScope) -> Receive:
        received = 0

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._limit:
                raise too_large(self._limit, scope)
            return message

        return counted


def too_large(limit: int, scope: ASGIScope) -> HTTPException:
    """Return an HTTPException: FastAPI's body parsing lets nothing else through."""
    # The rest of the body is not read, so the connection can't be used again.
    headers = {"connection": "close"} if _is_http1(scope) else None
    return HTTPException(413, f"At most {limit} bytes are accepted.", headers)


async def whole(receive: Receive, scope: ASGIScope, limit: float = inf) -> bytes:
    """Read a request's body to its end; beyond `limit` bytes it is a 413."""
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


def _is_http1(scope: ASGIScope) -> bool:
    """Whether a request without length and transfer coding has no body (RFC 9112, 6.3)."""
    return str(scope.get("http_version", "")).startswith("1")
