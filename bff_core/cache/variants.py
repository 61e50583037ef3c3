"""Replies that vary: each is stored under a key of its own, and a signpost says by which headers.

RFC 9111, section 4.1.
"""

from typing import Final

from bff_core.cache.entry import CacheEntry
from bff_core.cache.key import variant, varied
from bff_core.call import Call
from bff_core.policy.upstream.cache import Cache

SIGNPOST: Final = 0
"""The status of an entry that is no reply, but names the headers that replies vary by."""


def slot_of(key: str, found: CacheEntry | None, call: Call, options: Cache) -> str:
    """Return the key of a call's reply, by what is found under its primary key."""
    if found is None or found.status != SIGNPOST:
        return key
    names = [name for name, _ in found.varies]
    return variant(key, varied(call.headers, names, options.vary))


def signpost(entry: CacheEntry, now: float, keep: float) -> CacheEntry:
    """Return what leads to an entry that varies, for as many seconds as that is stored."""
    names = tuple((name, None) for name, _ in entry.varies)
    return CacheEntry(SIGNPOST, (), b"", born=now, fresh_for=keep, varies=names)


def leads_to(found: CacheEntry | None, post: CacheEntry) -> bool:
    """Whether what is found does what a new signpost would, and for as long."""
    return (
        found is not None
        and found.status == SIGNPOST
        and found.varies == post.varies
        and found.fresh_until >= post.fresh_until
    )
