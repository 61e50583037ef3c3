"""Selects among replies that vary: each has a key of its own, found through a variant index.

RFC 9111, section 4.1.
"""

from typing import Final

from bff_core.cache.entry import CacheEntry
from bff_core.cache.key import secondary_key, varying_values
from bff_core.call import Call
from bff_core.policy.upstream.cache import Cache

SIGNPOST: Final = 0
"""The status of an entry that is no reply, but names the headers that replies vary by."""


def key_of_variant(key: str, found: CacheEntry | None, call: Call, options: Cache) -> str:
    """Return the key of a call's reply, by what is found under its primary key."""
    if found is None or found.status != SIGNPOST:
        return key
    names = [name for name, _ in found.varies]
    return secondary_key(key, varying_values(call.headers, names, options.vary))


def variant_index(entry: CacheEntry, now: float, store_for: float) -> CacheEntry:
    """Return what leads to an entry that varies, for as many seconds as that is stored."""
    names = tuple((name, None) for name, _ in entry.varies)
    return CacheEntry(SIGNPOST, (), b"", generated_at=now, fresh_for=store_for, varies=names)


def is_current_index(found: CacheEntry | None, post: CacheEntry) -> bool:
    """Whether what is found does what a new variant_index would, and for as long."""
    return (
        found is not None
        and found.status == SIGNPOST
        and found.varies == post.varies
        and found.fresh_until >= post.fresh_until
    )
