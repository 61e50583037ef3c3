"""In development: stores the newest requests and responses as they were, for the console.

It shows response bodies, and sends requests again. What is stored has credentials, and stays in the
memory of this machine's processes.
"""

from collections import OrderedDict
from collections.abc import Iterable
from typing import Final

import msgspec
from starlette.types import ASGIApp, Message, Receive, Send
from starlette.types import Scope as ASGIScope

from bff_core.http_exchange.request_context import SCOPE
from bff_core.scope import Scope

MAX_REQUEST_BYTES: Final = 64 << 10
MAX_RESPONSE_BYTES: Final = 256 << 10
"""The longest bodies that are stored; of longer ones the beginning is."""

MAX_STORED_BYTES: Final = 16 << 20
MAX_STORED: Final = 200
"""The newest requests whose bodies are stored, and their bytes in all."""

_CAPTURE: Final = "bff.capture"

Fields = list[tuple[str, str]]


class Capture(msgspec.Struct, kw_only=True):
    """A request and its response; header names and values are Latin-1, `target` has the query.

    `span_id` is that of the record. `response` is the body before compression. Bodies that are
    longer than what is stored are cut: see `is_request_cut` and `is_response_cut`. A request is cut
    as well if nothing read its body to the end.
    """

    span_id: str
    method: str
    target: str
    request_headers: Fields
    request: bytes = b""
    is_request_cut: bool = False
    status: int = 0
    response_headers: Fields = []
    response: bytes = b""
    is_response_cut: bool = False

    @property
    def stored_bytes(self) -> int:
        """How many bytes it holds: bodies, headers and target."""
        headers = (*self.request_headers, *self.response_headers)
        names = sum(len(name) + len(value) for name, value in headers)
        return len(self.request) + len(self.response) + len(self.target) + names


class _Exchange:
    """A request in flight."""

    __slots__ = ("headers", "is_read", "plain", "request", "request_size", "sent", "size", "status")

    def __init__(self) -> None:
        self.request, self.request_size = bytearray(), 0
        self.is_read = False
        self.status = 0
        self.headers: Iterable[tuple[bytes, bytes]] = ()
        self.sent: bytearray | None = bytearray()
        self.plain: bytearray | None = None
        self.size = 0

    def receiving(self, receive: Receive) -> Receive:
        """Wrap the receiving of a request's body."""

        async def received() -> Message:
            message = await receive()
            if message["type"] != "http.request":
                return message
            self.is_read = not message.get("more_body", False)
            body = message.get("body", b"")
            self.request_size += len(body)
            self.request += body[: MAX_REQUEST_BYTES - len(self.request)]
            return message

        return received

    def sending(self, send: Send) -> Send:
        """Wrap the sending of a response to the client."""

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                self.status, self.headers = message["status"], list(message["headers"])
            elif message["type"] == "http.response.body" and self.sent is not None:
                body = message.get("body", b"")
                self.size += len(body)
                self.sent += body[: MAX_RESPONSE_BYTES - len(self.sent)]
            await send(message)

        return sent

    def plain_sending(self, send: Send) -> Send:
        """Wrap the sending of a response before it is compressed."""
        self.plain, self.sent, self.size = bytearray(), None, 0

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.body" and self.plain is not None:
                body = message.get("body", b"")
                self.size += len(body)
                self.plain += body[: MAX_RESPONSE_BYTES - len(self.plain)]
            await send(message)

        return sent

    def capture(self, scope: ASGIScope, span_id: str, headers: Fields) -> Capture:
        """Return what is to be stored."""
        path = scope.get("raw_path") or scope["path"].encode()
        query: bytes = scope["query_string"]
        body = bytes(self.plain or self.sent or b"")
        return Capture(
            span_id=span_id,
            method=scope["method"],
            target=(path + b"?" + query if query else path).decode("latin-1"),
            request_headers=headers,
            request=bytes(self.request),
            is_request_cut=self.request_size > len(self.request)
            or (not self.is_read and _has_body(headers)),
            status=self.status,
            response_headers=_text(self.headers),
            response=body,
            is_response_cut=self.size > len(body),
        )


class Captures:
    """The newest captures of a process, in bounded memory; only of requests that are recorded."""

    def __init__(self, *, max_stored: int = MAX_STORED) -> None:
        self._max_stored = max_stored
        self._stored: OrderedDict[str, Capture] = OrderedDict()
        self._size = 0

    def __len__(self) -> int:
        return len(self._stored)

    def get(self, span_id: str) -> Capture | None:
        """Return the capture of a request by its span; None if it is not stored, or no more."""
        return self._stored.get(span_id)

    def outside(self, app: ASGIApp) -> ASGIApp:
        """Wrap the edge: what clients send, and the headers that they get."""

        async def captured(scope: ASGIScope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http":
                await app(scope, receive, send)
                return
            headers, exchange = _text(scope["headers"]), _Exchange()
            scope[_CAPTURE] = exchange
            try:
                await app(scope, exchange.receiving(receive), exchange.sending(send))
            finally:
                request = scope.get(SCOPE)
                if isinstance(request, Scope) and request.span is not None:
                    self._add(exchange.capture(scope, request.span.span_id, headers))

        return captured

    def inside(self, app: ASGIApp) -> ASGIApp:
        """Wrap what is behind the edge: the body before it is compressed."""

        async def captured(scope: ASGIScope, receive: Receive, send: Send) -> None:
            exchange = scope.get(_CAPTURE)
            if isinstance(exchange, _Exchange):
                send = exchange.plain_sending(send)
            await app(scope, receive, send)

        return captured

    def _add(self, one: Capture) -> None:
        self._stored[one.span_id] = one
        self._size += one.stored_bytes
        while self._size > MAX_STORED_BYTES or len(self._stored) > self._max_stored:
            _, oldest = self._stored.popitem(last=False)
            self._size -= oldest.stored_bytes


def _has_body(headers: Fields) -> bool:
    return any(
        name == "transfer-encoding" or (name == "content-length" and value != "0")
        for name, value in headers
    )


def _text(headers: Iterable[tuple[bytes, bytes]]) -> Fields:
    return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers]
