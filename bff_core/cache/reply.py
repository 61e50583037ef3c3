"""Makes the reply to a call from a cache entry, with the typed values decoded before."""

from bff_core.cache.entry import CacheEntry
from bff_core.call import NOT_DECODED, Call, Decode, Reply, Reuse, Source
from bff_core.errors import BadStatus


def served(entry: CacheEntry, call: Call, now: float, source: Source | None = None) -> Reply:
    """Return an entry as the reply to a call; without `source`, the age decides it.

    Raises `BadPayload` if the call's type can't be decoded from it.
    """
    decode = call.decode
    if decode is not None and decode not in entry.decoded:
        entry.decoded[decode] = _read(entry, call, decode)
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
        entry.decoded,
    )


def _read(entry: CacheEntry, call: Call, decode: Decode) -> object:
    """Decode the value that calls share; `NOT_DECODED` if each call has to decode its own."""
    try:
        value = decode.value(Reply(entry.status, entry.headers, entry.body), call)
    except BadStatus:  # the caller raises this error, too
        return NOT_DECODED
    return value if decode.is_shareable else NOT_DECODED
