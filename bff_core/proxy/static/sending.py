"""Sends a representation: whole, one range or several, from memory or from an open file."""

from collections.abc import AsyncIterator, Iterable
from typing import Final

from starlette.exceptions import HTTPException
from starlette.types import Scope as ASGIScope
from starlette.types import Send

from bff_core.call import Headers
from bff_core.errors import ClientError
from bff_core.http_exchange.request_context import declare_stream
from bff_core.proxy.static.byte_ranges import (
    ByteRange,
    Multipart,
    NotSatisfiable,
    content_range,
    ranges_of,
)
from bff_core.proxy.static.conditions import Fields, is_known, is_refused, range_of
from bff_core.proxy.static.representation import FileReader, Representation

CHUNK_BYTES: Final = 256 * 1024
"""Bytes of a large file that are read and sent at once."""

_OF_WHOLE: Final = frozenset({b"content-length", b"content-type"})


class FileChanged(Exception):
    """A large file is another one than was measured: look it up again."""


async def send_file(
    scope: ASGIScope,
    send: Send,
    representation: Representation,
    *,
    fields: Fields,
    modified: int | None,
) -> None:
    """Answer a GET or HEAD with a representation, as the request's conditions and ranges demand.

    Raises `FileChanged` before anything was sent, and `ClientError` for 412.
    """
    if is_refused(fields, representation, modified):
        raise ClientError("The file has changed.", status=412)
    if is_known(fields, representation, modified):
        await _send_all(send, 304, representation.known_headers, b"")
    elif scope["method"] == "HEAD":  # Range is defined for GET only
        await _send_all(send, 200, representation.headers, b"")
    else:
        wanted = range_of(fields, representation, modified)
        ranges = () if wanted is None else _ranges(wanted, representation.size)
        await _send_content(scope, send, representation, ranges)


def _ranges(wanted: bytes, size: int) -> tuple[ByteRange, ...]:
    try:
        return ranges_of(wanted, size)
    except NotSatisfiable:
        raise HTTPException(416, headers={"content-range": f"bytes */{size}"}) from None


async def _send_content(
    scope: ASGIScope, send: Send, representation: Representation, ranges: tuple[ByteRange, ...]
) -> None:
    status, headers, plan = _plan(representation, ranges)
    if representation.body is not None:
        body = representation.body
        pieces = (one if isinstance(one, bytes) else body[one.start : one.end] for one in plan)
        await _send_all(send, status, headers, body if not ranges else b"".join(pieces))
        return
    open_file = representation.open
    reader = None if open_file is None else await FileReader.opened(open_file)
    if reader is None:
        raise FileChanged
    try:
        declare_stream(scope)
        await send({"type": "http.response.start", "status": status, "headers": list(headers)})
        async for piece in _pieces(reader, plan):
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
    finally:
        reader.close()


def _plan(
    representation: Representation, ranges: tuple[ByteRange, ...]
) -> tuple[int, Headers, Iterable[bytes | ByteRange]]:
    """Return status and headers, and what the body is made of: bytes and ranges of the file."""
    size = representation.size
    if not ranges:
        return 200, representation.headers, (ByteRange(0, size),)
    if len(ranges) == 1:
        fields: Headers = (
            (b"content-type", representation.content_type),
            (b"content-length", b"%d" % ranges[0].size),
            (b"content-range", content_range(ranges[0], size)),
        )
        return 206, (*fields, *_without_whole(representation)), ranges
    framing = Multipart(representation.content_type, size)
    plan: list[bytes | ByteRange] = []
    for one in ranges:
        plan += (framing.part_head(one), one)
    fields = framing.headers(ranges)
    return 206, (*fields, *_without_whole(representation)), (*plan, framing.end)


def _without_whole(representation: Representation) -> Headers:
    return tuple(field for field in representation.headers if field[0] not in _OF_WHOLE)


async def _pieces(reader: FileReader, plan: Iterable[bytes | ByteRange]) -> AsyncIterator[bytes]:
    for one in plan:
        if isinstance(one, bytes):
            yield one
            continue
        start = one.start
        while start < one.end:
            piece = await reader.read(start, min(CHUNK_BYTES, one.end - start))
            start += len(piece)
            yield piece


async def _send_all(send: Send, status: int, headers: Headers, body: bytes) -> None:
    await send({"type": "http.response.start", "status": status, "headers": list(headers)})
    await send({"type": "http.response.body", "body": body})
