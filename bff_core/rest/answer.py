"""A view's result as bytes; what became of its parts in headers and, on request, in `_meta`."""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from bff_core.composition.composition import Composition, PartStatus

META_FLAG = b"_meta=parts"
"""The query parameter by which a client asks for `_meta.parts`."""

JSON = (b"content-type", b"application/json")
COMPLETE = (b"cache-control", b"private, no-cache")
DEGRADED = (b"cache-control", b"no-store")


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
) -> Answer:
    """Return what a view answers: the encoded result and the states of its parts."""
    body = b"" if result is None and status == 204 else encode(result)
    headers = [JSON, (b"content-length", b"%d" % len(body))]
    statuses = [one for composition in compositions for one in composition.board.statuses()]
    if not statuses:
        headers.append(COMPLETE)
        return Answer(status, headers, body)
    headers.append((b"part-status", part_status(statuses)))
    headers.append(DEGRADED if any(one.is_degraded for one in statuses) else COMPLETE)
    if with_timing:
        headers.append((b"server-timing", server_timing(statuses)))
    if with_meta and body[:1] == b"{":
        body = _with_meta(body, statuses)
        headers[1] = (b"content-length", b"%d" % len(body))
    return Answer(status, headers, body)


def part_status(statuses: Sequence[PartStatus]) -> bytes:
    """Return the `Part-Status` field: an RFC 9651 dictionary from part to state."""
    return ", ".join([_member(one) for one in statuses]).encode()


def _member(one: PartStatus) -> str:
    member = f"{one.name.lower()}={one.state}"
    if one.reason:
        member += f";reason={one.reason}"
    if one.age:
        member += f";age={int(one.age)}"
    return member


def server_timing(statuses: Sequence[PartStatus]) -> bytes:
    """Return the `Server-Timing` field: each part's duration in milliseconds."""
    return ", ".join(f"{one.name};dur={one.duration * 1000:.1f}" for one in statuses).encode()


def meta_parts(statuses: Sequence[PartStatus]) -> dict[str, dict[str, object]]:
    """Return each part's status, and its age in seconds and reason code where there are any."""
    return {
        one.name: {"status": one.state}
        | ({"age": int(one.age)} if one.age else {})
        | ({"reason": one.reason} if one.reason else {})
        for one in statuses
    }


def _with_meta(body: bytes, statuses: Sequence[PartStatus]) -> bytes:
    meta = encode({"parts": meta_parts(statuses)})
    comma = b"" if body == b"{}" else b","
    return b'%b%b"_meta":%b}' % (body[:-1], comma, meta)
