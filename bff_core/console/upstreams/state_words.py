"""What each layer does now in words, and whether that needs attention."""

from bff_core.console.model import Severity
from bff_core.console.upstreams.policy_words import seconds, share
from bff_core.console.upstreams.report import ScreenNeed
from bff_core.upstream.state import (
    BreakerState,
    BudgetState,
    BulkheadState,
    CacheState,
    CoalesceState,
    CredentialState,
    EndpointState,
    HedgeState,
    UpstreamState,
)

Now = tuple[str, Severity]
"""The words of a layer, and its state."""

BUSY: float = 0.75
"""From this share of permits on, a bulkhead needs attention."""

NEARLY_OPEN: float = 0.5
"""From this share of the failures that open a circuit on, it needs attention."""

MINIMUM_CALLS = 10
"""How few calls say nothing about the failures of a service."""


def state_words(
    state: UpstreamState, needs: list[ScreenNeed], failure_ratio: float
) -> dict[str, Now]:
    """Return what each layer does now; layers that are off are left out."""
    found: dict[str, Now] = {"deadline": (_deadline(needs), "ok")}
    if state.cache is not None:
        found["cache"] = cache_words(state.cache), "ok"
    if state.coalesce is not None:
        found["coalesce"] = _coalesce(state.coalesce), "ok"
    if state.hedge is not None:
        found["hedge"] = _hedge(state.hedge), "ok"
    if state.budget is not None:
        found["retry"] = _budget(state.budget)
    if state.breaker is not None:
        found["breaker"] = _breaker(state.breaker, failure_ratio)
    if state.bulkhead is not None:
        found["bulkhead"] = _bulkhead(state.bulkhead)
    if state.credentials is not None:
        found["credentials"] = _credentials(state.credentials)
    found["balance"] = _balance(state)
    found["transport"] = _transport(state.endpoints)
    return found


def cache_words(cache: CacheState) -> str:
    """Return the ratios of a cache, since the gateway started."""
    lookups = cache.hits + cache.stale + cache.misses
    if not lookups:
        return "no lookups yet"
    return f"{share(cache.hits / lookups)} hits, {share(cache.stale / lookups)} stale"


def is_nearly_open(breaker: BreakerState, failure_ratio: float) -> bool:
    """Whether half of the failures happened that would open a closed circuit."""
    is_enough = breaker.calls >= MINIMUM_CALLS
    return is_enough and breaker.failed >= NEARLY_OPEN * failure_ratio * breaker.calls


def is_spent(budget: BudgetState) -> bool:
    """Whether retries were allowed and none is left."""
    return budget.size >= 1 and budget.left < 1


def _deadline(needs: list[ScreenNeed]) -> str:
    parts = [part for need in needs for part in need.parts if part.timeout is not None]
    if not parts:
        return ""
    shortest = min(parts, key=lambda part: part.timeout or 0.0)
    return f"part {shortest.part} gives it {seconds(shortest.timeout or 0.0)}"


def _coalesce(coalesce: CoalesceState) -> str:
    now = f", {coalesce.waiting} wait now" if coalesce.waiting else ""
    return f"{coalesce.joined:,} joined so far{now}"


def _hedge(hedge: HedgeState) -> str:
    delays = sorted(delay for delay in hedge.delays.values() if delay is not None)
    if not delays:
        return "too few calls to hedge"
    longest = "" if delays[0] == delays[-1] else f" to {delays[-1] * 1000:,.0f}"
    return f"after {delays[0] * 1000:,.0f}{longest} ms"


def _budget(budget: BudgetState) -> Now:
    if is_spent(budget):
        return "budget spent", "fallback"
    return f"{budget.left:.0f} of {budget.size:.0f} retries left", "ok"


def _breaker(breaker: BreakerState, failure_ratio: float) -> Now:
    if breaker.is_forced:
        return f"open by an operator, {breaker.retry_after:.0f} s more", "fallback"
    if breaker.state == "open":
        return f"open, probes in {breaker.retry_after:.0f} s", "failed"
    counts = f"{breaker.failed} of {breaker.calls} failed"
    if breaker.slow:
        counts += f", {breaker.slow} slow"
    if breaker.state == "half-open":
        return "half-open, probes decide", "fallback"
    state: Severity = "fallback" if is_nearly_open(breaker, failure_ratio) else "ok"
    return f"{counts}, closed" if breaker.calls else "closed", state


def _bulkhead(bulkhead: BulkheadState) -> Now:
    queued = f"{bulkhead.waiting} queued" if bulkhead.waiting else "none queued"
    limit = f" of {bulkhead.limit}" if bulkhead.is_adaptive else ""
    probing = ", probing" if bulkhead.is_probing else ""
    is_busy = bulkhead.waiting > 0 or bulkhead.in_use >= BUSY * bulkhead.limit
    return f"{bulkhead.in_use}{limit} taken, {queued}{probing}", "fallback" if is_busy else "ok"


def _credentials(credentials: CredentialState) -> Now:
    if credentials.failure:
        return f"no token: {credentials.failure}", "failed"
    if credentials.expires_in is not None:
        return f"token for {credentials.expires_in:.0f} s", "ok"
    return (f"{credentials.tokens} tokens" if credentials.tokens else ""), "ok"


def _balance(state: UpstreamState) -> Now:
    endpoints = state.endpoints
    ejected = [one for one in endpoints if one.is_ejected]
    down = [one for one in endpoints if one.health == "down"]
    if state.is_panicking:
        return "too many are ejected or down: all are used", "failed"
    if down and not ejected:
        more = f" and {len(down) - 1} more" if len(down) > 1 else ""
        return f"{down[0].name} is down by its health check{more}", "fallback"
    if not ejected:
        count = len(endpoints)
        return f"{count} endpoints" if count != 1 else endpoints[0].name, "ok"
    first = ejected[0]
    why = " by an operator" if first.is_forced else ""
    more = f" and {len(ejected) - 1} more" if len(ejected) > 1 else ""
    return f"{first.name} ejected{why} for {first.ejected_for:.0f} s{more}", "fallback"


def _transport(endpoints: list[EndpointState]) -> Now:
    idle, active, waiting = (
        sum(getattr(one, name) for one in endpoints) for name in ("idle", "active", "waiting")
    )
    queue = f", {waiting} waiting" if waiting else ""
    return f"{idle} idle, {active} in use{queue}", "fallback" if waiting else "ok"
