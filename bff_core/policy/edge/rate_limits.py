"""How often somebody may ask: a token bucket and a sliding window, as arithmetic on two numbers."""

from dataclasses import dataclass
from math import ceil
from typing import Annotated, Final, Literal

from bff_core.errors import ConfigurationError
from bff_core.policy.options import Option, check

By = Literal["viewer", "key", "address"]
Cost = Literal["request", "calls", "query"]
Strategy = Literal["bucket", "window"]

UNITS: Final = {"request": "requests", "calls": "calls", "query": "query-cost"}
"""What a quota is counted in, for each value of `Limit.cost`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """How many requests, or calls that they cause, each caller has in a stretch of time.

    Callers are distinguished by `by`: who signed in, which API key (the header `key_header`) or
    which address, an IPv6 network of 64 bits being one. Who shows neither goes by address. A
    "bucket" holds `burst` tokens (None: the quota) and refills steadily; a "window" counts the last
    `per` seconds, whatever the pace. With `cost="calls"` the answer is charged with the calls to
    services that it took, with `cost="query"` with the cost of its GraphQL query (1 for all other
    requests); a caller that has anything left is admitted.

    `paths` are the beginnings, in whole segments, of the paths that the limit holds for, `exempt`
    of those that it does not. Source of the window: the weighted count of two fixed windows, as at
    Cloudflare.
    """

    quota: Annotated[int, Option("How many requests or calls a caller has", 1, 10_000_000)]
    per: Annotated[float, Option("In how many seconds", 0.01, 31 * 86_400)] = 60.0
    by: Annotated[str, Option("What distinguishes callers: viewer, key or address")] = "viewer"
    strategy: Annotated[str, Option("How it is counted: bucket or window")] = "bucket"
    burst: Annotated[
        int | None, Option("How much a bucket holds; None: the quota", 1, 10_000_000)
    ] = None
    cost: Annotated[str, Option("What is counted: request, calls or query")] = "request"
    key_header: Annotated[str, Option("The header that carries the API key")] = "x-api-key"
    paths: Annotated[tuple[str, ...], Option("Beginnings of paths that it holds for")] = ("/",)
    methods: Annotated[
        tuple[str, ...], Option("Methods that it holds for, HEAD being a GET; none: all")
    ] = ()
    exempt: Annotated[tuple[str, ...], Option("Beginnings of paths that are free")] = ()
    name: Annotated[str, Option("How answers call it; empty: after what it limits")] = ""

    def __post_init__(self) -> None:
        check(self)
        _one_of(self, "by", ("viewer", "key", "address"))
        _one_of(self, "strategy", ("bucket", "window"))
        _one_of(self, "cost", ("request", "calls", "query"))
        if self.burst is not None and self.strategy != "bucket":
            raise ConfigurationError("Limit.burst is a bucket's: a window has none")
        if not all(path.startswith("/") for path in (*self.paths, *self.exempt)):
            raise ConfigurationError("Limit.paths and Limit.exempt begin with /")
        if not all(method.isalpha() and method.isupper() for method in self.methods):
            raise ConfigurationError("Limit.methods are in capitals, such as POST")
        for option in ("paths", "exempt"):
            whole = tuple(f"{path.rstrip('/')}/" for path in getattr(self, option))
            object.__setattr__(self, option, whole)
        if not self.name:
            object.__setattr__(self, "name", f"{self.by}-{UNITS[self.cost]}")
        if not self.name.isascii() or not self.name.replace("-", "").isalnum():
            raise ConfigurationError(f"Limit.name must be letters, digits and -, not {self.name!r}")

    @property
    def capacity(self) -> int:
        """How much a caller can have left."""
        return self.burst or self.quota if self.strategy == "bucket" else self.quota

    @property
    def applies_always(self) -> bool:
        """Whether every request counts."""
        return "/" in self.paths and not self.exempt and not self.methods

    def applies_to(self, method: str, path: str) -> bool:
        """Whether a request counts."""
        if self.methods and ("GET" if method == "HEAD" else method) not in self.methods:
            return False
        segments = f"{path}/"
        return segments.startswith(self.paths) and not segments.startswith(self.exempt)


@dataclass(frozen=True, slots=True)
class LimitStatus:
    """Where a caller stands with one limit: what is left, and in how many seconds it is whole.

    `wait` is in how many seconds one more is let in; 0 where it is now.
    """

    remaining: int
    reset: float
    wait: float


ROUNDING_SECONDS = 2e-6
"""Seconds that two sums of times may differ by: more than instants of today are rounded by."""

State = tuple[float, int, int]
"""Bucket: when it is full again. Window: its number, the counts of the one before and of it."""

UNUSED: State = (0.0, 0, 0)


def status_of(limit: Limit, state: State, now: float) -> LimitStatus:
    """Return where a caller stands at an instant, taking nothing."""
    if limit.strategy == "bucket":
        return _look_bucket(limit, state[0], now)
    return _look_window(limit, state, now)


def charged(limit: Limit, state: State, now: float, cost: int) -> State:
    """Return the state after a cost was taken, whether it was left or not."""
    if limit.strategy == "bucket":
        full_at = max(state[0], now) + cost * limit.per / limit.quota
        # A debt is bounded: what a costly answer took is not held against its caller for long.
        return min(full_at, now + 2 * limit.capacity * limit.per / limit.quota), 0, 0
    previous, current = _counts(limit, state, now)
    return now // limit.per, previous, min(current + cost, 2 * limit.quota)


def expiry(limit: Limit, state: State, now: float) -> float:
    """Return in how many seconds the state is as good as none."""
    if limit.strategy == "bucket":
        return max(0.0, state[0] - now)
    return 2 * limit.per


def _look_bucket(limit: Limit, full_at: float, now: float) -> LimitStatus:
    """Read a bucket, which is the instant at which it is full again (GCRA, ATM Forum TM 4.0)."""
    interval, most = limit.per / limit.quota, limit.capacity
    missing = max(0.0, full_at - now - ROUNDING_SECONDS) / interval
    remaining = int(most - missing + 1e-9)
    wait = 0.0 if remaining >= 1 else (missing - most + 1) * interval
    return LimitStatus(max(remaining, 0), missing * interval, wait)


def _look_window(limit: Limit, state: State, now: float) -> LimitStatus:
    previous, current = _counts(limit, state, now)
    passed = now % limit.per
    used = previous * (1 - passed / limit.per) + current
    remaining = int(limit.quota - used + 1e-9)
    reset = (limit.per - passed) + (limit.per if current else 0.0)
    wait = 0.0 if remaining >= 1 else _window_wait(limit, previous, current, passed)
    return LimitStatus(max(remaining, 0), reset if used else 0.0, wait)


def _window_wait(limit: Limit, previous: int, current: int, passed: float) -> float:
    """Return when the weighted count falls to one below the quota."""
    room = limit.quota - 1
    if current <= room and previous:
        return max(0.0, limit.per * (1 - (room - current) / previous) - passed)
    # Only the next window weighs the current count down.
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
    """Return whole seconds, rounded up: who waits as long is not refused again."""
    return max(0, ceil(duration))
