"""Decides how a stored reply may be used: RFC 9111, section 4; RFC 5861; RFC 8246."""

from dataclasses import dataclass
from math import exp, inf
from typing import Final, Literal

from bff_core.cache.directives import (
    NOTHING_SAID,
    Directives,
    age_of,
    control_fields,
    fields_of,
    governing,
    parse_cache_control,
)
from bff_core.cache.entry import CacheEntry
from bff_core.cache.key import USUAL, Varies
from bff_core.call import Call, Headers, find_header
from bff_core.clock import Chance
from bff_core.policy.upstream.cache import Cache

Kind = Literal["fresh", "early", "stale", "revalidate", "miss"]

Why = Literal["fresh", "early", "stale", "request", "uri-miss", "vary-miss"]

STEEPNESS: Final = 5.0
"""How late in its window an early refresh is: at the start its chance is e to the minus fifth."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to do with an entry: `reason` is the word for events and, of misses, Cache-Status.

    - `fresh`: answer with it. `early`: the same, and refresh it in the background.
    - `stale`: answer with it, and refresh it in the background.
    - `revalidate`: ask the upstream, conditionally if there is a validator. Should that fail before
      `error_until`, an instant, answer with the entry.
    - `miss`: ask the upstream.
    """

    kind: Kind
    reason: Why
    error_until: float = -inf


SERVED: Final = frozenset({"fresh", "early", "stale"})
"""The kinds of verdicts by which an entry is the answer."""

FRESH: Final = Verdict("fresh", "fresh")
EARLY: Final = Verdict("early", "early")
STALE: Final = Verdict("stale", "stale")
URI_MISS: Final = Verdict("miss", "uri-miss")
VARY_MISS: Final = Verdict("miss", "vary-miss")
EXPIRED: Final = Verdict("miss", "stale")
ASK: Final = Verdict("revalidate", "stale")
ASKED_FOR: Final = Verdict("revalidate", "request")
UNWANTED: Final = Verdict("miss", "request")

Bypass = Literal["", "method", "partial", "conditional", "request"]

CONTROL: Final = frozenset({b"cache-control"})


def bypass(call: Call) -> Bypass:
    """Return why the cache is bypassed for a call, or nothing.

    Only GET and HEAD are answered from a cache. A call with a Range or a condition of its author's
    is answered by the service; one that says no-store is neither answered nor stored (RFC 9111,
    section 5.2.1.5). No header of a client reaches a call, so these are always the author's own.
    """
    if call.method not in {"GET", "HEAD"}:
        return "method"
    return "" if call.headers == USUAL else _bypass(call.headers)


def _bypass(headers: Headers) -> Bypass:
    for name, value in headers:
        if name == b"range":
            return "partial"
        if name.startswith(b"if-"):
            return "conditional"
        if name == b"cache-control" and parse_cache_control(value).no_store:
            return "request"
    return ""


def judge(
    entry: CacheEntry | None, call: Call, options: Cache, *, now: float, chance: Chance
) -> Verdict:
    """Decide how to use the entry of a call that does not bypass the cache.

    The call's own Cache-Control is honoured as far as it demands a better answer than the stored
    one: no-cache, max-age, min-fresh, or accepts a worse one: max-stale (RFC 9111, section 5.2.1).
    Its only-if-cached is not: a call to a service has a deadline for that. What an entry that is
    served has left is in the entry; all durations are in seconds, `now` is an instant.
    """
    if entry is None:
        return URI_MISS
    if entry.varies and not is_alike(entry.varies, call.headers):
        return VARY_MISS
    if call.headers != USUAL:
        wish = parse_cache_control(fields_of(call.headers, CONTROL).get(b"cache-control"))
        if wish is not NOTHING_SAID:
            return _judge_wish(entry, wish, options, now)
    left = entry.generated_at + entry.fresh_for - now
    if left > 0:
        window = options.early * entry.fresh_for
        return EARLY if left < window and _is_early(entry, options, left, chance) else FRESH
    if left + entry.stale_for > 0:
        return STALE
    return _to_revalidate(entry, now)


def is_alike(varies: Varies, headers: Headers) -> bool:
    """Whether a request has the values that a reply was made for (RFC 9111, section 4.1)."""
    found = fields_of(headers, frozenset([name for name, _ in varies]))
    return all(found.get(name) == value for name, value in varies)


def _is_early(entry: CacheEntry, options: Cache, left: float, chance: Chance) -> bool:
    """Whether to refresh ahead, with a chance that grows exponentially to the end.

    Source: "Optimal probabilistic cache stampede prevention", Vattani et al., 2015; the scale is
    the share of its freshness in this cache, not the time that a refresh takes. What is immutable
    is not revalidated while it is fresh (RFC 8246).
    """
    window = options.early * (entry.fresh_for - age_of(find_header(entry.headers, b"age")))
    if left >= window or chance() >= exp(-STEEPNESS * left / window):
        return False
    return not _said(entry, options).immutable


def _judge_wish(entry: CacheEntry, wish: Directives, options: Cache, now: float) -> Verdict:
    """Decide for a call with a Cache-Control of its own (RFC 9111, section 5.2.1).

    1. It is too old for the call, or has too little left: ask, and let a failure be one.
    2. It is fresh, and that will do.
    3. It is stale, and the call accepts that; max-age without max-stale does not.
    """
    left = entry.fresh_until - now
    is_too_old = wish.max_age is not None and entry.age(now) > wish.max_age
    is_too_short = wish.min_fresh is not None and left < wish.min_fresh
    if wish.no_store or wish.no_cache or is_too_old or is_too_short:
        return ASKED_FOR if entry.has_validator and not wish.no_store else UNWANTED
    if left > 0:
        return FRESH
    if (
        wish.max_stale is not None
        and -left <= wish.max_stale
        and not _forbids_stale(entry, options)
    ):
        return STALE
    if wish.max_age is None and left + entry.stale_for > 0:
        return STALE
    return _to_revalidate(entry, now)


def _forbids_stale(entry: CacheEntry, options: Cache) -> bool:
    """Whether the service forbids to serve the entry stale (RFC 9111, section 4.2.4)."""
    said = _said(entry, options)
    is_shared_only = said.proxy_revalidate or said.s_maxage is not None
    return said.no_cache or said.must_revalidate or (is_shared_only and not said.private)


def _said(entry: CacheEntry, options: Cache) -> Directives:
    fields = fields_of(entry.headers, control_fields(options.targeted))
    return governing(fields, options.targeted)[0]


def _to_revalidate(entry: CacheEntry, now: float) -> Verdict:
    """Ask; the entry is of use if it has a validator, or may yet answer for a failing upstream."""
    error_until = entry.fresh_until + entry.error_for
    if now < error_until:
        return Verdict("revalidate", "stale", error_until)
    return ASK if entry.has_validator else EXPIRED
