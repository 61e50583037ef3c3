"""Replies that are no JSON: texts, and bytes that are read while they arrive."""

from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing
from typing import Final

from bff_core.call import MAX_ERROR_BODY_BYTES, Headers, find_header
from bff_core.errors import BadStatus
from bff_core.parameter_values import Scalar
from bff_core.upstream.client import Upstream
from bff_core.upstream.decoding import problem_detail
from bff_core.upstream.reading.charset import text_of
from bff_core.upstream.request_bodies import NO_BODY, Content, content_of, json_of
from bff_core.upstream.request_headers import encoded, replaced

_JSON: Final[Headers] = ((b"content-type", b"application/json"),)


async def read_text(
    upstream: Upstream,
    method: str,
    path: str,
    values: Mapping[str, Scalar],
    *,
    body: Content | None = None,
    json: object = NO_BODY,
    query: Mapping[str, object] | None = None,
    headers: Mapping[str, object] | None = None,
) -> str:
    """Return the body of a reply as text, by its charset; raises `BadStatus` for a failure."""
    call = upstream.call(
        method,
        path,
        values,
        query=query,
        ours=_fields(headers, json),
        body=content_of(body or b"") if json is NO_BODY else json_of(json),
    )
    reply = await upstream.reply(call)
    if not 200 <= reply.status < 300:
        upstream.fail(BadStatus(reply, call=call, detail=problem_detail(reply)))
    return text_of(reply.content, find_header(reply.headers, b"content-type") or b"")


async def read_chunks(
    upstream: Upstream,
    method: str,
    path: str,
    values: Mapping[str, Scalar],
    *,
    body: Content | None = None,
    json: object = NO_BODY,
    query: Mapping[str, object] | None = None,
    headers: Mapping[str, object] | None = None,
) -> AsyncIterator[bytes]:
    """Yield the body of a reply while it arrives; raises `BadStatus` for a failure.

    Close it with `contextlib.aclosing` if it is not read to its end.
    """
    call = upstream.call(
        method,
        path,
        values,
        query=query,
        ours=_fields(headers, json),
        body=content_of(body or b"") if json is NO_BODY else json_of(json),
        is_streamed=True,
    )
    async with aclosing(await upstream.reply(call)) as reply:
        if not 200 <= reply.status < 300:
            whole = await reply.buffered(MAX_ERROR_BODY_BYTES)
            upstream.fail(BadStatus(whole, call=call, detail=problem_detail(whole)))
        async for chunk in reply:
            yield chunk


def _fields(headers: Mapping[str, object] | None, json: object) -> Headers:
    own = encoded(headers or {})
    return own if json is NO_BODY else replaced(_JSON, own)
