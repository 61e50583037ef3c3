"""A client's request as it goes on to a service: its target, its headers, its body."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final, Protocol
from urllib.parse import quote

from fastapi import Request
from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive
from starlette.types import Scope as ASGIScope

from bff_core.edge.route_template import route_template
from bff_core.errors import InvalidInput, NotFound
from bff_core.forwarding.paths import climbs, sendable
from bff_core.http_exchange.request_context import SCOPE
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
    dropped = frozenset() if with_credentials else credentials_of(scope)
    if not is_streamed and request.method in READS and "range" not in request.headers:
        dropped |= CONDITIONS
    return ForwardedRequest(
        method=request.method,
        target=_target(scope, strip_prefix.rstrip("/").encode(), add_prefix.rstrip("/").encode()),
        audience=audience,
        headers=tuple(field for field in scope["headers"] if field[0].lower() not in dropped),
        body=body_of(request),
        operation=f"{request.method} {route_template(scope)}",
        is_streamed=is_streamed,
        with_credentials=with_credentials,
        own_prefix=strip_prefix.rstrip("/"),
        service_prefix=add_prefix.rstrip("/"),
    )


def credentials_of(scope: ASGIScope) -> frozenset[bytes]:
    """Return the names of the headers with credentials: those known, and those that were read."""
    request: Scope | None = scope.get(SCOPE)
    return CREDENTIALS if request is None else CREDENTIALS | request.credential_fields


def _target(scope: ASGIScope, strip_prefix: bytes, add_prefix: bytes) -> str:
    path: bytes = scope.get("raw_path") or quote(scope["path"]).encode()
    rest = path.removeprefix(strip_prefix)
    is_below = path.startswith(strip_prefix) and rest[:1] in {b"/", b""}
    if not is_below or climbs(rest):
        raise NotFound("There is no such path.")
    query: bytes = scope["query_string"]
    target = add_prefix + (rest or b"/") + (b"?" + query if query else b"")
    return sendable(target.decode("latin-1"))


def body_of(request: Request) -> bytes | StreamedBody:
    """Return the body of a request, which is read from the client while it is sent."""
    length = body_length(request.scope)
    if length == 0:
        return b""
    request.scope[UPLOAD] = ended = asyncio.Event()
    return StreamedBody(_pieces(request, ended), length)


def body_length(scope: ASGIScope) -> int | None:
    """Return the declared length of a request's body; None if it is not known before its end.

    Raises `InvalidInput` for a length that is not a number.
    """
    length: bytes | None = None
    for name, value in scope["headers"]:
        if name == b"transfer-encoding":
            return None
        if name == b"content-length":
            length = value
    if length is None:
        return 0
    if not length.isdigit():
        raise InvalidInput("The Content-Length is not one number.")
    return int(length)


async def _pieces(request: Request, ended: asyncio.Event) -> AsyncIterator[bytes]:
    try:
        async for piece in request.stream():
            yield piece
    finally:
        ended.set()


class Pace(Protocol):
    """Is called while the body of a request is read."""

    def piece(self) -> None:
        """Note that a piece has arrived."""

    def end(self) -> None:
        """Note that the body has ended."""


def uploaded(scope: ASGIScope, receive: Receive, length: int | None, pace: Pace) -> StreamedBody:
    """Return the body of a request that is read from the client while it is sent."""
    scope[UPLOAD] = ended = asyncio.Event()
    return StreamedBody(_received(receive, ended, pace), length)


async def _received(receive: Receive, ended: asyncio.Event, pace: Pace) -> AsyncIterator[bytes]:
    try:
        is_more = True
        while is_more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnect
            is_more = message.get("more_body", False)
            pace.piece()
            yield message.get("body", b"")
        pace.end()
    finally:
        ended.set()


def after_upload(scope: ASGIScope, receive: Receive) -> Receive:
    """Return a `receive` that leaves the body of the request to its upload."""
    ended: asyncio.Event | None = scope.get(UPLOAD)
    if ended is None:
        return receive

    async def receive_after_upload() -> Message:
        await ended.wait()
        return await receive()

    return receive_after_upload
