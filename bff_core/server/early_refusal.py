"""Problem details that the server sends before, or instead of, the gateway."""

import logging
import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from starlette.exceptions import HTTPException

from bff_core.call import Headers
from bff_core.edge.cors import Permissions
from bff_core.edge.problem_details import problem
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
    """Why the server refuses a request: status, reason for events, detail for the client."""

    status: int
    reason: str
    detail: str


NOT_HTTP: Final = EarlyRefusal(400, "not_http", "The request is not valid HTTP/1.1.")
UNKNOWN_VERSION: Final = EarlyRefusal(
    505, "unknown_version", "The versions of HTTP that are served here are 1.1 and 1.0."
)
NO_HOST: Final = EarlyRefusal(400, "no_host", "The Host header is missing.")
TWO_HOSTS: Final = EarlyRefusal(400, "two_hosts", "The Host header was sent twice.")
BAD_HOST: Final = EarlyRefusal(400, "bad_host", "The Host header is not a host.")
BAD_TARGET: Final = EarlyRefusal(400, "bad_target", "The target of the request is none.")
BAD_FRAMING: Final = EarlyRefusal(400, "bad_framing", "HTTP/1.0 knows no Transfer-Encoding.")
BAD_TRAILER: Final = EarlyRefusal(400, "bad_trailer", "Connection is no field of a trailer.")
UNKNOWN_CODING: Final = EarlyRefusal(
    501, "unknown_coding", "Of transfer codings only chunked is known here."
)
UNKNOWN_EXPECTATION: Final = EarlyRefusal(
    417, "unknown_expectation", "Of expectations only 100-continue can be met."
)
NO_TUNNEL: Final = EarlyRefusal(501, "no_tunnel", "There are no tunnels here.")
HANDSHAKE_WITH_BODY: Final = EarlyRefusal(
    400, "handshake_with_body", "The handshake of a web socket has no body."
)
HEAD_TOO_LARGE: Final = EarlyRefusal(431, "head_too_large", "The head of the request is too large.")
FRAMING_TOO_LARGE: Final = EarlyRefusal(
    431, "framing_too_large", "The body of the request is wrapped in too much."
)
HEAD_TOO_SLOW: Final = EarlyRefusal(408, "head_too_slow", "The head of the request took too long.")
BODY_TOO_SLOW: Final = EarlyRefusal(408, "body_too_slow", "The body of the request took too long.")
NOT_ACCEPTED: Final = EarlyRefusal(503, "not_accepted", "The web socket was not accepted in time.")
READER_TOO_SLOW: Final = EarlyRefusal(0, "reader_too_slow", "")
CRASHED: Final = EarlyRefusal(500, "crashed", "")
UNFINISHED: Final = EarlyRefusal(
    503, "unfinished", "The gateway is restarted, and the answer was not ready in time."
)

_RETRY_AFTER: Final = {503: {"retry-after": "1"}}


class EarlyRefusals:
    """Renders refusals for one gateway, as the edge would, and emits their events.

    A page of another origin may read a refusal if CORS allows it to read answers, as far as the
    request was read up to its `Origin`.
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
        offered: Iterable[tuple[bytes, bytes]] = (),
        scope: Mapping[str, object] | None = None,
        has_body: bool = True,
    ) -> bytes:
        """Return the whole answer, the last one of its connection.

        `offered` are the header fields of the request as far as they were read; `scope` is its
        ASGI scope if there is one already: the edge may have given it a request id.
        """
        name, trace = self._ids(offered, scope)
        error = HTTPException(refusal.status, refusal.detail, _RETRY_AFTER.get(refusal.status))
        rendered = problem(error, request_id=name, trace_id=trace)
        self.report(refusal, name, trace)
        permission = self._permission(offered if scope is None else scope.get("headers"))
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
        """Return start and body for ASGI, without the types of the messages."""
        name, trace = self._ids((), scope)
        error = HTTPException(refusal.status, refusal.detail, _RETRY_AFTER.get(refusal.status))
        rendered = problem(error, request_id=name, trace_id=trace)
        self.report(refusal, name, trace)
        ids = (b"x-request-id", name.encode())
        permission = self._permission(scope.get("headers"))
        fields = [*rendered.headers, *permission, *self._fields, ids, (b"connection", b"close")]
        return {"status": rendered.status, "headers": fields}, {"body": rendered.body}

    def line(self, refusal: EarlyRefusal, scope: Mapping[str, object]) -> bytes:
        """Return it as one line of JSON: the last of a stream that ends before its end."""
        name, trace = self._ids((), scope)
        self.report(refusal, name, trace)
        error = HTTPException(refusal.status, refusal.detail)
        return problem(error, request_id=name, trace_id=trace).body + b"\n"

    def report(self, refusal: EarlyRefusal, name: str = "", trace: str = "") -> None:
        """Emit the event only: there is no client to answer, or it was answered otherwise."""
        if self._events is not None and self._events.sinks:
            self._events.emit(Refused(refusal.status, refusal.reason, name, trace))

    def crashed(self, error: Exception, scope: Mapping[str, object], *, has_started: bool) -> None:
        """Report an error that left the application.

        After the start of an answer the edge has reported it already, and raised it again so that
        the connection is broken.
        """
        if has_started and SCOPE in scope:
            return
        name, _ = self._ids((), scope)
        if self._events is None:
            _log.error("crashed", exc_info=error)
        elif self._events.sinks:
            self._events.emit(Crashed("server", name, error))

    def _permission(self, fields: object) -> Headers:
        """Return what CORS adds for a request with these header fields."""
        cors = self._cors
        if cors is None or not cors.is_any_given or not isinstance(fields, Iterable):
            return ()
        origins = [value for name, value in fields if name == b"origin"]
        allowed = cors.of(origins[0]) if len(origins) == 1 else ()
        return (*allowed, (b"vary", b"Origin")) if cors.differ else allowed

    def _ids(
        self, offered: Iterable[tuple[bytes, bytes]], scope: Mapping[str, object] | None
    ) -> tuple[str, str]:
        context = scope.get(SCOPE) if scope is not None else None
        if isinstance(context, Scope):
            return context.request_id, trace_id(context.traceparent)
        fields = dict(offered)
        trace = child_of(fields.get(b"traceparent"), self._bits)
        return request_id(fields.get(b"x-request-id"), self._bits), trace_id(trace)
