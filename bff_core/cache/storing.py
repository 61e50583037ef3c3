"""Decides whether a reply may be stored, and as which entry (RFC 9111, section 3)."""

from dataclasses import dataclass
from typing import Final, Literal

from bff_core.cache.directives import vary_names
from bff_core.cache.entry import CacheEntry
from bff_core.cache.freshness import Bypass, bypass
from bff_core.cache.invalidation import url_tag
from bff_core.cache.key import is_one_viewer, varying_values
from bff_core.cache.lifetime import Terms
from bff_core.cache.tags import TAG_FIELDS, are_too_many, declared_tags
from bff_core.call import Call, Headers, Reply, find_header
from bff_core.http_statuses import HEURISTICALLY_CACHEABLE, NEVER_STORED
from bff_core.policy.upstream.cache import Cache

Obstacle = Literal[
    "", "authorization", "error", "no-store", "private", "set-cookie", "size", "status", "vary"
]
Why = Bypass | Obstacle | Literal["expired", "no-lifetime", "tags"]
"""Why a reply is not stored; sent in events, and as the detail of Cache-Status."""

REVALIDATION_SECONDS: Final = 3600.0
"""How long an entry with a validator is stored past all other use, to be revalidated."""


@dataclass(frozen=True, slots=True)
class NotStorable:
    """Why a reply is not stored."""

    reason: Why


def admit(
    call: Call, reply: Reply, options: Cache, *, sent_at: float, now: float, wall: float
) -> CacheEntry | NotStorable:
    """Return the entry to store for a reply from the upstream, or why none is stored.

    The policy's `ttl`, `stale` and `error` count from the reply's arrival. `ttl` overrules
    `no-store`, `no-cache` and the rule about `Authorization`. `stale` and `error` overrule a ban on
    stale replies only with `force_stale`. Nothing overrules `private`, partial content or
    `Set-Cookie`; but a signed-in viewer's own key is a private cache, and a withheld `Set-Cookie`
    is not stored.

    `sent_at` and `now` are the instants of the request and of the reply. `wall` is the Unix time of
    `now`; it counts only if a reply has no `Date` or passed a hop of HTTP/1.0.
    """
    if call.method != "GET":
        return NotStorable("method")
    terms = Terms(reply, options)
    reason = bypass(call) or _unfit(terms) or _forbidden(terms, call)
    if reason or len(reply.content) > options.max_body:
        return NotStorable(reason or "size")
    age = terms.age(now - sent_at, wall)
    lifetime, (stale_for, error_for) = terms.lifetime(age, wall), terms.windows()
    has_validator = b"etag" in terms.fields or b"last-modified" in terms.fields
    if not has_validator and (lifetime or 0.0) + max(stale_for, error_for) <= age:
        return NotStorable("no-lifetime" if lifetime is None else "expired")
    tags = _tags(terms, call, reply)
    if are_too_many(tags):
        return NotStorable("tags")
    names = vary_names(terms.fields.get(b"vary"))
    return CacheEntry(
        reply.status,
        _stored_headers(terms, reply),
        reply.content,
        generated_at=now - age,
        fresh_for=lifetime or 0.0,
        stale_for=stale_for,
        error_for=error_for,
        has_validator=has_validator,
        varies=varying_values(call.headers, names, options.vary) if names else (),
        tags=tags,
    )


def storage_seconds(entry: CacheEntry, now: float) -> float:
    """Return for how many seconds from now an entry may be useful."""
    left = entry.fresh_until + max(entry.stale_for, entry.error_for) - now
    return max(left, 0.0) + REVALIDATION_SECONDS if entry.has_validator else left


def _unfit(terms: Terms) -> Obstacle | Literal["partial"]:
    """Return why a reply is never stored, whatever its directives.

    Failures are not stored even with a lifetime: later requests would learn too late that the
    failure is over. A status that is not cacheable by default needs an explicit permission.
    """
    status, directives = terms.status, terms.directives
    if status == 206 or (b"content-range" in terms.fields and status < 300):
        return "partial"
    if status >= 500:
        return "error"
    is_wanted = (
        status in HEURISTICALLY_CACHEABLE
        or terms.has_expiry
        or directives.public
        or directives.private
    )
    if status < 200 or status in NEVER_STORED or not is_wanted:
        return "status"
    if directives.must_understand and not terms.is_understood:
        return "status"
    is_cookie = b"set-cookie" in terms.fields and b"set-cookie" not in directives.withheld
    return "set-cookie" if is_cookie else ""


def _forbidden(terms: Terms, call: Call) -> Obstacle:
    """Return why the service forbids storing the reply for this audience."""
    directives, is_private = terms.directives, is_one_viewer(call.audience)
    if directives.private and not is_private:
        return "private"
    if terms.is_no_store and not terms.is_overruled:
        return "no-store"
    if vary_names(terms.fields.get(b"vary")) is None:
        return "vary"
    return "" if is_private or _may_be_shared(terms, call) else "authorization"


def _may_be_shared(terms: Terms, call: Call) -> bool:
    """Whether others may get the reply to a call with credentials (RFC 9111, section 3.5)."""
    directives = terms.directives
    if find_header(call.headers, b"authorization") is None:
        return True
    is_permitted = (
        directives.public or directives.must_revalidate or directives.s_maxage is not None
    )
    return is_permitted or terms.ttl is not None


def _tags(terms: Terms, call: Call, reply: Reply) -> tuple[str, ...]:
    """Return the tags of the reply: of its URL, the call's, the service's."""
    tags = (url_tag(call.upstream, call.target), *call.tags)
    if TAG_FIELDS.isdisjoint(terms.fields):
        return tags
    return tuple(dict.fromkeys((*tags, *declared_tags(reply.headers, call.upstream))))


def _stored_headers(terms: Terms, reply: Reply) -> Headers:
    """Return the headers without those that a qualified `no-cache` or `private` names.

    Only the first caller gets these (RFC 9111, sections 5.2.2.4 and 5.2.2.7).
    """
    withheld = terms.directives.withheld
    if not withheld:
        return reply.headers
    return tuple([one for one in reply.headers if one[0] not in withheld])
