"""Merges what the processes of gateways report about one service."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from bff_core.console.model import EndpointRow, Severity, UpstreamFigures, UpstreamRow
from bff_core.console.model.states import SEVERITIES
from bff_core.console.upstreams.report import ProcessReport, UpstreamReport
from bff_core.console.upstreams.samples import UpstreamSamples
from bff_core.console.upstreams.state_words import is_spent
from bff_core.upstream.state import EndpointState

BreakerWord = Literal["closed", "open", "half-open", "off"]

BREAKERS: Final[Sequence[BreakerWord]] = ("off", "closed", "half-open", "open")
"""The states of circuits; one service is in the last of those of its processes."""

SLOW_RATIO: Final = 5.0
UNEVEN_SECONDS: Final = 0.1
"""An endpoint is slow whose p95 is this many times that of the fastest one, and this long."""


@dataclass(frozen=True, slots=True)
class InProcess:
    """A service in one process of a gateway."""

    gateway: str
    pid: int
    report: UpstreamReport


def by_upstream(reports: Iterable[ProcessReport]) -> dict[str, list[InProcess]]:
    """Return the processes that call each service, by the name of the service."""
    found: dict[str, list[InProcess]] = {}
    for one in reports:
        for upstream in one.upstreams:
            process = InProcess(one.gateway, one.pid, upstream)
            found.setdefault(upstream.upstream, []).append(process)
    return dict(sorted(found.items()))


def worst(states: Iterable[Severity]) -> Severity:
    """Return the worst of some states."""
    return max(states, key=SEVERITIES.index, default="ok")


def row_of(
    name: str,
    processes: Sequence[InProcess],
    samples: UpstreamSamples | None,
    state: Severity,
    *,
    is_stopped: bool,
) -> UpstreamRow:
    """Return the line of a service in the table; `state` is that of its sentence."""
    states = [one.report.state for one in processes]
    breakers = [one.breaker for one in states if one.breaker is not None]
    bulkheads = [one.bulkhead for one in states if one.bulkhead is not None]
    words = (_word(one.state) for one in breakers)
    figures = _figures(name, processes) if samples is None else samples.figures
    figures.state, figures.is_stopped = state, is_stopped
    return UpstreamRow(
        figures=figures,
        breaker=max(words, key=BREAKERS.index, default="off"),
        failed=sum(one.failed for one in breakers),
        window=sum(one.calls for one in breakers),
        in_use=sum(one.in_use for one in bulkheads),
        permits=sum(one.limit for one in bulkheads) if bulkheads else None,
        retry_budget=_budget(processes),
        cache=_hits(processes),
        endpoints=endpoints_of(processes),
        is_forced=any(one.is_forced for one in breakers),
    )


def endpoints_of(processes: Sequence[InProcess]) -> list[EndpointRow]:
    """Return the endpoints of a service, each in its worst state."""
    latencies = latencies_of(processes)
    fastest = min(latencies.values(), default=0.0)
    return [
        EndpointRow(
            address=one.name,
            state=_endpoint_state(one, latencies.get(one.name, 0.0), fastest),
            p95=latencies.get(one.name),
            is_ejected=one.is_ejected,
        )
        for one in merged_endpoints(processes)
    ]


def latencies_of(processes: Sequence[InProcess]) -> dict[str, float]:
    """Return the p95 of endpoints in the process where it is longest, in seconds."""
    found: dict[str, float] = {}
    for process in processes:
        for endpoint, p95 in process.report.latencies.items():
            found[endpoint] = max(p95, found.get(endpoint, 0.0))
    return found


def _endpoint_state(endpoint: EndpointState, p95: float, fastest: float) -> Severity:
    if endpoint.is_ejected or endpoint.health == "down":
        return "missing"
    is_slow = p95 >= UNEVEN_SECONDS and p95 >= SLOW_RATIO * fastest > 0
    return "fallback" if endpoint.failures or is_slow else "ok"


HEALTHS: Final = ("down", "unknown", "up", "")
"""The outcomes of health checks, the worst first."""


def merged_endpoints(processes: Sequence[InProcess]) -> list[EndpointState]:
    """Return the endpoints over all processes: ejected if one process ejected it."""
    found: dict[str, EndpointState] = {}
    for process in processes:
        for one in process.report.state.endpoints:
            known = found.get(one.name)
            found[one.name] = one if known is None else _merged(known, one)
    return sorted(found.values(), key=lambda one: one.name)


def _merged(one: EndpointState, other: EndpointState) -> EndpointState:
    return EndpointState(
        one.name,
        one.in_flight + other.in_flight,
        max(one.failures, other.failures),
        one.idle + other.idle,
        one.active + other.active,
        one.waiting + other.waiting,
        is_ejected=one.is_ejected or other.is_ejected,
        ejected_for=max(one.ejected_for, other.ejected_for),
        is_forced=one.is_forced or other.is_forced,
        may_eject=one.may_eject or other.may_eject,
        weight=one.weight,
        priority=one.priority,
        zone=one.zone,
        health=min(one.health, other.health, key=HEALTHS.index),
        share=min(one.share, other.share),
    )


def _word(state: str) -> BreakerWord:
    return next((one for one in BREAKERS if one == state), "off")


def _budget(processes: Sequence[InProcess]) -> float | None:
    """Return the used share of the retry budget, in the process where it is largest."""
    budgets = [one.report.state.budget for one in processes]
    used = [
        1.0 if is_spent(one) else 1 - one.left / one.size
        for one in budgets
        if one is not None and one.size
    ]
    return min(1.0, max(used)) if used else None


def _hits(processes: Sequence[InProcess]) -> float | None:
    caches = [one for process in processes if (one := process.report.state.cache) is not None]
    lookups = sum(one.hits + one.stale + one.misses for one in caches)
    if not caches:
        return None
    return sum(one.hits + one.stale for one in caches) / lookups if lookups else 0.0


def _figures(name: str, processes: Sequence[InProcess]) -> UpstreamFigures:
    """Return the figures that breakers know, which count calls of the last seconds only."""
    calls, failed, rate = 0, 0, 0.0
    for one in processes:
        breaker = one.report.state.breaker
        if breaker is not None:
            calls, failed = calls + breaker.calls, failed + breaker.failed
            rate += breaker.calls / one.report.window
    errors = failed / calls if calls else None
    return UpstreamFigures(upstream=name, rate=rate, errors=errors, p50=None, p95=None, p99=None)
