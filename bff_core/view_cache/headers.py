"""The cache headers of a composed answer, and the entry that is stored for it."""

from typing import Final

from bff_core.answer_cacheability import PUBLIC, AnswerCacheability, Sharing
from bff_core.cache.entry import CacheEntry
from bff_core.edge.entity_tags import Fields
from bff_core.http_exchange.part_headers import COMPLETE

MAX_TAGS: Final = 512
MAX_LIFETIME_SECONDS: Final = 365 * 86_400.0
MAX_BODY_BYTES: Final = 1024 * 1024

CREDENTIAL_HEADERS: Final = ("authorization", "cookie")
"""Headers that a private answer varies by: two viewers may use one browser, and so its cache."""

PER_DELIVERY: Final = frozenset({b"server-timing", b"age"})
"""Headers that describe one delivery of an answer; they are not stored."""


def add_freshness(
    headers: Fields,
    dependencies: AnswerCacheability,
    sharing: Sharing,
    now: float,
    *,
    is_open: bool,
) -> None:
    """Add `Cache-Control`, `Vary` and `Age` for clients and for caches on the way.

    Only an answer that all viewers share and that anonymous callers may see (`is_open`) is
    `public`, since shared caches check no access rule.
    """
    is_public = is_open and sharing == PUBLIC
    age, left = (
        int(dependencies.age),
        int(min(dependencies.fresh_until - now, MAX_LIFETIME_SECONDS)),
    )
    varies = dependencies.headers if is_public else [*dependencies.headers, *CREDENTIAL_HEADERS]
    if left:
        headers.remove(COMPLETE)
        scope = b"public" if is_public else b"private"
        headers.append((b"cache-control", b"%b, max-age=%d" % (scope, age + left)))
    if varies:
        headers.append((b"vary", ", ".join(map(str.title, varies)).encode("latin-1", "replace")))
    if age:
        headers.append((b"age", b"%d" % age))


def exceeded_limit(dependencies: AnswerCacheability, body: bytes) -> str:
    """Return which limit an answer exceeds, so that it is not stored: "tags", "size" or none."""
    if len(dependencies.tags) > MAX_TAGS:
        return "tags"
    return "size" if len(body) > MAX_BODY_BYTES else ""


def cache_entry(
    dependencies: AnswerCacheability, headers: Fields, body: bytes, now: float
) -> CacheEntry:
    """Return the entry that is stored for an answer."""
    return CacheEntry(
        200,
        tuple(field for field in headers if field[0] not in PER_DELIVERY),
        body,
        generated_at=now - dependencies.age,
        fresh_for=min(dependencies.fresh_until - now, MAX_LIFETIME_SECONDS) + dependencies.age,
        tags=tuple(dependencies.tags),
    )
