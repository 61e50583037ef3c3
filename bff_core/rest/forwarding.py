"""How a route passes a client's request on to a service, and the service's reply back."""

from contextlib import aclosing

from fastapi import Request
from starlette.responses import StreamingResponse
from starlette.types import Receive, Send
from starlette.types import Scope as ASGIScope

from bff_core.call import Headers, Reply
from bff_core.http_exchange.request_context import declare_stream
from bff_core.streamed_body import StreamedBody
from bff_core.upstream.forwarding import ForwardedRequest

CREDENTIALS = frozenset({b"authorization", b"cookie", b"proxy-authorization"})


def forwarded_request(
    request: Request,
    *,
    audience: str | None,
    target: str | None = None,
    operation: str = "forward",
    with_credentials: bool = False,
    is_streamed: bool = True,
) -> ForwardedRequest:
    """Return a request of a client for `Upstream.forward`; its body is read while it is sent.

    `target` replaces the client's path and query. `audience` names who may share the reply; None is
    everybody. Cookies and Authorization stay here unless it goes on `with_credentials`.
    """
    scope = request.scope
    headers: Headers = tuple(scope["headers"])
    if not with_credentials:
        headers = tuple(field for field in headers if field[0].lower() not in CREDENTIALS)
    return ForwardedRequest(
        method=request.method,
        target=_target(scope) if target is None else target,
        audience=audience,
        headers=headers,
        body=_body(request),
        operation=operation,
        is_streamed=is_streamed,
    )


def _target(scope: ASGIScope) -> str:
    path: bytes = scope.get("raw_path") or scope["path"].encode()
    query: bytes = scope["query_string"]
    return (path + b"?" + query if query else path).decode("latin-1")


def _body(request: Request) -> bytes | StreamedBody:
    length = request.headers.get("content-length")
    if length is None and "transfer-encoding" not in request.headers:
        return b""
    if length == "0":
        return b""
    return StreamedBody(request.stream(), None if length is None else int(length))


class ForwardedResponse(StreamingResponse):
    """A service's reply as the answer to a client, of any status, sent while it arrives."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(aiter(reply), status_code=reply.status)
        self.raw_headers = list(reply.headers)
        self._reply = reply

    async def __call__(self, scope: ASGIScope, receive: Receive, send: Send) -> None:
        """Send the reply; its body ends with the answer, however that ends."""
        if not self._reply.is_buffered:
            declare_stream(scope)
        async with aclosing(self._reply):
            await super().__call__(scope, receive, send)
