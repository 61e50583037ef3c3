"""Decides whether a reply may be stored, and as which entry (RFC 9111, section 3)."""

from dataclasses import dataclass
from typing import Final, Literal

from bff_core.cache.directives import varying
from bff_core.cache.entry import CacheEntry
from bff_core.cache.freshness import Bypass, bypass
from bff_core.cache.invalidation import url_tag
from bff_core.cache.key import is_one_viewer, varying_values
from bff_core.cache.lifetime import Terms
from bff_core.cache.tags import TOLD_IN, are_too_many, declared_tags
from bff_core.call import Call, Headers, Reply, find_header
from bff_core.http_statuses import HEURISTICALLY_CACHEABLE, NEVER_STORED
from bff_core.policy.upstream.cache import Cache

Obstacle = Literal[
    "", "authorization", "error", "no-store", "private", "set-cookie", "size", "status", "vary"
]
Why = Bypass | Obstacle | Literal["expired", "no-lifetime", "tags"]
"""Why a reply is not stored; the words are in events, and in Cache-Status as its detail."""

VALIDATE_FOR: Final = 3600.0
"""Seconds past all other use for which an entry with a validator is stored, to be revalidated."""


@dataclass(frozen=True, slots=True)
class NotStorable:
    """Why a reply is not stored."""

    reason: Why


def admit(
    call: Call, reply: Reply, options: Cache, *, sent_at: float, now: float, wall: float
) -> CacheEntry | NotStorable:
    """Return the entry of a reply that came from the upstream, or why nothing is.

    The policy's `ttl`, `stale` and `error` count from when the reply came. `ttl` overrules
    `no-store`, `no-cache` and the rule about `Authorization`, since its author knows the service;
    `stale` and `error` overrule what forbids stale replies only with `force_stale`. Nothing
    overrules `private`, except that a signed-in viewer's own key is a private cache, nor what makes
    a reply unfit for anybody else: a part of a whole, or `Set-Cookie` unless it is withheld.

    `sent_at` and `now` are the instants of the request and of the reply, `wall` the Unix time of
    `now`: it is used only where a reply has no `Date`, or came through a hop of HTTP/1.0.
    """
    if call.method != "GET":
        return NotStorable("method")
    terms = Terms(reply, options)
    reason = bypass(call) or _unfit(terms) or _forbidden(terms, call)
    if reason or len(reply.body) > options.max_body:
        return NotStorable(reason or "size")
    age = terms.age(now - sent_at, wall)
    lifetime, (stale_for, error_for) = terms.lifetime(age, wall), terms.windows()
    has_validator = b"etag" in terms.fields or b"last-modified" in terms.fields
    if not has_validator and (lifetime or 0.0) + max(stale_for, error_for) <= age:
        return NotStorable("no-lifetime" if lifetime is None else "expired")
    tags = _tags(terms, call, reply)
    if are_too_many(tags):
        return NotStorable("tags")
    names = varying(terms.fields.get(b"vary"))
    return CacheEntry(
        reply.status,
        _stored_headers(terms, reply),
        reply.body,
        generated_at=now - age,
        fresh_for=lifetime or 0.0,
        stale_for=stale_for,
        error_for=error_for,
        has_validator=has_validator,
        varies=varying_values(call.headers, names, options.vary) if names else (),
        tags=tags,
    )


def storage_seconds(entry: CacheEntry, now: float) -> float:
    """Return for how many seconds from now an entry may be of use to anybody."""
    left = entry.fresh_until + max(entry.stale_for, entry.error_for) - now
    return max(left, 0.0) + VALIDATE_FOR if entry.has_validator else left


def _unfit(terms: Terms) -> Obstacle | Literal["partial"]:
    """Return why no reply of this kind is stored, whatever its service says.

    Failures are not, even where they say for how long: a later request would learn too late that
    it is over. Of statuses that are not stored by default the service has to say that it may be.
    """
    status, said = terms.status, terms.said
    if status == 206 or (b"content-range" in terms.fields and status < 300):
        return "partial"
    if status >= 500:
        return "error"
    is_wanted = status in HEURISTICALLY_CACHEABLE or terms.has_expiry or said.public or said.private
    if status < 200 or status in NEVER_STORED or not is_wanted:
        return "status"
    if said.must_understand and not terms.is_understood:
        return "status"
    is_cookie = b"set-cookie" in terms.fields and b"set-cookie" not in said.withheld
    return "set-cookie" if is_cookie else ""


def _forbidden(terms: Terms, call: Call) -> Obstacle:
    """Return what the service says against keeping the reply, for the audience of the call."""
    said, is_private = terms.said, is_one_viewer(call.audience)
    if said.private and not is_private:
        return "private"
    if terms.is_no_store and not terms.is_overruled:
        return "no-store"
    if varying(terms.fields.get(b"vary")) is None:
        return "vary"
    return "" if is_private or _may_be_shared(terms, call) else "authorization"


def _may_be_shared(terms: Terms, call: Call) -> bool:
    """Whether others may get the reply to a call with credentials (RFC 9111, section 3.5)."""
    said = terms.said
    if find_header(call.headers, b"authorization") is None:
        return True
    is_said = said.public or said.must_revalidate or said.s_maxage is not None
    return is_said or terms.ttl is not None


def _tags(terms: Terms, call: Call, reply: Reply) -> tuple[str, ...]:
    """Return what a purge knows the reply by: its URL, the call's tags, the service's."""
    tags = (url_tag(call.upstream, call.target), *call.tags)
    if TOLD_IN.isdisjoint(terms.fields):
        return tags
    return tuple(dict.fromkeys((*tags, *declared_tags(reply.headers, call.upstream))))


def _stored_headers(terms: Terms, reply: Reply) -> Headers:
    """Return the headers without those that a qualified `no-cache` or `private` withholds.

    They belong to the first answer alone (RFC 9111, sections 5.2.2.4 and 5.2.2.7).
    """
    withheld = terms.said.withheld
    if not withheld:
        return reply.headers
    return tuple([one for one in reply.headers if one[0] not in withheld])
