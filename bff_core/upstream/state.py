"""What operators see of the calls to a service in one process: read on demand, never written."""

from typing import Literal

import msgspec


class BreakerState(msgspec.Struct):
    """The circuit of an upstream: `failed` and `slow` are among its recent `calls`.

    `state` is closed, open or half-open. `retry_after` is in how many seconds an open circuit
    admits a probe. It `is_forced` if an operator opened it.
    """

    state: str
    calls: int
    failed: int
    slow: int
    retry_after: float
    is_forced: bool = False


class BulkheadState(msgspec.Struct):
    """The permits of an upstream; `limit` follows latency if it `is_adaptive`."""

    in_use: int
    limit: int
    waiting: int
    is_adaptive: bool
    is_probing: bool = False


class BudgetState(msgspec.Struct):
    """How many of the retries that recent calls allow are `left`, out of `size`."""

    left: float
    size: float


class CoalesceState(msgspec.Struct):
    """The calls that run, the callers that wait for them, and all that `joined` one so far."""

    flights: int
    waiting: int
    joined: int


class HedgeState(msgspec.Struct):
    """After how many seconds a call of each operation is hedged; None: too few calls so far."""

    delays: dict[str, float | None]


class CacheState(msgspec.Struct):
    """The outcomes of lookups since the gateway started."""

    hits: int
    stale: int
    misses: int
    stored: int


class CredentialState(msgspec.Struct):
    """The token of an upstream, without the token; `age` and `expires_in` in seconds.

    They are None for credentials without an expiry, and before the first token. `tokens` is how
    many are stored, where each viewer has another. `failure` is why the last request failed.
    """

    kind: str
    age: float | None = None
    expires_in: float | None = None
    tokens: int = 0
    failure: str = ""


class EndpointState(msgspec.Struct):
    """An address of an upstream: calls and connections now, and failures in a row.

    `ejected_for` is for how many seconds more it gets no calls. An endpoint that is ejected and has
    0 left is probed by one call at a time. It `is_forced` if an operator ejected it. `may_eject` is
    whether enough others would remain if it were ejected. `health` is the outcome of active probes,
    "" without a health check. `share` is its weight, less while it starts slowly.
    """

    name: str
    in_flight: int
    failures: int
    idle: int
    active: int
    waiting: int
    is_ejected: bool = False
    ejected_for: float = 0.0
    is_forced: bool = False
    may_eject: bool = False
    weight: int = 1
    priority: int = 0
    zone: str = ""
    health: Literal["", "unknown", "up", "down"] = ""
    share: float = 1.0


class UpstreamState(msgspec.Struct):
    """The state of all layers of one upstream; None for layers that its policy leaves out."""

    upstream: str
    endpoints: list[EndpointState]
    breaker: BreakerState | None = None
    bulkhead: BulkheadState | None = None
    budget: BudgetState | None = None
    coalesce: CoalesceState | None = None
    hedge: HedgeState | None = None
    cache: CacheState | None = None
    credentials: CredentialState | None = None
    is_panicking: bool = False
    transport: str = ""
