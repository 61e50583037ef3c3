"""Problem details that the server itself sends, before or instead of the gateway."""

import logging
import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from starlette.exceptions import HTTPException

from bff_core.call import Headers
from bff_core.edge.cors import Permissions
from bff_core.edge.problem_details import Problem, problem
from bff_core.edge.request_id import Bits, request_id
from bff_core.edge.security_headers import security_headers
from bff_core.edge.trace import child_of, trace_id
from bff_core.events import Crashed, Events, Refused
from bff_core.http_exchange.request_context import SCOPE
from bff_core.scope import Scope
from bff_core.server.response_head import CLOSE, STATUS_LINES

_log = logging.getLogger("bff_core")


@dataclass(frozen=True, slots=True)
class EarlyRefusal:
    """A refusal by the server: status, reason for events, detail for the client."""

    status: int
    reason: str
    detail: str


NOT_HTTP: Final = EarlyRefusal(400, "not_http", "The request is not valid HTTP/1.1.")
UNKNOWN_VERSION: Final = EarlyRefusal(
    505, "unknown_version", "The supported versions of HTTP are 1.1 and 1.0."
)
NO_HOST: Final = EarlyRefusal(400, "no_host", "The Host header is missing.")
TWO_HOSTS: Final = EarlyRefusal(400, "two_hosts", "The Host header was sent twice.")
BAD_HOST: Final = EarlyRefusal(400, "bad_host", "The Host header is not a valid host.")
BAD_TARGET: Final = EarlyRefusal(400, "bad_target", "The target of the request is not valid.")
BAD_FRAMING: Final = EarlyRefusal(400, "bad_framing", "HTTP/1.0 has no Transfer-Encoding.")
BAD_TRAILER: Final = EarlyRefusal(400, "bad_trailer", "Connection is not allowed in a trailer.")
UNKNOWN_CODING: Final = EarlyRefusal(
    501, "unknown_coding", "The only supported transfer coding is chunked."
)
UNKNOWN_EXPECTATION: Final = EarlyRefusal(
    417, "unknown_expectation", "The only supported expectation is 100-continue."
)
NO_TUNNEL: Final = EarlyRefusal(501, "no_tunnel", "CONNECT is not supported.")
HANDSHAKE_WITH_BODY: Final = EarlyRefusal(
    400, "handshake_with_body", "The handshake of a web socket must not have a body."
)
HEAD_TOO_LARGE: Final = EarlyRefusal(431, "head_too_large", "The head of the request is too large.")
FRAMING_TOO_LARGE: Final = EarlyRefusal(
    431, "framing_too_large", "The framing of the request's body is too large."
)
HEAD_TOO_SLOW: Final = EarlyRefusal(408, "head_too_slow", "The head of the request took too long.")
BODY_TOO_SLOW: Final = EarlyRefusal(408, "body_too_slow", "The body of the request took too long.")
NOT_ACCEPTED: Final = EarlyRefusal(503, "not_accepted", "The web socket was not accepted in time.")
READER_TOO_SLOW: Final = EarlyRefusal(0, "reader_too_slow", "")
CRASHED: Final = EarlyRefusal(500, "crashed", "")
UNFINISHED: Final = EarlyRefusal(
    503, "unfinished", "The gateway is restarting, and the answer was not ready in time."
)

_RETRY_AFTER: Final = {503: {"retry-after": "1"}}


