"""What metrics know of the calls of services and of the views that need them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from bff_core.console.console import Console
from bff_core.console.metrics.window import GatewayWindow, calls_in, course, points_of
from bff_core.console.model import Bucket, ScreenFigures, UpstreamFigures
from bff_core.console.overview.screens import screens_of
from bff_core.console.overview.services import upstreams_of
from bff_core.observe.metrics.histogram import BOUNDS
from bff_core.observe.metrics.samples import CallStep, WindowStep
from bff_core.observe.metrics.steps import number_of

HISTOGRAM_SECONDS: Final = 300.0
"""The time that a histogram covers."""

ViewKey = tuple[str, str, str]
"""A gateway, a screen and a route."""


@dataclass(frozen=True, slots=True)
class UpstreamSamples:
    """The figures of one service, its histogram, and the course of the share that failed."""

    figures: UpstreamFigures
    buckets: list[Bucket]
    failures: list[float | None]

    def buckets_to(self, seconds: float) -> list[Bucket]:
        """Return the buckets with empty ones up to a duration, so that a chart shows how far it is.

        Without calls there are none.
        """
        last = self.buckets[-1].upper if self.buckets else BOUNDS[-1]
        more = [one for one in BOUNDS if last < one < seconds]
        more += [one for one in BOUNDS if one >= max(seconds, last)][:1] if last < seconds else []
        return [*self.buckets, *(Bucket(upper=one, calls=0) for one in more)]

    def slower_than(self, seconds: float) -> float:
        """Return the share of calls that took longer."""
        calls = sum(one.calls for one in self.buckets)
        slow = sum(one.calls for one in self.buckets if one.upper > seconds)
        return slow / calls if calls else 0.0


@dataclass(frozen=True, slots=True)
class Measured:
    """What metrics know: of services by name, and of views."""

    upstreams: Mapping[str, UpstreamSamples] = field(default_factory=dict)
    views: Mapping[ViewKey, ScreenFigures] = field(default_factory=dict)


async def measured_by(console: Console, gateways: Sequence[str]) -> Measured:
    """Return what the metrics of gateways know; nothing where they are off."""
    windows = [one for one in await console.metrics.windows() if one.gateway in gateways]
    if not windows:
        return Measured()
    views = (view for one in windows for view in screens_of(one))
    return Measured(
        {one.upstream: _samples(one, windows) for one in upstreams_of(windows) if one.upstream},
        {(one.gateway, one.screen, one.route): one for one in views},
    )


def _samples(figures: UpstreamFigures, windows: Sequence[GatewayWindow]) -> UpstreamSamples:
    name = figures.upstream
    first = number_of(windows[0].time - HISTOGRAM_SECONDS)
    recent = [step for one in windows for number, step in one.steps.items() if number > first]

    def errors(steps: Sequence[WindowStep]) -> float | None:
        calls = calls_in(steps, name)
        return calls.errors / calls.calls if calls.calls else None

    return UpstreamSamples(
        figures, _buckets(calls_in(recent, name)), course(points_of(windows), errors)
    )


def _buckets(calls: CallStep) -> list[Bucket]:
    """Return the buckets from the first to the last with a call; the longest is open above."""
    if not calls.buckets:
        return []
    places = range(min(calls.buckets), max(calls.buckets) + 1)
    return [
        Bucket(upper=BOUNDS[min(place, len(BOUNDS) - 1)], calls=calls.buckets.get(place, 0))
        for place in places
    ]
