"""Body limit: bounds a request's body by its declared length and by what really arrives."""

from math import inf

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive
from starlette.types import Scope as ASGIScope

from bff_core.edge.concern import HTTP_ONLY
from bff_core.http_exchange.request_context import RequestContext


class BodyLimit:
    """After the allowed hosts: a body over `limit` bytes is a 413, before it is in memory.

    This is the bound of the whole gateway; a route may set a lower one with FastAPI's
    `max_body_size`.
    """

    __slots__ = ("_limit",)
    kinds = HTTP_ONLY

    def __init__(self, *, limit: int) -> None:
        self._limit = limit

    def check(self, context: RequestContext) -> None:
        """Refuse a body whose declared length is too large, and count one that arrives."""
        length = context.fields.get(b"content-length")
        if length is not None:
            self._check(length, context.asgi)
        elif b"transfer-encoding" not in context.fields and _is_http1(context.asgi):
            return
        context.receive = self._counted(context.receive, context.asgi)

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
