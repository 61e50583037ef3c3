"""For how long a composed answer may be used, and by whom: told to clients, and kept."""

from typing import Final

from bff_core.answer_dependencies import PUBLIC, AnswerDependencies
from bff_core.cache.entry import CacheEntry
from bff_core.edge.preconditions import Fields
from bff_core.exchange.part_headers import COMPLETE

MAX_TAGS: Final = 512
MAX_LIFETIME_SECONDS: Final = 365 * 86_400.0
"""Seconds for which an answer is kept, at most."""

MAX_BODY_BYTES: Final = 1024 * 1024
"""Bytes of a body that is kept, at most."""

CREDENTIAL_HEADERS: Final = ("authorization", "cookie")
"""What tells viewers apart to caches on the way, such as the browser that two of them share."""

PER_DELIVERY: Final = frozenset({b"server-timing", b"age"})
"""Fields of one delivery of an answer, not of the answer."""


def add_freshness(
    headers: Fields, dependencies: AnswerDependencies, now: float, *, is_open: bool
) -> None:
    """Say for how long an answer may be used, by whom, and how old its oldest part is."""
    is_public = is_open and dependencies.sharing == PUBLIC
    age, left = (
        int(dependencies.age),
        int(min(dependencies.fresh_until - now, MAX_LIFETIME_SECONDS)),
    )
    varies = dependencies.headers if is_public else [*dependencies.headers, *CREDENTIAL_HEADERS]
    if left:
        headers.remove(COMPLETE)
        who = b"public" if is_public else b"private"
        headers.append((b"cache-control", b"%b, max-age=%d" % (who, age + left)))
    if varies:
        headers.append((b"vary", ", ".join(map(str.title, varies)).encode("latin-1", "replace")))
    if age:
        headers.append((b"age", b"%d" % age))


def exceeded_limit(dependencies: AnswerDependencies, body: bytes) -> str:
    """Return what there is too much of to keep an answer."""
    if len(dependencies.tags) > MAX_TAGS:
        return "tags"
    return "size" if len(body) > MAX_BODY_BYTES else ""


def cache_entry(
    dependencies: AnswerDependencies, headers: Fields, body: bytes, now: float
) -> CacheEntry:
    """Return what is kept of an answer."""
    return CacheEntry(
        200,
        tuple(field for field in headers if field[0] not in PER_DELIVERY),
        body,
        born=now - dependencies.age,
        fresh_for=min(dependencies.fresh_until - now, MAX_LIFETIME_SECONDS) + dependencies.age,
        tags=tuple(dependencies.tags),
    )
