"""A view's result as bytes; what became of its parts in headers and, on request, in `_meta`."""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from bff_core.composition.composition import Composition
from bff_core.composition.state import PartStatus
from bff_core.edge.parts import (
    COMPLETE,
    part_status,
    part_status_ok,
    parts_told,
    reuse_told,
    server_timing,
    statuses_of,
)
from bff_core.edge.preconditions import entity_tag

META_FLAG = b"_meta=parts"
"""The query parameter by which a client asks for `_meta.parts`."""

JSON = (b"content-type", b"application/json")


def wants_meta(query: bytes) -> bool:
    """Whether the query asks for `_meta.parts`."""
    return META_FLAG in query.split(b"&")


class Answer(NamedTuple):
    """Status, header fields and body, as ASGI takes them."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes


def _foreign(value: object) -> object:
    """Encode what msgspec does not know: pydantic models, by their own JSON form."""
    dump = getattr(value, "model_dump", None)
    if dump is None:
        raise TypeError(
            f"a view can't answer with {type(value).__name__}: return a dataclass, a msgspec "
            "Struct, a pydantic model or plain JSON values"
        )
    return dump(mode="json")


encode = msgspec.json.Encoder(enc_hook=_foreign).encode


def answer(
    result: object,
    compositions: Sequence[Composition],
    *,
    status: int = 200,
    with_meta: bool = False,
    with_timing: bool = False,
    with_tag: bool = False,
) -> Answer:
    """Return what a view answers: the encoded result and the states of its parts.

    An answer that lacks nothing has an entity tag, where one is wanted.
    """
    body = b"" if result is None and status == 204 else encode(result)
    headers = [JSON, (b"content-length", b"%d" % len(body))]
    if len(compositions) == 1 and not (with_meta or with_timing):
        names = compositions[0].board.names_if_ok()
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
    told = reuse_told(statuses)
    headers += told
    return _tagged(status, headers, body, with_tag=with_tag and told[0] is COMPLETE)


def _tagged(
    status: int, headers: list[tuple[bytes, bytes]], body: bytes, *, with_tag: bool
) -> Answer:
    if with_tag:
        headers.append((b"etag", entity_tag(body)))
    return Answer(status, headers, body)


def _with_meta(body: bytes, statuses: Sequence[PartStatus]) -> bytes:
    meta = encode({"parts": parts_told(statuses)})
    comma = b"" if body == b"{}" else b","
    return b'%b%b"_meta":%b}' % (body[:-1], comma, meta)
