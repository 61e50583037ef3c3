"""For how long a reply may be used: what its service says, or the policy in its place.

RFC 9111, section 4.2; RFC 5861; RFC 9213. A reply that the service marks `private` is dealt with as
in a private cache, any other as in a shared one: there `s-maxage` and `proxy-revalidate` count.
"""

from functools import lru_cache
from typing import Final

from bff_core.cache.dates import date_of
from bff_core.cache.directives import age_of, control_fields, fields_of, governing
from bff_core.cache.tags import TOLD_IN
from bff_core.call import Reply
from bff_core.http_statuses import HEURISTICALLY_CACHEABLE, UNDERSTOOD
from bff_core.policy.upstream.cache import Cache

LONGEST_GUESS: Final = 86400.0
"""The longest lifetime that is guessed, in seconds."""

_READ: Final = TOLD_IN | {
    *(b"age", b"content-range", b"date", b"etag", b"expires", b"last-modified"),
    *(b"set-cookie", b"vary", b"via"),
}


class Terms:
    """On what terms a reply is stored; durations in seconds.

    `fields` are the header fields that matter, `said` is what governs them. `ttl`, `stale` and
    `error` are the policy's, None for a status that it is not for.
    """

    __slots__ = (
        "_forces_stale", "_heuristic", "_is_targeted", "error", "fields", "said", "stale", "status",
        "ttl",
    )  # fmt: skip

    def __init__(self, reply: Reply, options: Cache) -> None:
        self.status = reply.status
        self.fields = fields_of(reply.headers, _read(options.targeted))
        self.said, self._is_targeted = governing(self.fields, options.targeted)
        self._heuristic = options.heuristic
        self._forces_stale = options.force_stale
        is_policys = reply.status in HEURISTICALLY_CACHEABLE
        self.ttl = options.ttl if is_policys else None
        self.stale = options.stale if is_policys else None
        self.error = options.error if is_policys else None

    @property
    def is_understood(self) -> bool:
        """Whether its status is one that `must-understand` lets us keep (section 5.2.2.3)."""
        return self.status in UNDERSTOOD

    @property
    def is_no_store(self) -> bool:
        """Whether the service forbids to keep it; beside `must-understand` that does not count."""
        return self.said.no_store and not (self.said.must_understand and self.is_understood)

    @property
    def is_overruled(self) -> bool:
        """Whether the author lets it be stored although the service says `no-store`."""
        is_forced = self._forces_stale and (self.stale is not None or self.error is not None)
        return self.ttl is not None or is_forced

    @property
    def has_expiry(self) -> bool:
        """Whether the service says when it expires (RFC 9111, section 4.2.1)."""
        said = self.said
        is_dated = not self._is_targeted and b"expires" in self.fields
        return said.max_age is not None or said.s_maxage is not None or is_dated

    def age(self, delay: float, wall: float) -> float:
        """Return its age as it came, `delay` after the request (RFC 9111, section 4.2.3).

        The sender's clock is compared with ours only where a hop of HTTP/1.0 may not have added
        the age: a clock that is wrong then does no harm.
        """
        fields = self.fields
        age = age_of(fields.get(b"age")) + max(0.0, delay)
        via = fields.get(b"via")
        if via is None or not any(hop.split()[:1] == [b"1.0"] for hop in via.split(b",")):
            return age
        date = date_of(fields.get(b"date"))
        return age if date is None else max(age, wall - date)

    def lifetime(self, age: float, wall: float) -> float | None:
        """Return for how long it is fresh, from age 0 on; None if nothing says so.

        `age` is that at which it came: what the policy says begins then.
        """
        if self.ttl is not None:
            return age + self.ttl
        explicit = self._explicit(wall)
        has_window = self._policy_decides and (self.stale or self.error)
        return max(explicit or 0.0, age) if has_window else explicit

    def _explicit(self, wall: float) -> float | None:
        """Return what the service says (RFC 9111, section 4.2.1), or a guess (section 4.2.2)."""
        said, fields = self.said, self.fields
        if said.no_cache or self.is_no_store:
            return 0.0
        if said.s_maxage is not None and not said.private:
            return said.s_maxage
        if said.max_age is not None:
            return said.max_age
        date = date_of(fields.get(b"date"))
        came = wall if date is None else date
        if not self._is_targeted and b"expires" in fields:
            expires = date_of(fields[b"expires"])
            return 0.0 if expires is None else max(0.0, expires - came)
        return self._guess(came)

    def _guess(self, came: float) -> float | None:
        modified = date_of(self.fields.get(b"last-modified"))
        is_guessable = self.status in HEURISTICALLY_CACHEABLE or self.said.public
        if not self._heuristic or modified is None or not is_guessable:
            return None
        return min(max(0.0, came - modified) * self._heuristic, LONGEST_GUESS)

    def windows(self) -> tuple[float, float]:
        """Return how long past its freshness it may be served: while refreshed, and on errors.

        What forbids stale replies (RFC 9111, section 4.2.4) ends both windows, the service's own
        (RFC 5861) and, unless the policy says `force_stale`, the policy's. The service's windows
        stand beside its own `s-maxage`: a service that says both means both. There the policy's can
        only make them shorter.
        """
        said = self.said
        stale, error = said.stale_while_revalidate or 0.0, said.stale_if_error or 0.0
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
        said = self.said
        is_forbidden = said.no_cache or said.must_revalidate or self.is_no_store
        return is_forbidden or (said.proxy_revalidate and not said.private)

    @property
    def _policy_decides(self) -> bool:
        """Whether the policy's windows replace the service's.

        `s-maxage` implies `proxy-revalidate` (RFC 9111, section 5.2.2.10).
        """
        is_shared_only = self.said.s_maxage is not None and not self.said.private
        return self._forces_stale or not (self._forbids_stale or is_shared_only)


@lru_cache(maxsize=64)
def _read(names: tuple[str, ...]) -> frozenset[bytes]:
    return _READ | control_fields(names)
