"""Bounds a request's header fields, and refuses two where HTTP knows only one."""

from collections.abc import Awaitable
from itertools import chain

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as ASGIScope

from bff_core.call import Headers
from bff_core.edge.exchange import exchange_of

SINGULAR = frozenset(
    {
        b"authorization",
        b"content-length",
        b"content-type",
        b"host",
        b"idempotency-key",
        b"origin",
        b"request-timeout",
        b"traceparent",
        b"x-request-id",
    }
)
"""Two of these would be read differently by two programs on the way."""


class Fields:
    """Between shed and hosts: too many or too large header fields are a 431, doubled ones a 400."""

    __slots__ = ("_app", "_max_bytes", "_max_count")

    def __init__(self, app: ASGIApp, *, max_count: int, max_bytes: int) -> None:
        self._app = app
        self._max_count = max_count
        self._max_bytes = max_bytes

    def __call__(self, scope: ASGIScope, receive: Receive, send: Send) -> Awaitable[None]:
        """Refuse what is out of bounds."""
        exchange = exchange_of(scope)
        headers = exchange.scope.headers
        self._bound(headers)
        if len(headers) != len(exchange.fields):
            _refuse_doubled(headers)
        return self._app(scope, receive, send)

    def _bound(self, headers: Headers) -> None:
        if len(headers) > self._max_count:
            raise HTTPException(431, f"At most {self._max_count} header fields are accepted.")
        if sum(map(len, chain.from_iterable(headers))) > self._max_bytes:
            raise HTTPException(431, f"At most {self._max_bytes} bytes of headers are accepted.")


def _refuse_doubled(headers: Headers) -> None:
    seen: set[bytes] = set()
    for name, _ in headers:
        if name in seen and name in SINGULAR:
            raise HTTPException(400, f"The header {name.decode('latin-1')} was sent twice.")
        seen.add(name)
