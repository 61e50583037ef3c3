"""Revalidates entries: makes the conditional request, and updates the entry by its reply.

RFC 9110, sections 8.8 and 13; RFC 9111, section 4.3.
"""

import re
from dataclasses import replace
from typing import Final

from msgspec import structs

from bff_core.cache.entry import CacheEntry
from bff_core.cache.storing import NotStorable, admit
from bff_core.call import Call, Headers, Reply, find_header
from bff_core.policy.upstream.cache import Cache

NOT_UPDATED: Final = frozenset(
    {b"content-length", b"content-encoding", b"content-type", b"content-range"}
)
"""Fields that describe the stored body, which has no content coding (RFC 9111, section 3.2)."""

_OPAQUE: Final = re.compile(rb'"[^"]*"')


def conditional(call: Call, entry: CacheEntry) -> Call:
    """Return the call with the entry's validators as conditions (RFC 9111, section 4.3.1).

    Without a validator it is the call itself.
    """
    conditions: list[tuple[bytes, bytes]] = []
    for name, value in entry.headers:
        if name == b"etag":
            conditions.append((b"if-none-match", value))
        elif name == b"last-modified":
            conditions.append((b"if-modified-since", value))
    return structs.replace(call, headers=(*call.headers, *conditions)) if conditions else call


def updated(entry: CacheEntry, reply: Reply) -> Reply | None:
    """Return the stored answer with the fields of a 304 (RFC 9111, sections 3.2 and 4.3.4).

    Return None if the 304 is about another answer: call again without conditions.
    """
    if not _has_same_validator(entry.headers, reply.headers):
        return None
    return structs.replace(
        reply, status=entry.status, headers=_merged(entry, reply), body=entry.body
    )


def updated_by_head(entry: CacheEntry, reply: Reply) -> Reply | None:
    """Return the stored answer with the fields of a 200 to HEAD (RFC 9111, section 4.3.5).

    Return None if the validators or the lengths differ: the entry is out of date.
    """
    length, stored = (find_header(one, b"content-length") for one in (reply.headers, entry.headers))
    if length is not None and stored is not None and length != stored:
        return None
    return updated(entry, reply)


def renewed(
    entry: CacheEntry,
    call: Call,
    reply: Reply,
    options: Cache,
    *,
    sent_at: float,
    now: float,
    wall: float,
) -> CacheEntry | NotStorable:
    """Return the entry to store for an `updated` answer; see `admit`, also for the times.

    `call` is the one without conditions. The entry has the same decoded values.
    """
    stored = admit(call, reply, options, sent_at=sent_at, now=now, wall=wall)
    return replace(stored, decoded=entry.decoded) if isinstance(stored, CacheEntry) else stored


def _has_same_validator(stored: Headers, received: Headers) -> bool:
    """Whether the received validators, if any, match those of the entry."""
    etag, ours = find_header(received, b"etag"), find_header(stored, b"etag")
    if etag is not None and ours is not None:
        return weakly_match(etag, ours)
    modified, known = (find_header(one, b"last-modified") for one in (received, stored))
    return modified is None or known is None or modified == known


def _merged(entry: CacheEntry, reply: Reply) -> Headers:
    """Return the stored fields, replaced by the received ones; Age counts only if received."""
    received = [field for field in reply.headers if field[0] not in NOT_UPDATED]
    replaced = {name for name, _ in received} | {b"age"}
    return (*(field for field in entry.headers if field[0] not in replaced), *received)


def weakly_match(one: bytes, other: bytes) -> bool:
    """Whether two entity tags match by the weak comparison (RFC 9110, section 8.8.3.2)."""
    return one.removeprefix(b"W/") == other.removeprefix(b"W/")


def matches(if_none_match: bytes, etag: bytes) -> bool:
    """Whether If-None-Match lists an entity tag, compared weakly (RFC 9110, section 13.1.2).

    "*" matches every tag. A tag may contain commas.
    """
    if if_none_match == etag:
        return True
    if if_none_match.strip() == b"*":
        return True
    return etag.removeprefix(b"W/") in _OPAQUE.findall(if_none_match)
