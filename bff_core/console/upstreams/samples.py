"""What metrics know of the calls of services: rates, latencies, histograms."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Final

import msgspec

from bff_core.console.app import Console
from bff_core.console.model import Bucket, UpstreamFigures
from bff_core.observe.metrics.histogram import BOUNDS, quantile
from bff_core.observe.metrics.samples import CallStep, Samples, SamplesQuery, added_calls
from bff_core.observe.metrics.steps import STEP_SECONDS, number_of

SAMPLES: Final = "metrics.samples"
"""The command of metrics."""

WINDOW_SECONDS: Final = 300.0

COURSE_STEPS: Final = 6
"""How many steps one point of a course covers: half a minute."""


@dataclass(frozen=True, slots=True)
class UpstreamSamples:
    """The figures of one service, its histogram, and the course of the share that failed."""

    figures: UpstreamFigures
    buckets: list[Bucket]
    failures: list[float | None]

    def slower_than(self, seconds: float) -> float:
        """Return the share of calls that took longer."""
        calls = sum(one.calls for one in self.buckets)
        slow = sum(one.calls for one in self.buckets if one.upper > seconds)
        return slow / calls if calls else 0.0


async def samples_of(console: Console, gateways: Sequence[str]) -> Mapping[str, UpstreamSamples]:
    """Return what metrics know of each service in the window; nothing where they are off."""
    now = console.wall()
    first = number_of(now - WINDOW_SECONDS) + 1
    query = msgspec.json.encode(SamplesQuery(since=first, has_totals=False))
    every: list[Samples] = []
    for gateway in gateways:
        answers = await console.sources.send_all(gateway, SAMPLES, query)
        every += answers.decoded(Samples)
    steps: dict[str, dict[int, CallStep]] = {}
    for samples in every:
        for step in samples.steps:
            for upstream, calls in step.calls.items():
                known = steps.setdefault(upstream, {})
                known[step.number] = added_calls(known.get(step.number, CallStep()), calls)
    started = min((one.started for one in every), default=now)
    seconds = min(WINDOW_SECONDS, max(STEP_SECONDS, now - started))
    last = number_of(now)
    return {name: _samples(name, known, (first, last), seconds) for name, known in steps.items()}


def _samples(
    name: str, steps: Mapping[int, CallStep], numbers: tuple[int, int], seconds: float
) -> UpstreamSamples:
    """Return the samples of a service from its steps in a window of `seconds`."""
    total = _sum(steps.values())
    points = [
        _sum(steps.get(number, CallStep()) for number in range(start, start + COURSE_STEPS))
        for start in range(numbers[0], numbers[1] + 1, COURSE_STEPS)
    ]
    p50, p95, p99 = (quantile(total.buckets, share) for share in (0.5, 0.95, 0.99))
    figures = UpstreamFigures(
        upstream=name,
        rate=total.calls / seconds,
        errors=_errors(total),
        p50=p50,
        p95=p95,
        p99=p99,
        course=[quantile(one.buckets, 0.95) for one in points],
    )
    return UpstreamSamples(figures, _buckets(total), [_errors(one) for one in points])


def _sum(steps: Iterable[CallStep]) -> CallStep:
    return reduce(added_calls, steps, CallStep())


def _errors(calls: CallStep) -> float | None:
    return calls.errors / calls.calls if calls.calls else None


def _buckets(calls: CallStep) -> list[Bucket]:
    """Return the buckets from the first to the last with a call; the longest is open above."""
    if not calls.buckets:
        return []
    places = range(min(calls.buckets), max(calls.buckets) + 1)
    return [
        Bucket(upper=BOUNDS[min(place, len(BOUNDS) - 1)], calls=calls.buckets.get(place, 0))
        for place in places
    ]
