"""Renders the answer of a view: the result, and the status of its parts in headers and body."""

from collections.abc import Sequence

from fastapi import Response

from bff_core.composition.composition import Composition
from bff_core.composition.part_status import PartStatus
from bff_core.edge.entity_tags import entity_tag
from bff_core.http_exchange.answer import Answer
from bff_core.http_exchange.part_headers import (
    COMPLETE,
    DEGRADED,
    cache_headers_of,
    part_status,
    part_status_ok,
    parts_report,
    server_timing,
    statuses_of,
)
from bff_core.http_statuses import WITHOUT_CONTENT
from bff_core.rest.response_model import encode

META_FLAG = b"_meta=parts"
"""The query parameter with which a client requests `_meta.parts`."""

JSON = (b"content-type", b"application/json")

_EMPTY = (b"content-length", b"0")

_FRAMING = frozenset({b"content-length", b"transfer-encoding"})


def wants_meta(query: bytes) -> bool:
    """Whether the query requests `_meta.parts`."""
    return META_FLAG in query.split(b"&")


def answer(
    body: bytes,
    compositions: Sequence[Composition],
    *,
    status: int = 200,
    with_meta: bool = False,
    with_timing: bool = False,
    with_tag: bool = False,
) -> Answer:
    """Return the answer of a view: the encoded result and the status of its parts.

    A complete answer gets an entity tag if `with_tag`.
    """
    if status in WITHOUT_CONTENT:
        return _without_content(status, compositions)
    headers = [JSON, (b"content-length", b"%d" % len(body))]
    if len(compositions) == 1 and not (with_meta or with_timing):
        names = compositions[0].part_registry.names_if_ok()
        if names:
            headers += ((b"part-status", part_status_ok(names)), COMPLETE)
            return _tagged(status, headers, body, with_tag=with_tag)
    statuses = statuses_of(compositions)
    if statuses:
        headers.append((b"part-status", part_status(statuses)))
        if with_timing:
            headers.append((b"server-timing", server_timing(statuses)))
        if with_meta and body[:1] == b"{":
            body = _with_meta(body, statuses)
            headers[1] = (b"content-length", b"%d" % len(body))
    reuse = cache_headers_of(statuses)
    headers += reuse
    return _tagged(status, headers, body, with_tag=with_tag and reuse[0] is COMPLETE)


def part_headers(compositions: Sequence[Composition]) -> list[tuple[bytes, bytes]]:
    """Return the headers that report the parts of an answer."""
    statuses = statuses_of(compositions)
    headers = cache_headers_of(statuses)
    return [(b"part-status", part_status(statuses)), *headers] if statuses else headers


def _without_content(status: int, compositions: Sequence[Composition]) -> Answer:
    """Return an answer without content and content type; a 205 has a Content-Length of 0."""
    length = [_EMPTY] if status == 205 else []
    return Answer(status, [*length, *part_headers(compositions)], b"")


def with_injected(
    headers: list[tuple[bytes, bytes]], injected: Response
) -> list[tuple[bytes, bytes]]:
    """Return the headers of an answer, and those that the view set on FastAPI's `Response`.

    A header that the view has set replaces ours of the same name. A degraded answer stays
    `no-store`.
    """
    own = [field for field in injected.raw_headers if field[0] not in _FRAMING]
    if DEGRADED in headers:
        own = [field for field in own if field[0] != DEGRADED[0]]
    names = {name for name, _ in own}
    return [*(field for field in headers if field[0] not in names), *own]


def _tagged(
    status: int, headers: list[tuple[bytes, bytes]], body: bytes, *, with_tag: bool
) -> Answer:
    if with_tag:
        headers.append((b"etag", entity_tag(body)))
    return Answer(status, headers, body)


def _with_meta(body: bytes, statuses: Sequence[PartStatus]) -> bytes:
    meta = encode({"parts": parts_report(statuses)})
    comma = b"" if body == b"{}" else b","
    return b'%b%b"_meta":%b}' % (body[:-1], comma, meta)
