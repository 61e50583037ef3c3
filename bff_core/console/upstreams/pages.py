"""Builds the page of services, and that of one service."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Final

from bff_core.console.answers import ConsoleProblem
from bff_core.console.console import Console
from bff_core.console.model import (
    ProcessLayers,
    ScreenFigures,
    TimeoutLine,
    UpstreamDetail,
    UpstreamList,
)
from bff_core.console.model.states import SEVERITIES
from bff_core.console.overview.down import stopped_services
from bff_core.console.upstreams.actions import actions_of
from bff_core.console.upstreams.headlines import upstream_headline, upstreams_headline
from bff_core.console.upstreams.merging import InProcess, by_upstream, row_of, worst
from bff_core.console.upstreams.report import STATE_COMMAND, ProcessReport
from bff_core.console.upstreams.samples import Measured, measured_by

MAX_NAMED: Final = 2
"""What one timeout applies to is named up to this number."""


async def reports_of(console: Console, gateway: str) -> list[ProcessReport]:
    """Return what the processes of one gateway report, or of all if it is empty."""
    answers = await console.sources.send_each(console.sources.selected(gateway), STATE_COMMAND)
    return [report for one in answers.values() for report in one.decoded(ProcessReport)]


async def processes_of(console: Console, name: str, gateway: str) -> list[InProcess]:
    """Return the processes that call a service; raises a `ConsoleProblem` (404) without any."""
    upstreams = by_upstream(await reports_of(console, gateway))
    if name not in upstreams:
        known = ", ".join(upstreams) or "none, since no gateway answers"
        raise ConsoleProblem(404, f"No service is called {name}", f"There are: {known}.")
    return upstreams[name]


async def upstream_list(console: Console, gateway: str) -> UpstreamList:
    """Return the page of all services."""
    names = console.sources.selected(gateway)
    reports, measured = await asyncio.gather(
        reports_of(console, gateway), measured_by(console, names)
    )
    upstreams, samples = by_upstream(reports), measured.upstreams
    stopped = stopped_services(console.processes())
    headlines = {
        name: upstream_headline(name, processes, samples.get(name), stopped)
        for name, processes in upstreams.items()
    }
    return UpstreamList(
        headline=upstreams_headline(headlines),
        rows=[
            row_of(
                name,
                processes,
                samples.get(name),
                headlines[name].state,
                is_stopped=name in stopped,
            )
            for name, processes in upstreams.items()
        ],
    )


async def upstream_detail(console: Console, name: str, gateway: str) -> UpstreamDetail:
    """Return the page of one service."""
    names = console.sources.selected(gateway)
    processes, measured = await asyncio.gather(
        processes_of(console, name, gateway), measured_by(console, names)
    )
    samples = measured.upstreams.get(name)
    stopped = stopped_services(console.processes())
    headline = upstream_headline(name, processes, samples, stopped)
    shown, timeouts = max(processes, key=_rank), _timeouts(processes)
    return UpstreamDetail(
        upstream=name,
        gateway=shown.gateway,
        pid=shown.pid,
        headline=headline,
        layers=shown.report.layers,
        buckets=[] if samples is None else samples.buckets_to(timeouts[0].seconds),
        timeouts=timeouts,
        failures=[] if samples is None else samples.failures,
        opens_at=shown.report.failure_ratio or None,
        actions=actions_of(processes),
        screens=list(_screens(processes, measured)),
        row=row_of(name, processes, samples, headline.state, is_stopped=name in stopped),
        processes=[
            ProcessLayers(gateway=one.gateway, pid=one.pid, layers=one.report.layers)
            for one in processes
        ],
    )


def _rank(process: InProcess) -> tuple[int, int]:
    """Return how bad the layers of a process are, and how much they have done."""
    cache, breaker = process.report.state.cache, process.report.state.breaker
    calls = 0 if cache is None else cache.hits + cache.stale + cache.misses
    calls += 0 if breaker is None else breaker.calls
    return SEVERITIES.index(worst(layer.state for layer in process.report.layers)), calls


def _timeouts(processes: Sequence[InProcess]) -> list[TimeoutLine]:
    """Return the timeouts that apply to calls, the shortest first; equal ones are one line."""
    found = {
        (part.timeout, f"part {part.part}")
        for one in processes
        for need in one.report.needs
        for part in need.parts
        if part.timeout is not None
    }
    for one in processes:
        report = one.report
        if report.attempt_timeout < report.timeout:
            found.add((report.attempt_timeout, "an attempt"))
        found.add((report.timeout, "the call"))
    labels: dict[float, list[str]] = {}
    for seconds, label in sorted(found):
        labels.setdefault(seconds, []).append(label)
    return [TimeoutLine(label=_short(names), seconds=one) for one, names in labels.items()]


def _short(labels: Sequence[str]) -> str:
    """Return what a timeout applies to: at most two, and how many more."""
    more = f" and {len(labels) - MAX_NAMED} more" if len(labels) > MAX_NAMED else ""
    return ", ".join(labels[:MAX_NAMED]) + more


def _screens(processes: Sequence[InProcess], measured: Measured) -> Iterable[ScreenFigures]:
    """Yield the views that need a service, with their figures; those without requests last."""
    views = dict.fromkeys(
        (one.gateway, need.screen, route)
        for one in processes
        for need in one.report.needs
        for route in need.routes
    )
    found = (measured.views.get(view) or _unknown(*view) for view in views)
    return sorted(map(_judged, found), key=lambda one: one.complete is None)


def _judged(view: ScreenFigures) -> ScreenFigures:
    """Return a view whose state is that it is not known if nothing requested it."""
    if view.complete is None and view.state == "ok":
        view.state = "missing"
    return view


def _unknown(gateway: str, screen: str, route: str) -> ScreenFigures:
    return ScreenFigures(
        gateway=gateway,
        screen=screen,
        route=route,
        rate=0.0,
        complete=None,
        errors=None,
        p50=None,
        p95=None,
    )
