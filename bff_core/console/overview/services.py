"""The figures of gateways and services, and the traffic between them."""

from collections.abc import Collection, Iterable, Sequence
from typing import Final

from bff_core.console.metrics.window import (
    GatewayWindow,
    answers_in,
    calls_in,
    course,
    points_of,
)
from bff_core.console.model import (
    GatewayFigures,
    MapEdge,
    ScreenFigures,
    UpstreamFigures,
    ViewState,
)
from bff_core.console.model.states import SEVERITIES
from bff_core.observe.metrics.histogram import quantile
from bff_core.observe.metrics.samples import CallStep, WindowStep, added_calls
from bff_core.observe.metrics.steps import number_of

FAILED_SHARE: Final = 0.1
"""A service has failed if at least this share of its calls has."""

DEGRADED_SHARE: Final = 0.01

CALLS_SECONDS: Final = 60.0
"""Calls before this time say nothing about a service now."""

CAUSE_SHARE: Final = 0.1
"""A service is a cause if it spoilt at least this share of a screen's bad answers."""


def gateways_of(
    windows: Sequence[GatewayWindow], screens: Sequence[ScreenFigures]
) -> list[GatewayFigures]:
    """Return the figures of gateways; one is as well as the worst of its screens."""
    return [_gateway(one, [s for s in screens if s.gateway == one.gateway]) for one in windows]


def _gateway(window: GatewayWindow, screens: Sequence[ScreenFigures]) -> GatewayFigures:
    recent = window.recent()
    answers = answers_in(recent)
    state: ViewState = max((one.state for one in screens), key=SEVERITIES.index, default="quiet")
    if state == "failed" and any(one.state not in {"failed", "quiet"} for one in screens):
        state = "fallback"
    if state == "quiet" and answers.answers:
        state = "ok"
    return GatewayFigures(
        gateway=window.gateway,
        rate=answers.answers / window.seconds,
        complete=answers.complete / answers.answers if answers.answers else None,
        lag=window.lag,
        refused=sum(step.refused for step in recent) / window.seconds,
        state=state if window.is_running else "failed",
    )


def upstreams_of(
    windows: Sequence[GatewayWindow],
    stopped: Collection[str] = (),
    screens: Iterable[ScreenFigures] = (),
) -> list[UpstreamFigures]:
    """Return the figures of services over all gateways, in the order of their names.

    `stopped` are those whose processes do not run. The state of a service is that of its calls in
    the last minute; without any, its last calls count while `screens` suffer from them.
    """
    spoiling = {
        blame.upstream for one in screens if one.state not in {"ok", "quiet"} for blame in one.blame
    }
    names = dict.fromkeys(name for one in windows for name in one.upstreams)
    for one in windows:
        names.update(dict.fromkeys(name for step in one.steps.values() for name in step.calls))
    points = points_of(windows)
    found = []
    for name in sorted(names):
        figures, state = _upstream(name, windows, points, lasts=name in spoiling)
        figures.is_stopped = name in stopped
        is_open = any(one.breakers.get(name) == "open" for one in windows)
        figures.state = "failed" if is_open or figures.is_stopped else state
        found.append(figures)
    return found


def _upstream(
    name: str,
    windows: Sequence[GatewayWindow],
    points: Sequence[Sequence[WindowStep]],
    *,
    lasts: bool,
) -> tuple[UpstreamFigures, ViewState]:
    total, newest, rate = CallStep(), CallStep(), 0.0
    for one in windows:
        own = calls_in(one.recent(), name)
        total, rate = added_calls(total, own), rate + own.calls / one.seconds
        last = one.newest(lambda step: step.calls.get(name, CallStep()).calls > 0)
        first = 0 if lasts else number_of(one.time - CALLS_SECONDS)
        newest = added_calls(newest, calls_in((s for s in last if s.number > first), name))

    def late(steps: Sequence[WindowStep]) -> float | None:
        return quantile(calls_in(steps, name).buckets, 0.95)

    figures = UpstreamFigures(
        upstream=name,
        rate=rate,
        errors=total.errors / total.calls if total.calls else None,
        p50=quantile(total.buckets, 0.5),
        p95=quantile(total.buckets, 0.95),
        p99=quantile(total.buckets, 0.99),
        course=course(points, late),
        failing=newest.errors / newest.calls if newest.calls else None,
    )
    return figures, _state_of(newest)


def _state_of(calls: CallStep) -> ViewState:
    if not calls.calls:
        return "ok" if calls.saved else "quiet"
    errors = calls.errors / calls.calls
    if errors < DEGRADED_SHARE:
        return "ok"
    return "failed" if errors >= FAILED_SHARE else "fallback"


def edges_of(windows: Sequence[GatewayWindow], screens: Sequence[ScreenFigures]) -> list[MapEdge]:
    """Return the traffic from screens to gateways, then from gateways to services."""
    edges = [
        MapEdge(
            source=f"{one.gateway}/{one.route}",
            target=one.gateway,
            rate=one.rate,
            errors=0.0 if one.complete is None else 1.0 - one.complete,
            is_cause=one.state not in {"ok", "quiet"} or bool(one.down),
        )
        for one in screens
    ]
    for window in windows:
        recent, causes = window.recent(), _causes(window.gateway, screens)
        for name in sorted({*window.upstreams, *(n for s in recent for n in s.calls)}):
            calls = calls_in(recent, name)
            edges.append(
                MapEdge(
                    source=window.gateway,
                    target=name,
                    rate=calls.calls / window.seconds,
                    errors=calls.errors / calls.calls if calls.calls else 0.0,
                    is_cause=name in causes,
                )
            )
    return edges


def _causes(gateway: str, screens: Sequence[ScreenFigures]) -> set[str]:
    """Return the services that spoil screens of a gateway, and those that are down for them."""
    own = [one for one in screens if one.gateway == gateway]
    spoilt = {
        blame.upstream
        for one in own
        if one.state not in {"ok", "quiet"}
        for blame in one.blame
        if blame.upstream and blame.share >= CAUSE_SHARE
    }
    return spoilt | {down.upstream for one in own for down in one.down}
