"""Rate limits: the arithmetic of a token bucket and of a sliding window."""

from dataclasses import dataclass
from math import ceil
from typing import Annotated, Final

from bff_core.errors import ConfigurationError
from bff_core.keywords import checks_keywords
from bff_core.policy.options import Option, check

UNITS: Final = {"request": "requests", "calls": "calls", "query": "query-cost"}
"""The unit of a quota, by `Limit.cost`."""


@checks_keywords
@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """A rate limit: how many requests, or how many calls to services, each caller has in a time.

    `by` identifies callers: by viewer, by API key (the header `key_header`), or by address (an IPv6
    network of 64 bits counts as one address). A caller without a viewer or a key is identified by
    address. A "bucket" holds `burst` tokens (None: the quota) and refills steadily. A "window"
    counts the last `per` seconds: the weighted count of two fixed windows, as at Cloudflare.

    `cost` is what a request takes from the quota: 1 ("request"), the calls to services that its
    answer needed ("calls"), or the cost of its GraphQL query, which is 1 for other requests
    ("query"). The last two are charged after the answer; a caller with anything left is admitted.

    `paths` and `exempt` are prefixes of paths, in whole segments: those that are limited, and those
    that are not.
    """

    quota: Annotated[int, Option("Requests or calls of a caller", 1, 10_000_000)]
    per: Annotated[float, Option("The period of the quota, in seconds", 0.01, 31 * 86_400)] = 60.0
    by: Annotated[str, Option("How callers are identified: viewer, key or address")] = "viewer"
    strategy: Annotated[str, Option("The algorithm: bucket or window")] = "bucket"
    burst: Annotated[int | None, Option("Capacity of a bucket; None: the quota", 1, 10_000_000)] = (
        None
    )
    cost: Annotated[str, Option("What is counted: request, calls or query")] = "request"
    key_header: Annotated[str, Option("The header that carries the API key")] = "x-api-key"
    paths: Annotated[tuple[str, ...], Option("Prefixes of limited paths")] = ("/",)
    methods: Annotated[
        tuple[str, ...], Option("Limited methods (HEAD counts as GET); empty: all")
    ] = ()
    exempt: Annotated[tuple[str, ...], Option("Prefixes of paths that are not limited")] = ()
    name: Annotated[str, Option("Name in headers and errors; empty: made of `by` and `cost`")] = ""

    def __post_init__(self) -> None:
        check(self)
        _one_of(self, "by", ("viewer", "key", "address"))
        _one_of(self, "strategy", ("bucket", "window"))
        _one_of(self, "cost", ("request", "calls", "query"))
        if self.burst is not None and self.strategy != "bucket":
            raise ConfigurationError("Limit.burst is for buckets: a window has none")
        if not all(path.startswith("/") for path in (*self.paths, *self.exempt)):
            raise ConfigurationError("Limit.paths and Limit.exempt begin with /")
        if not all(method.isalpha() and method.isupper() for method in self.methods):
            raise ConfigurationError("Limit.methods are in upper case, such as POST")
        for option in ("paths", "exempt"):
            whole = tuple(f"{path.rstrip('/')}/" for path in getattr(self, option))
            object.__setattr__(self, option, whole)
        if not self.name:
            object.__setattr__(self, "name", f"{self.by}-{UNITS[self.cost]}")
        if not self.name.isascii() or not self.name.replace("-", "").isalnum():
            raise ConfigurationError(f"Limit.name must be letters, digits and -, not {self.name!r}")

    @property
    def capacity(self) -> int:
        """The most that a caller can have left."""
        return self.burst or self.quota if self.strategy == "bucket" else self.quota

    def applies_to(self, method: str, path: str) -> bool:
        """Return whether the limit applies to a request."""
        if self.methods and ("GET" if method == "HEAD" else method) not in self.methods:
            return False
        path = path.removesuffix("\n")  # the patterns of routes match in front of one, too
        segments = f"{path}/"
        return segments.startswith(self.paths) and not segments.startswith(self.exempt)


@dataclass(frozen=True, slots=True)
class LimitStatus:
    """How much of a limit a caller has left, and in how many seconds it is full again (`reset`).

    `retry_after` is in how many seconds the next request is admitted; 0 if it is admitted now.
    """

    remaining: int
    reset: float
    retry_after: float


ROUNDING_SECONDS = 2e-6
"""Seconds by which two sums of Unix times may differ: more than their rounding errors."""

State = tuple[float, int, int]
"""Bucket: when it is full again. Window: its number, the previous and the current count."""

UNUSED: State = (0.0, 0, 0)


def status_of(limit: Limit, state: State, now: float) -> LimitStatus:
    """Return how much a caller has left at an instant."""
    if limit.strategy == "bucket":
        return _bucket_status(limit, state[0], now)
    return _window_status(limit, state, now)


def charged(limit: Limit, state: State, now: float, cost: int) -> State:
    """Return the state after a cost is charged, even if less than that was left."""
    if limit.strategy == "bucket":
        full_at = max(state[0], now) + cost * limit.per / limit.quota
        # The debt is bounded, so that one expensive answer does not block its caller for long.
        return min(full_at, now + 2 * limit.capacity * limit.per / limit.quota), 0, 0
    previous, current = _counts(limit, state, now)
    return now // limit.per, previous, min(current + cost, 2 * limit.quota)


def _bucket_status(limit: Limit, full_at: float, now: float) -> LimitStatus:
    """Return what is left of a bucket that is full again at `full_at` (GCRA, ATM Forum TM 4.0)."""
    interval, most = limit.per / limit.quota, limit.capacity
    missing = max(0.0, full_at - now - ROUNDING_SECONDS) / interval
    remaining = int(most - missing + 1e-9)
    wait = 0.0 if remaining >= 1 else (missing - most + 1) * interval
    return LimitStatus(max(remaining, 0), missing * interval, wait)


def _window_status(limit: Limit, state: State, now: float) -> LimitStatus:
    previous, current = _counts(limit, state, now)
    passed = now % limit.per
    used = previous * (1 - passed / limit.per) + current
    remaining = int(limit.quota - used + 1e-9)
    reset = (limit.per - passed) + (limit.per if current else 0.0)
    wait = 0.0 if remaining >= 1 else _window_wait(limit, previous, current, passed)
    return LimitStatus(max(remaining, 0), reset if used else 0.0, wait)


def _window_wait(limit: Limit, previous: int, current: int, passed: float) -> float:
    """Return in how many seconds the weighted count falls to one below the quota."""
    room = limit.quota - 1
    if current <= room and previous:
        return max(0.0, limit.per * (1 - (room - current) / previous) - passed)
    # The weight of the current count falls only in the next window.
    return (limit.per - passed) + limit.per * max(0.0, 1 - room / current)


def _counts(limit: Limit, state: State, now: float) -> tuple[int, int]:
    """Return the counts of the previous and the current window."""
    passed = now // limit.per - state[0]
    if passed == 0:
        return state[1], state[2]
    return (state[2], 0) if passed == 1 else (0, 0)


def _one_of(limit: Limit, option: str, accepted: tuple[str, ...]) -> None:
    value = getattr(limit, option)
    if value not in accepted:
        raise ConfigurationError(f"Limit.{option} must be one of {', '.join(accepted)}")


def whole_seconds(duration: float) -> int:
    """Return whole seconds, rounded up: a caller that waits so long is admitted."""
    return max(0, ceil(duration))