class EarlyRefusals:
    """Renders a gateway's refusals in the same form as the edge, and emits their events.

    They have CORS headers if the gateway has CORS and the request was read up to its `Origin`.
    """

    __slots__ = ("_bits", "_constant", "_cors", "_events", "_fields")

    def __init__(
        self,
        headers: Headers | None = None,
        *,
        cors: Permissions | None = None,
        events: Events | None = None,
        bits: Bits = random.getrandbits,
    ) -> None:
        self._cors = cors
        self._fields = security_headers() if headers is None else headers
        self._constant = b"".join(b"%b: %b\r\n" % field for field in self._fields)
        self._events = events  # None: the application is not a gateway
        self._bits = bits

    def render(
        self,
        refusal: EarlyRefusal,
        defaults: bytes,
        *,
        received: Iterable[tuple[bytes, bytes]] = (),
        scope: Mapping[str, object] | None = None,
        has_body: bool = True,
    ) -> bytes:
        """Return the whole answer, the last one of its connection.

        `received` are the header fields that were read before the refusal. `scope` is the ASGI
        scope if there is one; the edge may have set a request id in it.
        """
        rendered, name = self._problem(refusal, received, scope)
        permission = self._permission(received if scope is None else scope.get("headers"))
        lines = [b"%b: %b\r\n" % field for field in (*rendered.headers, *permission)]
        ids = b"x-request-id: %b\r\n" % name.encode()
        head = (
            STATUS_LINES[rendered.status],
            defaults,
            *lines,
            self._constant,
            ids,
            CLOSE,
            b"\r\n",
        )
        return b"".join((*head, rendered.body if has_body else b""))

    def messages(
        self, refusal: EarlyRefusal, scope: Mapping[str, object]
    ) -> tuple[dict[str, object], dict[str, object]]:
        """Return the start and body messages for ASGI, without their types."""
        rendered, name = self._problem(refusal, (), scope)
        ids = (b"x-request-id", name.encode())
        permission = self._permission(scope.get("headers"))
        fields = [*rendered.headers, *permission, *self._fields, ids, (b"connection", b"close")]
        return {"status": rendered.status, "headers": fields}, {"body": rendered.body}

    def line(self, refusal: EarlyRefusal, scope: Mapping[str, object]) -> bytes:
        """Return a refusal as a line of JSON, the last line of a truncated stream."""
        rendered, _ = self._problem(refusal, (), scope)
        return rendered.body + b"\n"

    def report(self, refusal: EarlyRefusal, name: str = "", trace: str = "") -> None:
        """Emit the event of a refusal, without an answer."""
        if self._events is not None and self._events.sinks:
            self._events.emit(Refused(refusal.status, refusal.reason, name, trace))

    def crashed(self, error: Exception, scope: Mapping[str, object], *, has_started: bool) -> None:
        """Report an exception that the application raised.

        If the answer has started, the edge has reported it already, and raised it again to have the
        connection aborted.
        """
        if has_started and SCOPE in scope:
            return
        name, _ = self._ids((), scope)
        if self._events is None:
            _log.error("crashed", exc_info=error)
        elif self._events.sinks:
            self._events.emit(Crashed("server", name, error))

    def _problem(
        self,
        refusal: EarlyRefusal,
        received: Iterable[tuple[bytes, bytes]],
        scope: Mapping[str, object] | None,
    ) -> tuple[Problem, str]:
        """Return problem details with the request id in them, and emit the event."""
        name, trace = self._ids(received, scope)
        error = HTTPException(refusal.status, refusal.detail, _RETRY_AFTER.get(refusal.status))
        self.report(refusal, name, trace)
        return problem(error, request_id=name, trace_id=trace), name

    def _permission(self, fields: object) -> Headers:
        """Return the CORS headers for a request with these header fields."""
        cors = self._cors
        if cors is None or not cors.is_any_given or not isinstance(fields, Iterable):
            return ()
        origins = [value for name, value in fields if name == b"origin"]
        allowed = cors.of(origins[0]) if len(origins) == 1 else ()
        return (*allowed, (b"vary", b"Origin")) if cors.differ else allowed

    def _ids(
        self, received: Iterable[tuple[bytes, bytes]], scope: Mapping[str, object] | None
    ) -> tuple[str, str]:
        context = scope.get(SCOPE) if scope is not None else None
        if isinstance(context, Scope):
            return context.request_id, trace_id(context.traceparent)
        fields = dict(received)
        trace = child_of(fields.get(b"traceparent"), self._bits)
        return request_id(fields.get(b"x-request-id"), self._bits), trace_id(trace)
