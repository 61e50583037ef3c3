"""Replies that are no JSON: texts, and bytes that are read while they arrive."""

from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing

import msgspec

from bff_core.call import MAX_ERROR_BODY_BYTES, Headers, find_header
from bff_core.errors import BadStatus
from bff_core.parameter_values import Scalar
from bff_core.streamed_body import StreamedBody
from bff_core.upstream.client import Upstream
from bff_core.upstream.decoding import problem_detail
from bff_core.upstream.reading.charset import text_of
from bff_core.upstream.request_bodies import NO_BODY, Content, Files, Form, body_of, json_of
from bff_core.upstream.request_headers import encoded, replaced


async def read_text(
    upstream: Upstream,
    method: str,
    path: str,
    values: Mapping[str, Scalar],
    *,
    body: Content | None = None,
    form: Form | None = None,
    files: Files | None = None,
    json: object = NO_BODY,
    query: Mapping[str, object] | None = None,
    headers: Mapping[str, object] | None = None,
) -> str:
    """Return the body of a reply as text, by its charset; raises `BadStatus` for a failure.

    A body that is a JSON string is that string.
    """
    sent_type, content = _body(body, form, files, json, headers)
    call = upstream.call(
        method,
        path,
        values,
        query=query,
        ours=_fields(headers, sent_type),
        body=content,
    )
    reply = await upstream.reply(call)
    if not 200 <= reply.status < 300:
        upstream.fail(BadStatus(reply, call=call, detail=problem_detail(reply)))
    media_type = find_header(reply.headers, b"content-type") or b""
    text = text_of(reply.content, media_type)
    is_json = b"json" in media_type.partition(b";")[0].lower()
    return _unquoted(text) if is_json else text


async def read_chunks(
    upstream: Upstream,
    method: str,
    path: str,
    values: Mapping[str, Scalar],
    *,
    body: Content | None = None,
    form: Form | None = None,
    files: Files | None = None,
    json: object = NO_BODY,
    query: Mapping[str, object] | None = None,
    headers: Mapping[str, object] | None = None,
) -> AsyncIterator[bytes]:
    """Yield the body of a reply while it arrives; raises `BadStatus` for a failure.

    Close it with `contextlib.aclosing` if it is not read to its end.
    """
    sent_type, content = _body(body, form, files, json, headers)
    call = upstream.call(
        method,
        path,
        values,
        query=query,
        ours=_fields(headers, sent_type),
        body=content,
        is_streamed=True,
    )
    async with aclosing(await upstream.reply(call)) as reply:
        if not 200 <= reply.status < 300:
            whole = await reply.buffered(MAX_ERROR_BODY_BYTES)
            upstream.fail(BadStatus(whole, call=call, detail=problem_detail(whole)))
        async for chunk in reply:
            yield chunk


def _unquoted(text: str) -> str:
    """Return the string that a JSON text is; another JSON text as it is."""
    try:
        return msgspec.json.decode(text, type=str)
    except msgspec.DecodeError:
        return text


def _body(
    body: Content | None,
    form: Form | None,
    files: Files | None,
    json: object,
    headers: Mapping[str, object] | None,
) -> tuple[str, bytes | StreamedBody]:
    """Return the media type and the body of a call; no media type without a body."""
    if json is not NO_BODY:
        return "application/json", json_of(json)
    if body is None and form is None and files is None:
        return "", b""
    return body_of(form, files, body, headers or {})


def _fields(headers: Mapping[str, object] | None, media_type: str) -> Headers:
    own = encoded(headers or {})
    return replaced(((b"content-type", media_type.encode()),), own) if media_type else own
