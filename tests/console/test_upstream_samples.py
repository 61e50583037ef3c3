"""Figures of services from what metrics have counted, merged over processes."""

import msgspec
import pytest

from bff_core.console.sources import GatewaySource
from bff_core.console.upstreams.samples import SAMPLES, samples_of
from bff_core.observe.metrics.histogram import BOUNDS
from bff_core.observe.metrics.samples import CallStep, Samples, SamplesQuery, Totals, WindowStep
from bff_core.observe.metrics.steps import number_of

NOW = 1_800_000_000.0
FAST, SLOW = 8, 24
"""Buckets of about 10 ms and 1 s."""


def gateway(name, *steps, started=NOW - 600):
    """Return a gateway whose metrics have these steps."""

    async def samples(body):
        since = msgspec.json.decode(body, type=SamplesQuery).since
        found = [one for one in steps if one.number >= since]
        return msgspec.json.encode(
            Samples(name, 1, started, NOW, Totals(), gauges={}, views={}, steps=found)
        )

    return GatewaySource(name=name, commands={SAMPLES: samples})


def step(seconds_ago, calls, errors, buckets):
    """Return a step with calls of reviews."""
    counted = CallStep(calls, errors, buckets=buckets)
    return WindowStep(number_of(NOW - seconds_ago), calls={"reviews": counted})


async def read(pages, *sources):
    """Return what metrics know."""
    console = pages.console(sources)
    console.wall = lambda: NOW
    return await samples_of(console, console.sources.names)


async def test_calls_of_all_gateways_are_added(pages):
    """Rates and percentiles are those of the last five minutes, over all gateways."""
    web = gateway("web", step(10, 60, 6, {FAST: 60}), step(400, 1000, 1000, {SLOW: 1000}))
    mobile = gateway("mobile", step(10, 60, 0, {FAST: 54, SLOW: 6}))

    found = (await read(pages, web, mobile))["reviews"]

    assert found.figures.rate == pytest.approx(120 / 300)
    assert found.figures.errors == 0.05
    assert found.figures.p50 == pytest.approx(0.009, abs=0.002)
    assert found.figures.p95 == pytest.approx(0.01, rel=0.4)
    assert found.figures.p99 > 0.5
    assert sum(one.calls for one in found.buckets) == 120
    assert found.slower_than(0.6) == 0.05


async def test_the_course_of_failures_has_a_point_for_each_half_minute(pages):
    """Times without calls are unknown, not good."""
    source = gateway("web", step(100, 10, 5, {FAST: 10}), step(1, 10, 0, {FAST: 10}))

    found = (await read(pages, source))["reviews"]

    assert len(found.failures) == 10
    assert [one for one in found.failures if one is not None] == [0.5, 0.0]
    assert found.failures[-1] == 0.0


async def test_the_rate_of_a_young_gateway_counts_from_its_start(pages):
    """Half a minute after the start, thirty calls are one a second."""
    source = gateway("web", step(5, 30, 0, {FAST: 30}), started=NOW - 30)

    assert (await read(pages, source))["reviews"].figures.rate == pytest.approx(1.0)


async def test_without_metrics_nothing_is_known(pages):
    """A gateway that does not count has no samples, and is no error."""
    assert await read(pages, GatewaySource(name="web")) == {}


async def test_calls_longer_than_all_buckets_are_shown_in_the_last(pages):
    """The histogram ends at its longest bound."""
    source = gateway("web", step(5, 1, 1, {len(BOUNDS): 1}))

    (bucket,) = (await read(pages, source))["reviews"].buckets

    assert (bucket.upper, bucket.calls) == (BOUNDS[-1], 1)
