"""The response to refused requests, which is prepared except for its ids.

There may be thousands of refusals a second, and admitted requests need the CPU time. So a refused
request passes no other concern, and its response is not encoded again.
"""

from starlette.types import Scope as ASGIScope
from starlette.types import Send

from bff_core.call import Headers
from bff_core.edge.cors import Permissions
from bff_core.edge.problem_details import problem
from bff_core.edge.request_id import Bits, request_id
from bff_core.edge.shedding.criticality import Fields
from bff_core.edge.trace import child_of, sampled, trace_id
from bff_core.errors import Overloaded
from bff_core.events import Events, RequestShed

TRY_AGAIN_LATER = 1013
"""The close code of a web socket that is refused."""

_REQUEST, _TRACE = "<request>", "<trace>"


class SheddingResponse:
    """Problem details of a 503 with `Retry-After`, the gateway's own headers and those of CORS.

    Clients get a random wait of 1 to `longest_wait` seconds, so that they do not all return at
    once. The response equals that of an `Overloaded` error which is raised behind the edge.
    """

    __slots__ = ("_bits", "_events", "_longest_wait", "_permissions", "_pieces", "constant")

    def __init__(
        self,
        constant: Headers,
        permissions: Permissions,
        *,
        longest_wait: int,
        bits: Bits,
        events: Events,
    ) -> None:
        self._events = events
        rendered = problem(Overloaded("", retry_after=1), request_id=_REQUEST, trace_id=_TRACE)
        before, _, rest = rendered.body.partition(_REQUEST.encode())
        between, _, after = rest.partition(_TRACE.encode())
        self._pieces = before, between, after
        own = (b"content-length", b"retry-after")
        self.constant: Headers = (
            *constant,
            *(field for field in rendered.headers if field[0] not in own),
            *(((b"vary", b"Origin"),) if permissions.differ else ()),
        )
        self._permissions = permissions
        self._longest_wait = longest_wait
        self._bits = bits

    def wait(self) -> int:
        """Return after how many seconds a client may try again."""
        return 1 + self._bits(16) % self._longest_wait

    def render(self, fields: Fields) -> tuple[bytes, bytes, Headers]:
        """Return the request id, the body and the CORS headers for a request with these fields."""
        name, trace = self._ids(fields)
        if self._events.is_traced:
            self._report(name, trace, fields.get(b"traceparent"))
        before, between, after = self._pieces
        body = b"%b%b%b%b%b" % (before, name, between, trace, after)
        origin = fields.get(b"origin")
        return name, body, () if origin is None else self._permissions.of(origin)

    def _ids(self, fields: Fields) -> tuple[bytes, bytes]:
        offered, parent = fields.get(b"x-request-id"), fields.get(b"traceparent")
        if offered is None and parent is None:
            digits = b"%056x" % self._bits(224)
            return digits[:24], digits[24:]
        name = request_id(offered, self._bits)
        return name.encode(), trace_id(child_of(parent, self._bits)).encode()

    def _report(self, name: bytes, trace: bytes, offered: bytes | None) -> None:
        own = f"00-{trace.decode()}-{self._bits(64) or 1:016x}-01"
        _, span = sampled(self._events, own, offered)
        if span is not None:
            self._events.emit(RequestShed(name.decode("latin-1"), span=span))

    async def send(self, scope: ASGIScope, fields: Fields, send: Send) -> None:
        """Answer a request or the handshake of a web socket."""
        kind = "http.response"
        if scope["type"] == "websocket":
            if "websocket.http.response" not in scope.get("extensions", ()):
                await send({"type": "websocket.close", "code": TRY_AGAIN_LATER})
                return
            kind = "websocket.http.response"
        name, body, added = self.render(fields)
        headers = [
            *self.constant,
            *added,
            (b"content-length", b"%d" % len(body)),
            (b"retry-after", b"%d" % self.wait()),
            (b"x-request-id", name),
        ]
        if scope.get("method") == "HEAD":
            body = b""
        await send({"type": f"{kind}.start", "status": Overloaded.status, "headers": headers})
        await send({"type": f"{kind}.body", "body": body})
