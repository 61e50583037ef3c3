"""One request under way: what the edge's concerns learnt of it and will add to its answer."""

from collections.abc import Awaitable
from typing import Any

from starlette.types import Message, Send
from starlette.types import Scope as ASGIScope

from bff_core.errors import BFFError
from bff_core.exchange.response_headers import FAILED, ResponseHeaders
from bff_core.policy.edge.idempotency import StoredAnswer
from bff_core.policy.edge.shedding import LoadShedder
from bff_core.scope import Scope

EXCHANGE = "bff.exchange"
"""Where the ASGI scope holds the exchange, for the edge itself."""

SCOPE = "bff.scope"
"""Where the ASGI scope holds the `Scope`, for the faces."""

PRESSURE = "bff.pressure"
"""Where the ASGI scope holds the pressure that counts this request."""

CUT = "bff.cut"
"""Where the server notes the status it answered with, in place of a handler that it cancelled."""


class RequestContext:
    """A request and the state of its answer.

    `fields` maps each header name to its last value; `started_at` is an instant of the clock;
    `status` is 0 until the answer starts; `added` are headers that a concern wants on the answer,
    `challenge` what a 401 is told to authenticate with. `verdict` is what a keyed request gets in
    place of being done, once the face has checked those access rules that only it knows: the stored
    answer, or the error that the key is refused with. `error` is what made the answer a 5xx, where
    it `is_partial` an error behind an answer of another status; it `is_reported` where a `Crashed`
    event was emitted.
    """

    __slots__ = (
        "_head",
        "_send",
        "added",
        "challenge",
        "error",
        "fields",
        "is_complete",
        "is_partial",
        "is_reported",
        "is_stream",
        "scope",
        "started_at",
        "status",
        "verdict",
    )

    def __init__(
        self,
        scope: Scope,
        fields: dict[bytes, bytes],
        started_at: float,
        head: ResponseHeaders,
        send: Send,
    ) -> None:
        self.scope = scope
        self.fields = fields
        self.started_at = started_at
        self.status = 0
        self.is_complete = False
        self.is_stream = False
        self.is_partial = False
        self.is_reported = False
        self.error: BaseException | None = None
        self.added: tuple[tuple[bytes, bytes], ...] = ()
        self.challenge = b"Bearer"
        self.verdict: StoredAnswer | BFFError | None = None
        self._head = head
        self._send = send

    def send(self, message: Message) -> Awaitable[None]:
        """Pass a message on; the only place where the edge touches an answer.

        No coroutine of its own: the server's is handed back to be awaited.
        """
        kind = message["type"]
        if kind == "http.response.body":
            self.is_complete = not message.get("more_body", False)
        elif kind == "http.response.start":
            self.status = message["status"]
            message = self._write_head(message)
        elif kind == "websocket.accept":
            self.status = 101
            if self.scope.added:  # a session's new cookie, among others
                message = {**message, "headers": [*message.get("headers", ()), *self.scope.added]}
        elif kind == "websocket.http.response.start":
            self.status = message["status"]
            message = self._write_head(message)
        elif kind == "websocket.close":
            self.status = self.status or 403
            self.is_complete = True
        return self._send(message)

    def close(self) -> None:
        """Let go of the server's `send`: it knows the ASGI scope, which knows this exchange."""
        self._send = _refuse

    def _write_head(self, message: Message) -> dict[str, Any]:
        headers = list(message.get("headers", ()))
        challenge = self.challenge if self.status == 401 else b""
        added = (*self.added, *self.scope.added) if self.scope.added else self.added
        is_stored = self.status < FAILED and not self.is_stream
        self._head.write(headers, self.scope, added, challenge, is_stored=is_stored)
        # A copy: the application may send the same message object again.
        return {**message, "headers": headers}


async def _refuse(_: Message) -> None:
    raise RuntimeError("the request is over: nothing can be sent any more")


def exchange_of(scope: ASGIScope) -> RequestContext:
    """Return the exchange that the edge opened for this request."""
    exchange: RequestContext = scope[EXCHANGE]
    return exchange


def note_error(scope: ASGIScope, error: BaseException, *, is_partial: bool = False) -> None:
    """Note what the answer to a request is made of, for its log line; without an edge do nothing.

    For whatever turns an exception into an answer before the edge can catch it; `is_partial` where
    a failure is answered with a status that does not show it.
    """
    exchange = scope.get(EXCHANGE)
    if isinstance(exchange, RequestContext):
        exchange.error, exchange.is_partial = error, is_partial


def declare_stream(scope: ASGIScope) -> None:
    """Say that this request's answer is a stream: once started it may outlast the deadline.

    For faces that answer with events, lines or downloads; the time until the answer starts is
    still bounded. Without an edge it does nothing.
    """
    exchange = scope.get(EXCHANGE)
    if isinstance(exchange, RequestContext) and not exchange.is_stream:
        exchange.is_stream = True
        pressure = scope.get(PRESSURE)
        if isinstance(pressure, LoadShedder):
            pressure.begin_stream()
