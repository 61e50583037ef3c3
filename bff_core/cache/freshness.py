"""Decides how a stored reply may be used: RFC 9111, section 4; RFC 5861; RFC 8246."""

from dataclasses import dataclass
from math import exp, inf
from typing import Final, Literal

from bff_core.cache.directives import (
    NO_DIRECTIVES,
    Directives,
    control_fields,
    effective_directives,
    fields_of,
    parse_age,
    parse_cache_control,
)
from bff_core.cache.entry import CacheEntry
from bff_core.cache.key import DEFAULT_HEADERS, Varies
from bff_core.call import Call, Headers, find_header
from bff_core.clock import Chance
from bff_core.policy.upstream.cache import Cache

Kind = Literal["fresh", "early", "stale", "revalidate", "miss"]

Why = Literal["fresh", "early", "stale", "request", "uri-miss", "vary-miss"]

EARLY_STEEPNESS: Final = 5.0
"""How steeply the chance of an early refresh grows: from exp(-5) to 1 within its window."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to do with an entry; `reason` is for events and, for misses, Cache-Status.

    - `fresh`: serve it.
    - `early`, `stale`: serve it, and refresh it in the background.
    - `revalidate`: call the upstream, conditionally if there is a validator. If that fails before
      the instant `error_until`, serve the entry.
    - `miss`: call the upstream.
    """

    kind: Kind
    reason: Why
    error_until: float = -inf


SERVED: Final = frozenset({"fresh", "early", "stale"})
"""The kinds of verdicts that serve the entry."""

FRESH: Final = Verdict("fresh", "fresh")
EARLY: Final = Verdict("early", "early")
STALE: Final = Verdict("stale", "stale")
URI_MISS: Final = Verdict("miss", "uri-miss")
VARY_MISS: Final = Verdict("miss", "vary-miss")
EXPIRED: Final = Verdict("miss", "stale")
REVALIDATE: Final = Verdict("revalidate", "stale")
REVALIDATE_ON_REQUEST: Final = Verdict("revalidate", "request")
MISS_ON_REQUEST: Final = Verdict("miss", "request")

Bypass = Literal["", "method", "partial", "conditional", "request"]

CACHE_CONTROL: Final = frozenset({b"cache-control"})


def bypass(call: Call) -> Bypass:
    """Return why a call bypasses the cache, or "" if it does not.

    Only GET and HEAD use the cache. A call with a Range or a condition goes to the service. A call
    with no-store is neither served from the cache nor stored (RFC 9111, section 5.2.1.5). The
    gateway's author sets these headers: they are never propagated from a client's request.
    """
    if call.method not in {"GET", "HEAD"}:
        return "method"
    return "" if call.headers == DEFAULT_HEADERS else _bypass(call.headers)


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

    The call's own Cache-Control counts: no-cache, max-age, min-fresh and max-stale (RFC 9111,
    section 5.2.1). Its only-if-cached does not, since a call has a deadline. `now` is an instant.
    """
    if entry is None:
        return URI_MISS
    if entry.varies and not has_values(entry.varies, call.headers):
        return VARY_MISS
    if call.headers != DEFAULT_HEADERS:
        wanted = parse_cache_control(fields_of(call.headers, CACHE_CONTROL).get(b"cache-control"))
        if wanted is not NO_DIRECTIVES:
            return _judge_request(entry, wanted, options, now)
    left = entry.generated_at + entry.fresh_for - now
    if left > 0:
        window = options.early * entry.fresh_for
        return EARLY if left < window and _is_early(entry, options, left, chance) else FRESH
    if left + entry.stale_for > 0:
        return STALE
    return _to_revalidate(entry, now)


def has_values(varies: Varies, headers: Headers) -> bool:
    """Whether a request has the header values that a reply varies by (RFC 9111, section 4.1)."""
    found = fields_of(headers, frozenset([name for name, _ in varies]))
    return all(found.get(name) == value for name, value in varies)


def _is_early(entry: CacheEntry, options: Cache, left: float, chance: Chance) -> bool:
    """Whether to refresh before expiry, with a chance that grows exponentially.

    Source: "Optimal probabilistic cache stampede prevention", Vattani et al., 2015; the scale here
    is a share of the lifetime, not the duration of a refresh. Immutable replies are not
    revalidated while they are fresh (RFC 8246).
    """
    window = options.early * (entry.fresh_for - parse_age(find_header(entry.headers, b"age")))
    if left >= window or chance() >= exp(-EARLY_STEEPNESS * left / window):
        return False
    return not _stored_directives(entry, options).immutable


def _judge_request(entry: CacheEntry, wanted: Directives, options: Cache, now: float) -> Verdict:
    """Decide for a call with a Cache-Control of its own (RFC 9111, section 5.2.1).

    1. The entry is too old for the call, or expires too soon: call the upstream, and let a failure
       fail the call.
    2. It is fresh.
    3. It is stale, and the call accepts that; max-age without max-stale does not.
    """
    left = entry.fresh_until - now
    is_too_old = wanted.max_age is not None and entry.age(now) > wanted.max_age
    is_too_short = wanted.min_fresh is not None and left < wanted.min_fresh
    if wanted.no_store or wanted.no_cache or is_too_old or is_too_short:
        can_revalidate = entry.has_validator and not wanted.no_store
        return REVALIDATE_ON_REQUEST if can_revalidate else MISS_ON_REQUEST
    if left > 0:
        return FRESH
    if (
        wanted.max_stale is not None
        and -left <= wanted.max_stale
        and not _forbids_stale(entry, options)
    ):
        return STALE
    if wanted.max_age is None and left + entry.stale_for > 0:
        return STALE
    return _to_revalidate(entry, now)


def _forbids_stale(entry: CacheEntry, options: Cache) -> bool:
    """Whether the service forbids to serve the entry stale (RFC 9111, section 4.2.4)."""
    directives = _stored_directives(entry, options)
    if directives.no_cache or directives.must_revalidate:
        return True
    is_shared_only = directives.proxy_revalidate or directives.s_maxage is not None
    return is_shared_only and not directives.private


def _stored_directives(entry: CacheEntry, options: Cache) -> Directives:
    fields = fields_of(entry.headers, control_fields(options.targeted))
    return effective_directives(fields, options.targeted)[0]


def _to_revalidate(entry: CacheEntry, now: float) -> Verdict:
    """Call the upstream; use the entry to revalidate, or as the answer if the upstream fails."""
    error_until = entry.fresh_until + entry.error_for
    if now < error_until:
        return Verdict("revalidate", "stale", error_until)
    return REVALIDATE if entry.has_validator else EXPIRED
