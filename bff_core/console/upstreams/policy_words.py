"""The policy of each layer in words, and where it comes from."""

from collections.abc import Sequence
from typing import Final, Literal

from bff_core.inspection.policy_sources import EffectiveOption, options_in_effect
from bff_core.policy.upstream.breaker import Breaker
from bff_core.policy.upstream.bulkhead import Bulkhead
from bff_core.policy.upstream.cache import Cache
from bff_core.policy.upstream.connection import Connection
from bff_core.policy.upstream.hedge import Hedge
from bff_core.policy.upstream.policy import Policy
from bff_core.policy.upstream.retry import Retry

Source = Literal["code", "file", "default", ""]

OFF: Final = "off"

OPTIONS: Final = {
    "deadline": ("timeout",),
    "redirect": ("redirects",),
    "cache": ("cache",),
    "coalesce": ("coalesce", "public", "per_tenant"),
    "hedge": ("hedge",),
    "retry": ("retry",),
    "breaker": ("breaker",),
    "bulkhead": ("bulkhead",),
    "credentials": ("credentials",),
    "attempt": ("attempt_timeout",),
    "balance": ("balance", "health", "affinity"),
    "transport": ("connection",),
}
"""The options of each layer, in the order of the stack; those below them belong to it as well."""


def policy_words(policy: Policy, credentials: str = "") -> dict[str, str]:
    """Return the policy of each layer in words, in the order of the stack.

    `credentials` are those of the calls in words: they are named by what sends them.
    """
    is_cut = policy.attempt_timeout < policy.timeout
    return {
        "deadline": seconds(policy.timeout),
        "redirect": f"follows {policy.redirects} in its origin" if policy.redirects else OFF,
        "cache": _cache(policy.cache),
        "coalesce": _coalesce(policy),
        "hedge": _hedge(policy.hedge),
        "retry": _retry(policy.retry),
        "breaker": _breaker(policy.breaker),
        "bulkhead": _bulkhead(policy.bulkhead),
        "credentials": credentials or OFF,
        "attempt": f"{seconds(policy.attempt_timeout)} each" if is_cut else OFF,
        "balance": _balance(policy),
        "transport": _transport(policy.connection),
    }


def policy_sources(declared: Policy, effective: Policy) -> dict[str, Source]:
    """Return where the policy of each layer is from: a file if one option of it is."""
    options = options_in_effect(declared, effective)
    return {layer: _source(options, names) for layer, names in OPTIONS.items()}


def seconds(value: float) -> str:
    """Return a duration in words."""
    return f"{value:,g} s"


def share(value: float) -> str:
    """Return a share in words."""
    return f"{value * 100:.0f} %"


def _source(options: Sequence[EffectiveOption], names: Sequence[str]) -> Source:
    found = {
        one.source
        for one in options
        if one.path in names or one.path.startswith(tuple(f"{name}." for name in names))
    }
    return "file" if "file" in found else "code" if "code" in found else "default"


def _cache(cache: Cache | None) -> str:
    if cache is None:
        return OFF
    fresh = "fresh as the service says" if cache.ttl is None else f"fresh {seconds(cache.ttl)}"
    stale = [] if cache.stale is None else [f"stale {seconds(cache.stale)}"]
    error = [] if cache.error is None else [f"error {seconds(cache.error)}"]
    return ", ".join([fresh, *stale, *error])


def _coalesce(policy: Policy) -> str:
    if not policy.coalesce:
        return OFF
    viewers = "all viewers" if policy.public else "a tenant" if policy.per_tenant else "a viewer"
    return f"equal reads of {viewers}, one call"


def _hedge(hedge: Hedge | None) -> str:
    if hedge is None:
        return OFF
    return (
        f"after {share(hedge.quantile)} of calls, {hedge.delay_min:g} to {seconds(hedge.delay_max)}"
    )


def _retry(retry: Retry | None) -> str:
    if retry is None or retry.attempts == 1:
        return OFF
    return f"{retry.attempts} attempts, {share(retry.budget_ratio)} of calls + {retry.budget_min}"


def _breaker(breaker: Breaker | None) -> str:
    if breaker is None:
        return OFF
    slow = "" if breaker.slow_call is None else f", slow from {seconds(breaker.slow_call)}"
    return (
        f"opens at {share(breaker.failure_ratio)} of {breaker.minimum_calls} or more in"
        f" {seconds(breaker.window)}{slow}"
    )


def _bulkhead(bulkhead: Bulkhead | None) -> str:
    if bulkhead is None:
        return OFF
    permits = f"{bulkhead.concurrent} permits"
    if bulkhead.adaptive is not None:
        permits = f"{bulkhead.adaptive.least} to {permits}, adaptive"
    return f"{permits}, queue {bulkhead.queue}"


def _balance(policy: Policy) -> str:
    balance, health, affinity = policy.balance, policy.health, policy.affinity
    how = "less busy of two" if balance.algorithm == "power-of-two" else balance.algorithm
    by = f" by {balance.hash_by}" if balance.algorithm == "hash" else ""
    failures = balance.ejection_failures
    ejects = f"ejects after {failures} failures for {seconds(balance.eject_for)}"
    probes = [] if health is None else [f"probes {health.path} each {seconds(health.interval)}"]
    sticky = [] if affinity is None else [f"affinity by {affinity.by}"]
    return ", ".join([how + by, ejects, *probes, *sticky])


def _transport(connection: Connection) -> str:
    unverified = [] if connection.verify else ["certificates are not verified"]
    return ", ".join(["HTTP/1.1", f"{connection.max_connections} connections", *unverified])
