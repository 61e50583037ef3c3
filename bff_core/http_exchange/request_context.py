"""The context of one request: what the edge knows of it, and what it adds to the answer."""

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from starlette.types import Message, Receive, Send
from starlette.types import Scope as ASGIScope

from bff_core.errors import BFFError
from bff_core.http_exchange.response_headers import FAILED, ResponseHeaders
from bff_core.policy.edge.idempotency import StoredAnswer
from bff_core.policy.edge.shedding import LoadShedder
from bff_core.scope import Scope

EXCHANGE = "bff.exchange"
"""Where the ASGI scope holds the `RequestContext`, for the edge itself."""

SCOPE = "bff.scope"
"""Where the ASGI scope holds the `Scope`, for the faces."""

PRESSURE = "bff.pressure"
"""Where the ASGI scope holds the pressure that counts this request."""

CUT = "bff.cut"
"""Where the server notes the status it answered with, in place of a handler that it cancelled."""

Template = Callable[[ASGIScope], str]
"""Finds the template of a request's route; returns an empty one where it has none."""


class DeadlineCut(Protocol):
    """The cancellation of one request at its deadline."""

    def end(self, error: BaseException | None, /) -> BaseException | None:
        """Stop the timer; return the error that the request ended with, if any."""
        ...


class RequestContext:
    """A request and the state of its answer: what the concerns of the edge work on.

    `scope` is the request as all lower floors see it; `fields` maps each header name to its value.
    `asgi` is the ASGI scope; `receive` and `send` are what the application will be called with,
    and a concern may replace them. `state` is for what a concern needs again when it finishes.
    `started_at` is an instant of the clock; `status` is 0 until the answer starts. `added` are
    headers that a concern adds to the answer; `challenge` is the `WWW-Authenticate` of a 401.
    `verdict` is the reply to a keyed request that is not executed, once the face has checked those
    access rules that only it knows: the stored answer, or the error that the key is refused with.
    `error` is what made the answer a 5xx, where it `is_partial` an error behind an answer of
    another status; it `is_reported` where a `Crashed` event was emitted.
    """

    __slots__ = (
        "_head",
        "_send",
        "_template",
        "added",
        "asgi",
        "challenge",
        "cut",
        "error",
        "fields",
        "is_complete",
        "is_partial",
        "is_reported",
        "is_stream",
        "receive",
        "scope",
        "send",
        "started_at",
        "state",
        "status",
        "verdict",
    )

    def __init__(
        self,
        asgi: ASGIScope,
        scope: Scope,
        started_at: float,
        *,
        head: ResponseHeaders,
        template: Template,
        receive: Receive,
        send: Send,
    ) -> None:
        self.asgi = asgi
        self.scope = scope
        self.fields = scope.fields = dict(scope.headers)
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
        self.cut: DeadlineCut | None = None
        self.state: dict[object, Any] = {}
        self.receive = receive
        self.send: Send = self.write
        self._head = head
        self._template = template
        self._send = send

    @property
    def route(self) -> str:
        """The template of the request's route, such as "/orders/{id}"; empty where it has none."""
        return self._template(self.asgi)

    @property
    def is_http(self) -> bool:
        """Whether this is an HTTP request, not the handshake of a web socket."""
        return bool(self.asgi["type"] == "http")

    def write(self, message: Message) -> Awaitable[None]:
        """Send a message to the client; the head of an answer is completed here.

        No coroutine of its own: the server's is returned to be awaited.
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
        """Drop what refers to the ASGI scope, which refers to this context: no cycle is left."""
        self._send = self.send = _refuse
        self.receive = _disconnected
        self.asgi = {}
        self.cut = None
        self.state.clear()

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


async def _disconnected() -> Message:
    return {"type": "http.disconnect"}


def context_of(scope: ASGIScope) -> RequestContext:
    """Return the context that the edge opened for this request."""
    context: RequestContext = scope[EXCHANGE]
    return context


def note_error(scope: ASGIScope, error: BaseException, *, is_partial: bool = False) -> None:
    """Note what the answer to a request is made of, for its log line; without an edge do nothing.

    For whatever turns an exception into an answer before the edge can catch it; `is_partial` where
    a failure is answered with a status that does not show it.
    """
    context = scope.get(EXCHANGE)
    if isinstance(context, RequestContext):
        context.error, context.is_partial = error, is_partial


def declare_stream(scope: ASGIScope) -> None:
    """Say that this request's answer is a stream: once started it may outlast the deadline.

    For faces that answer with events, lines or downloads; the time until the answer starts is
    still bounded. Without an edge it does nothing.
    """
    context = scope.get(EXCHANGE)
    if isinstance(context, RequestContext) and not context.is_stream:
        context.is_stream = True
        pressure = scope.get(PRESSURE)
        if isinstance(pressure, LoadShedder):
            pressure.begin_stream()
