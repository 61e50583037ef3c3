"""How a route passes a client's request on to a service, and the service's reply back."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import aclosing
from http import HTTPStatus
from typing import Final
from urllib.parse import quote, quote_from_bytes, unquote_to_bytes

from fastapi import Request
from starlette.responses import StreamingResponse
from starlette.types import Message, Receive, Send
from starlette.types import Scope as ASGIScope

from bff_core.cache.dates import parse_http_date
from bff_core.call import Reply
from bff_core.edge.entity_tags import Fields, without_content
from bff_core.edge.route_template import route_template
from bff_core.errors import InvalidInput, NotFound
from bff_core.http_exchange.request_context import SCOPE, declare_stream
from bff_core.http_statuses import WITHOUT_BODY
from bff_core.scope import Scope
from bff_core.streamed_body import StreamedBody
from bff_core.upstream.forwarding import ForwardedRequest

READS: Final = frozenset({"GET", "HEAD"})
CREDENTIALS: Final = frozenset({
    *(b"authorization", b"cookie", b"proxy-authorization", b"dpop", b"x-api-key"),
    *(b"client-cert", b"client-cert-chain", b"x-forwarded-client-cert"),
})  # fmt: skip
UPLOAD: Final = "bff.upload"
"""The member of an ASGI scope with the event that the client's body was read to its end."""

CONDITIONS: Final = frozenset({b"if-none-match", b"if-modified-since"})

_SENT_AS_IT_IS: Final = "".join(map(chr, range(0x21, 0x7F))).replace("#", "")
# A service may decode `%2F` and `%5C`, and drop what follows `;` or a control, before it resolves
# segments.
_climbs: Final = re.compile(rb"(?:^|[/\\])\.\.?(?:$|[/\\;?#\x00-\x20])").search
_entity_tags: Final = re.compile(r'(?:W/)?("[^"]*")').findall


def forwarded_request(
    request: Request,
    *,
    audience: str | None,
    strip_prefix: str = "",
    add_prefix: str = "",
    with_credentials: bool = False,
    is_streamed: bool = True,
) -> ForwardedRequest:
    """Return a request of a client for `Upstream.forward`; its body is read while it is sent.

    The target is the client's path and query, byte for byte, with `add_prefix` in place of
    `strip_prefix` (a slash at their end is ignored). `audience` names who may share the reply; None
    is everybody. Credentials stay here unless it goes on `with_credentials`, and so do the
    service's cookies. For a reply that may be cached (`is_streamed=False`), `ForwardedResponse`
    answers the client's conditions (If-None-Match, If-Modified-Since).

    Raises `NotFound` for a path that is not below `strip_prefix`, or that has a segment `.` or `..`
    in any spelling: the service would read it as another path.
    """
    scope = request.scope
    dropped = frozenset() if with_credentials else CREDENTIALS | _read_credentials(scope)
    if not is_streamed and request.method in READS and "range" not in request.headers:
        dropped |= CONDITIONS
    return ForwardedRequest(
        method=request.method,
        target=_target(scope, strip_prefix.rstrip("/").encode(), add_prefix.rstrip("/").encode()),
        audience=audience,
        headers=tuple(field for field in scope["headers"] if field[0].lower() not in dropped),
        body=_body(request),
        operation=f"{request.method} {route_template(scope)}",
        is_streamed=is_streamed,
        with_credentials=with_credentials,
        own_prefix=strip_prefix.rstrip("/"),
        service_prefix=add_prefix.rstrip("/"),
    )


def _read_credentials(scope: ASGIScope) -> frozenset[bytes]:
    request: Scope | None = scope.get(SCOPE)
    return frozenset() if request is None else request.credential_fields


def _target(scope: ASGIScope, strip_prefix: bytes, add_prefix: bytes) -> str:
    path: bytes = scope.get("raw_path") or quote(scope["path"]).encode()
    rest = path.removeprefix(strip_prefix)
    is_below = path.startswith(strip_prefix) and rest[:1] in {b"/", b""}
    if not is_below or _climbs(unquote_to_bytes(rest)):
        raise NotFound("There is no such path.")
    query: bytes = scope["query_string"]
    target = add_prefix + (rest or b"/") + (b"?" + query if query else b"")
    return quote_from_bytes(target, safe=_SENT_AS_IT_IS)


def _body(request: Request) -> bytes | StreamedBody:
    is_chunked = "transfer-encoding" in request.headers
    length = None if is_chunked else request.headers.get("content-length")
    if not is_chunked and length in {None, "0"}:
        return b""
    if length is not None and not length.isdecimal():
        raise InvalidInput("The Content-Length is not one number.")
    request.scope[UPLOAD] = ended = asyncio.Event()
    return StreamedBody(_pieces(request, ended), None if length is None else int(length))


async def _pieces(request: Request, ended: asyncio.Event) -> AsyncIterator[bytes]:
    try:
        async for piece in request.stream():
            yield piece
    finally:
        ended.set()


def _after_upload(scope: ASGIScope, receive: Receive) -> Receive:
    """Return a `receive` that leaves the body of the request to its upload."""
    ended: asyncio.Event | None = scope.get(UPLOAD)
    if ended is None:
        return receive

    async def receive_after_upload() -> Message:
        await ended.wait()
        return await receive()

    return receive_after_upload


class ForwardedResponse(StreamingResponse):
    """A service's reply as the answer to a client, of any status, sent while it arrives.

    A complete reply that the client holds already is answered 304 (RFC 9110, section 13.2.2); one
    from a cache has its `Age`. Raises `RuntimeError` for a streamed reply that was read before.
    """

    def __init__(self, reply: Reply, request: Request) -> None:
        if not isinstance(reply.body, bytes) and (reply.body.size or reply.body.is_over):
            raise RuntimeError("the body of this reply was read: it can't be forwarded any more")
        headers = _headers(reply, request)
        if reply.is_buffered and _is_unchanged(reply, request):
            headers, reply = without_content(headers), Reply(304)
        super().__init__(aiter(reply), status_code=reply.status)
        self.raw_headers = headers
        self._reply = reply

    async def __call__(self, scope: ASGIScope, receive: Receive, send: Send) -> None:
        """Send the reply; its body ends with the answer, however that ends."""
        async with aclosing(self._reply):
            if not self._reply.is_buffered:
                declare_stream(scope)
            await super().__call__(scope, _after_upload(scope, receive), send)


def _headers(reply: Reply, request: Request) -> Fields:
    fields = list(reply.headers)
    if reply.source != "upstream":
        fields = [field for field in fields if field[0] != b"age"]
        fields.append((b"age", b"%d" % reply.age))
    if reply.status == HTTPStatus.NO_CONTENT:
        fields = [field for field in fields if field[0] != b"content-length"]
    if reply.is_buffered and request.method != "HEAD" and reply.status not in WITHOUT_BODY:
        fields = [field for field in fields if field[0] != b"content-length"]
        fields.append((b"content-length", b"%d" % len(reply.content)))
    return fields


def _is_unchanged(reply: Reply, request: Request) -> bool:
    """Whether the client holds this reply, by its tag or else by its date."""
    if reply.status != 200 or request.method not in READS:
        return False
    held = ", ".join(request.headers.getlist("if-none-match"))
    if held:
        tag = _entity_tags(reply.header("etag") or "")
        return bool(tag) and (held.strip() == "*" or tag[0] in _entity_tags(held))
    since = parse_http_date(request.headers.get("if-modified-since", "").encode("latin-1"))
    modified = parse_http_date(
        (reply.header("last-modified") or reply.header("date") or "").encode("latin-1")
    )
    return since is not None and modified is not None and modified <= since
