"""The answer to a request that is not admitted, prepared but for its ids.

Refusals come in thousands a second, and the time for each is taken from requests that were
admitted: nothing else of the edge is passed, and nothing is encoded anew.
"""

from collections.abc import Iterable

from starlette.types import Scope as ASGIScope
from starlette.types import Send

from bff_core.call import Headers
from bff_core.edge.cors import Permissions
from bff_core.edge.problem import problem
from bff_core.edge.request_id import Bits, request_id
from bff_core.edge.trace import child_of, trace_id
from bff_core.errors import Overloaded

TRY_AGAIN_LATER = 1013
"""The close code of a web socket that is refused."""

_REQUEST, _TRACE = "<request>", "<trace>"


class Refusal:
    """Problem details of a 503 with `Retry-After`, the gateway's own headers and those of CORS.

    Clients are told to wait 1 to `longest_wait` seconds, by chance, so that they do not come back
    all at once. The answer is the one that `Overloaded` gives, raised behind the whole edge.
    """

    __slots__ = ("_bits", "_longest_wait", "_permissions", "_pieces", "constant")

    def __init__(
        self, constant: Headers, permissions: Permissions, *, longest_wait: int, bits: Bits
    ) -> None:
        told = problem(Overloaded("", retry_after=1), request_id=_REQUEST, trace_id=_TRACE)
        before, _, rest = told.body.partition(_REQUEST.encode())
        between, _, after = rest.partition(_TRACE.encode())
        self._pieces = before, between, after
        own = (b"content-length", b"retry-after")
        self.constant: Headers = (
            *constant,
            *(field for field in told.headers if field[0] not in own),
            *(((b"vary", b"Origin"),) if permissions.differ else ()),
        )
        self._permissions = permissions
        self._longest_wait = longest_wait
        self._bits = bits

    def wait(self) -> int:
        """Return after how many seconds one client may try again."""
        return 1 + self._bits(16) % self._longest_wait

    def render(self, asked: Iterable[tuple[bytes, bytes]]) -> tuple[Headers, bytes]:
        """Return header fields and body for a request with these fields; `constant` go before."""
        fields = dict(asked)
        name = request_id(fields.get(b"x-request-id"), self._bits).encode()
        trace = trace_id(child_of(fields.get(b"traceparent"), self._bits)).encode()
        before, between, after = self._pieces
        body = b"%b%b%b%b%b" % (before, name, between, trace, after)
        varying = (
            (b"content-length", b"%d" % len(body)),
            (b"retry-after", b"%d" % self.wait()),
            (b"x-request-id", name),
        )
        origin = fields.get(b"origin")
        return varying if origin is None else varying + self._permissions.of(origin), body

    async def send(self, scope: ASGIScope, send: Send) -> None:
        """Answer a request or the handshake of a web socket."""
        kind = "http.response"
        if scope["type"] == "websocket":
            if "websocket.http.response" not in scope.get("extensions", ()):
                await send({"type": "websocket.close", "code": TRY_AGAIN_LATER})
                return
            kind = "websocket.http.response"
        varying, body = self.render(scope["headers"])
        headers = [*self.constant, *varying]
        if scope.get("method") == "HEAD":
            body = b""
        await send({"type": f"{kind}.start", "status": Overloaded.status, "headers": headers})
        await send({"type": f"{kind}.body", "body": body})
