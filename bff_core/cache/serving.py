"""Kept replies as what a call gets: with the typed value beside the bytes."""

from typing import Final

from bff_core.cache.entry import Entry
from bff_core.call import NOT_DECODED, Call, Decode, Reply, Reuse, Source
from bff_core.errors import BadStatus

_UNREAD: Final = object()


def served(entry: Entry, call: Call, now: float, source: Source | None = None) -> Reply:
    """Return what a kept reply is to a call; its `source` goes by its age, unless it is given.

    Raises `BadPayload` where the call's author can't read it.
    """
    decode, decoded = call.decode, NOT_DECODED
    if decode is not None:
        decoded = entry.decoded.get(decode, _UNREAD)
        if decoded is _UNREAD:
            decoded = _read(entry, call, decode)
    fresh_until = entry.fresh_until
    return Reply(
        entry.status,
        entry.headers,
        b"" if call.method == "HEAD" else entry.body,
        source or ("cache" if now < fresh_until else "stale"),
        entry.age(now),
        Reuse(
            fresh_until, fresh_until + entry.stale_for, fresh_until + entry.error_for, entry.tags
        ),
        decoded,
    )


def _read(entry: Entry, call: Call, decode: Decode) -> object:
    """Decode what nobody has decoded as this type; keep the value if requests may share it.

    If they may not, it is kept that it can be read.
    """
    try:
        value = decode.value(Reply(entry.status, entry.headers, entry.body), call)
    except BadStatus:  # that is what its author will be told
        value = NOT_DECODED
    kept = entry.decoded[decode] = value if decode.is_shareable else NOT_DECODED
    return kept
