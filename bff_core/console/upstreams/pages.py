"""Builds the page of services, and that of one service."""

import asyncio
from collections.abc import Iterable, Sequence

from bff_core.console.answers import ConsoleProblem
from bff_core.console.app import Console
from bff_core.console.model import (
    ProcessLayers,
    ScreenFigures,
    TimeoutLine,
    UpstreamDetail,
    UpstreamList,
)
from bff_core.console.upstreams.actions import actions_of
from bff_core.console.upstreams.headlines import headline_of, headline_of_all
from bff_core.console.upstreams.merging import SEVERITIES, InProcess, by_upstream, row_of, worst
from bff_core.console.upstreams.report import STATE, ProcessReport
from bff_core.console.upstreams.samples import Measured, measured_by


async def reports_of(console: Console, gateway: str) -> list[ProcessReport]:
    """Return what the processes of one gateway report, or of all if it is empty."""
    answers = await console.sources.send_each(console.sources.selected(gateway), STATE)
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
    reports, measured = await asyncio.gather(
        reports_of(console, gateway), measured_by(console, console.sources.selected(gateway))
    )
    upstreams, samples = by_upstream(reports), measured.upstreams
    headlines = {
        name: headline_of(name, processes, samples.get(name))
        for name, processes in upstreams.items()
    }
    return UpstreamList(
        headline=headline_of_all(headlines),
        rows=[
            row_of(name, processes, samples.get(name), headlines[name].state)
            for name, processes in upstreams.items()
        ],
    )


async def upstream_detail(console: Console, name: str, gateway: str) -> UpstreamDetail:
    """Return the page of one service."""
    processes, measured = await asyncio.gather(
        processes_of(console, name, gateway),
        measured_by(console, console.sources.selected(gateway)),
    )
    samples = measured.upstreams.get(name)
    headline = headline_of(name, processes, samples)
    shown = max(processes, key=_severity)
    return UpstreamDetail(
        upstream=name,
        gateway=shown.gateway,
        headline=headline,
        layers=shown.report.layers,
        buckets=[] if samples is None else samples.buckets,
        timeouts=_timeouts(processes),
        failures=[] if samples is None else samples.failures,
        opens_at=shown.report.failure_ratio or None,
        actions=actions_of(processes),
        screens=list(_screens(processes, measured)),
        row=row_of(name, processes, samples, headline.state),
        processes=[
            ProcessLayers(gateway=one.gateway, pid=one.pid, layers=one.report.layers)
            for one in processes
        ],
    )


def _severity(process: InProcess) -> int:
    return SEVERITIES.index(worst(layer.state for layer in process.report.layers))


def _timeouts(processes: Sequence[InProcess]) -> list[TimeoutLine]:
    """Return the timeouts that apply to calls, each once, the shortest first."""
    found = {
        (f"part {part.part}", part.timeout)
        for one in processes
        for need in one.report.needs
        for part in need.parts
        if part.timeout is not None
    }
    for one in processes:
        report = one.report
        if report.attempt_timeout < report.timeout:
            found.add(("an attempt", report.attempt_timeout))
        found.add(("the call", report.timeout))
    lines = sorted(found, key=lambda one: (one[1], one[0]))
    return [TimeoutLine(label=label, seconds=seconds) for label, seconds in lines]


def _screens(processes: Sequence[InProcess], measured: Measured) -> Iterable[ScreenFigures]:
    """Yield the views that need a service, with their figures where these are known."""
    views = dict.fromkeys(
        (one.gateway, need.screen, route)
        for one in processes
        for need in one.report.needs
        for route in need.routes
    )
    return (measured.views.get(view) or _unknown(*view) for view in views)


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
