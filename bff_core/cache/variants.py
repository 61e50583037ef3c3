"""Selects among replies that vary: each has a secondary key, found through a variant index.

RFC 9111, section 4.1.
"""

from typing import Final

from bff_core.cache.entry import CacheEntry
from bff_core.cache.key import secondary_key, varying_values
from bff_core.call import Call
from bff_core.policy.upstream.cache import Cache

INDEX_STATUS: Final = 0
"""The status of a variant index: an entry without a reply, which names the varying headers."""


def key_of_variant(key: str, found: CacheEntry | None, call: Call, options: Cache) -> str:
    """Return the key of a call's reply, by the entry found under its primary key."""
    if found is None or found.status != INDEX_STATUS:
        return key
    names = [name for name, _ in found.varies]
    return secondary_key(key, varying_values(call.headers, names, options.vary))


def variant_index(entry: CacheEntry, now: float, store_for: float) -> CacheEntry:
    """Return the index of an entry that varies; it is valid as long as the entry is stored."""
    names = tuple((name, None) for name, _ in entry.varies)
    return CacheEntry(INDEX_STATUS, (), b"", generated_at=now, fresh_for=store_for, varies=names)


def is_current_index(found: CacheEntry | None, index: CacheEntry) -> bool:
    """Whether the found entry is an index of the same headers that lasts as long."""
    return (
        found is not None
        and found.status == INDEX_STATUS
        and found.varies == index.varies
        and found.fresh_until >= index.fresh_until
    )
