"""The context of one request: the request, the state of its answer, the headers to add."""

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.types import Message, Receive, Send
from starlette.types import Scope as ASGIScope

from bff_core.errors import BFFError, Overloaded
from bff_core.http_exchange.response_headers import FAILED, NOT_MODIFIED, ResponseHeaders
from bff_core.policy.edge.idempotency import StoredAnswer
from bff_core.policy.edge.shedding import LoadShedder
from bff_core.scope import Scope

EXCHANGE = "bff.exchange"
"""Where the ASGI scope holds the `RequestContext`, for the edge itself."""

SCOPE = "bff.scope"
"""Where the ASGI scope holds the `Scope`, for the faces."""

PRESSURE = "bff.pressure"
"""Where the ASGI scope holds the `LoadShedder` that counts this request."""

CUT = "bff.cut"
"""Where the server stores the status that it sent itself, after it cancelled the handler."""

Template = Callable[[ASGIScope], str]
"""Returns the template of a request's route; empty if it has no route."""


EndDeadline = Callable[[BaseException | None], BaseException | None]
"""Stops the timer of a deadline; gets and returns the error that ended the request, if any."""


class RequestContext:
    """A request and the state of its answer, which the concerns of the edge read and change.

    `scope` is the request as compositions and upstreams get it. `fields` maps each header name to
    its value. `asgi` is the ASGI scope. The application is called with `receive` and `send`, which
    a concern may replace; `server_send` is the server's. A concern stores in `state` what it needs
    again when it finishes.

    `started_at` is an instant of the clock. `status` is 0 until the answer starts. `added` are the
    headers that concerns add to the answer, `challenge` is the `WWW-Authenticate` of a 401.

    `verdict` is the reply to a request whose Idempotency-Key forbids to execute it: the stored
    answer, or an error. The face sends it after it has checked its own access rules.

    `lift_deadline` ends the deadline of the edge, for an upload whose silence is limited instead.

    `error` is the cause of a 5xx. With `is_partial` it is the cause of a failure that the status
    does not show. With `is_reported` a `Crashed` event was emitted for it.
    """

    __slots__ = (
        "_head",
        "_template",
        "added",
        "asgi",
        "challenge",
        "end_deadline",
        "error",
        "fields",
        "is_complete",
        "is_partial",
        "is_reported",
        "is_stream",
        "lift_deadline",
        "receive",
        "scope",
        "send",
        "server_send",
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
        self.end_deadline: EndDeadline | None = None
        self.lift_deadline: Callable[[], None] = _do_nothing
        self.state: dict[object, Any] = {}
        self.receive = receive
        self.send: Send = self.write
        self._head = head
        self._template = template
        self.server_send = send

    @property
    def route(self) -> str:
        """The template of the request's route, such as "/orders/{id}"; empty where it has none."""
        return self._template(self.asgi)

    @property
    def is_http(self) -> bool:
        """Whether this is an HTTP request, and not the handshake of a web socket."""
        return bool(self.asgi["type"] == "http")

    def write(self, message: Message) -> Awaitable[None]:
        """Send a message to the client; add headers if it starts an answer.

        This is a plain function that returns the server's coroutine, which is faster than an async
        function.
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
        return self.server_send(message)

    def close(self) -> None:
        """Drop the reference to the ASGI scope, which refers to this context: no cycle is left."""
        self.server_send = self.send = _refuse
        self.receive = _disconnected
        self.asgi = {}
        self.end_deadline = None
        self.lift_deadline = _do_nothing
        self.state.clear()

    def _write_head(self, message: Message) -> dict[str, Any]:
        headers = list(message.get("headers", ()))
        challenge = self.challenge if self.status == 401 else b""
        added = (*self.added, *self.scope.added) if self.scope.added else self.added
        is_stored = self.status < FAILED and not self.is_stream
        is_known = self.status == NOT_MODIFIED
        self._head.write(
            headers, self.scope, added, challenge, is_stored=is_stored, is_known=is_known
        )
        # A copy: the application may send the same message object again.
        return {**message, "headers": headers}


def _do_nothing() -> None:
    """Lift no deadline: the request has none."""


async def _refuse(_: Message) -> None:
    raise RuntimeError("the request is over: nothing can be sent any more")


async def _disconnected() -> Message:
    return {"type": "http.disconnect"}


def context_of(scope: ASGIScope) -> RequestContext:
    """Return the context that the edge made for this request."""
    context: RequestContext = scope[EXCHANGE]
    return context


def note_error(scope: ASGIScope, error: BaseException, *, is_partial: bool = False) -> None:
    """Store the error behind an answer for the log line of the request.

    Code that turns an exception into an answer before the edge can catch it calls this.
    `is_partial` means that the status does not show the failure. Without an edge it does nothing.
    """
    context = scope.get(EXCHANGE)
    if isinstance(context, RequestContext):
        context.error, context.is_partial = error, is_partial


def declare_stream(scope: ASGIScope) -> None:
    """Declare that the answer to a request is a stream, which may outlast the deadline.

    Faces that send events, lines or downloads call this. The deadline still bounds the time until
    the answer starts. Without an edge it does nothing. Raises `Overloaded` if the process has too
    many open streams.
    """
    context = scope.get(EXCHANGE)
    if isinstance(context, RequestContext) and not context.is_stream:
        pressure = scope.get(PRESSURE)
        if isinstance(pressure, LoadShedder) and not pressure.begin_stream():
            raise Overloaded("too many open streams")
        context.is_stream = True
