"""Computes how long a reply may be reused, from its headers and from the policy.

RFC 9111, section 4.2; RFC 5861; RFC 9213. A `private` reply follows the rules of a private cache.
Any other follows those of a shared one, where `s-maxage` and `proxy-revalidate` count.
"""

from functools import lru_cache
from typing import Final

from bff_core.cache.dates import parse_http_date
from bff_core.cache.directives import control_fields, effective_directives, fields_of, parse_age
from bff_core.cache.tags import TAG_FIELDS
from bff_core.call import Reply
from bff_core.http_statuses import HEURISTICALLY_CACHEABLE, UNDERSTOOD
from bff_core.policy.upstream.cache import Cache

MAX_HEURISTIC_SECONDS: Final = 86400.0
"""The longest heuristic lifetime (RFC 9111, section 4.2.2)."""

_RELEVANT: Final = TAG_FIELDS | {
    *(b"age", b"content-range", b"date", b"etag", b"expires", b"last-modified"),
    *(b"set-cookie", b"vary", b"via"),
}


class Terms:
    """The terms of storing a reply; durations in seconds.

    `fields` are the relevant header fields, `directives` those that apply. `ttl`, `stale` and
    `error` are the policy's; None for a status to which the policy does not apply.
    """

    __slots__ = (
        "_forces_stale", "_heuristic", "_is_targeted", "directives", "error", "fields", "stale",
        "status", "ttl",
    )  # fmt: skip

    def __init__(self, reply: Reply, options: Cache) -> None:
        self.status = reply.status
        self.fields = fields_of(reply.headers, _relevant(options.targeted))
        self.directives, self._is_targeted = effective_directives(self.fields, options.targeted)
        self._heuristic = options.heuristic
        self._forces_stale = options.force_stale
        has_policy = reply.status in HEURISTICALLY_CACHEABLE
        self.ttl = options.ttl if has_policy else None
        self.stale = options.stale if has_policy else None
        self.error = options.error if has_policy else None

    @property
    def is_understood(self) -> bool:
        """Whether `must-understand` allows its status to be stored (RFC 9111, section 5.2.2.3)."""
        return self.status in UNDERSTOOD

    @property
    def is_no_store(self) -> bool:
        """Whether the service forbids storing it; `must-understand` overrides `no-store`."""
        directives = self.directives
        return directives.no_store and not (directives.must_understand and self.is_understood)

    @property
    def is_overruled(self) -> bool:
        """Whether the policy overrules `no-store`."""
        is_forced = self._forces_stale and (self.stale is not None or self.error is not None)
        return self.ttl is not None or is_forced

    @property
    def has_expiry(self) -> bool:
        """Whether the service sets an expiry (RFC 9111, section 4.2.1)."""
        directives = self.directives
        is_dated = not self._is_targeted and b"expires" in self.fields
        return directives.max_age is not None or directives.s_maxage is not None or is_dated

    def age(self, delay: float, wall: float) -> float:
        """Return its age on arrival, `delay` seconds after the request (RFC 9111, section 4.2.3).

        `Date` is compared with our clock only if a hop of HTTP/1.0 may not have added the age. So
        a sender's wrong clock seldom matters.
        """
        fields = self.fields
        age = parse_age(fields.get(b"age")) + max(0.0, delay)
        via = fields.get(b"via")
        if via is None or not any(hop.split()[:1] == [b"1.0"] for hop in via.split(b",")):
            return age
        date = parse_http_date(fields.get(b"date"))
        return age if date is None else max(age, wall - date)

    def lifetime(self, age: float, wall: float) -> float | None:
        """Return its freshness lifetime, counted from age 0; None if nothing sets one.

        `age` is its age on arrival: the policy's `ttl` begins then.
        """
        if self.ttl is not None:
            return age + self.ttl
        explicit = self._from_service(wall)
        has_window = self._policy_decides and (self.stale or self.error)
        return max(explicit or 0.0, age) if has_window else explicit

    def _from_service(self, wall: float) -> float | None:
        """Return the explicit lifetime (RFC 9111, section 4.2.1), or the heuristic one."""
        directives, fields = self.directives, self.fields
        if directives.no_cache or self.is_no_store:
            return 0.0
        if directives.s_maxage is not None and not directives.private:
            return directives.s_maxage
        if directives.max_age is not None:
            return directives.max_age
        date = parse_http_date(fields.get(b"date"))
        dated_at = wall if date is None else date
        if not self._is_targeted and b"expires" in fields:
            expires = parse_http_date(fields[b"expires"])
            return 0.0 if expires is None else max(0.0, expires - dated_at)
        return self._heuristic_lifetime(dated_at)

    def _heuristic_lifetime(self, dated_at: float) -> float | None:
        modified = parse_http_date(self.fields.get(b"last-modified"))
        is_guessable = self.status in HEURISTICALLY_CACHEABLE or self.directives.public
        if not self._heuristic or modified is None or not is_guessable:
            return None
        return min(max(0.0, dated_at - modified) * self._heuristic, MAX_HEURISTIC_SECONDS)

    def windows(self) -> tuple[float, float]:
        """Return how long after its expiry it may be served: while refreshed, and on errors.

        If the service forbids stale replies (RFC 9111, section 4.2.4), both windows are 0: those of
        the service (RFC 5861) and, without `force_stale`, those of the policy. `s-maxage` leaves
        the service's own windows open, and the policy can then only shorten them.
        """
        directives = self.directives
        stale, error = directives.stale_while_revalidate or 0.0, directives.stale_if_error or 0.0
        if self._forbids_stale:
            stale = error = 0.0
        if self._policy_decides:
            return (
                stale if self.stale is None else self.stale,
                error if self.error is None else self.error,
            )
        return (
            stale if self.stale is None else min(self.stale, stale),
            error if self.error is None else min(self.error, error),
        )

    @property
    def _forbids_stale(self) -> bool:
        directives = self.directives
        is_forbidden = directives.no_cache or directives.must_revalidate or self.is_no_store
        return is_forbidden or (directives.proxy_revalidate and not directives.private)

    @property
    def _policy_decides(self) -> bool:
        """Whether the policy's windows replace the service's.

        `s-maxage` implies `proxy-revalidate` (RFC 9111, section 5.2.2.10).
        """
        is_shared_only = self.directives.s_maxage is not None and not self.directives.private
        return self._forces_stale or not (self._forbids_stale or is_shared_only)


@lru_cache(maxsize=64)
def _relevant(names: tuple[str, ...]) -> frozenset[bytes]:
    return _RELEVANT | control_fields(names)
