"""Figures of services from what metrics have counted, merged over gateways."""

import msgspec
import pytest

from bff_core.console.metrics.store import MetricsStore
from bff_core.console.sources import GatewaySource
from bff_core.console.upstreams.samples import measured_by
from bff_core.observe.metrics.histogram import BOUNDS
from bff_core.observe.metrics.samples import (
    CallStep,
    SampledView,
    Samples,
    Totals,
    ViewStep,
    WindowStep,
)
from bff_core.observe.metrics.scrape import SAMPLES
from bff_core.observe.metrics.steps import number_of

NOW = 1_800_000_000.0
FAST, SLOW = 8, 24
"""Buckets of about 10 ms and 1 s."""


def gateway(name, *steps):
    """Return a gateway whose metrics have these steps."""

    async def samples(_):
        view = {"GET /home": SampledView("Home")}
        return msgspec.json.encode(
            Samples(name, 1, NOW - 600, NOW, Totals(), gauges={}, views=view, steps=list(steps))
        )

    return GatewaySource(name=name, commands={SAMPLES: samples})


def step(seconds_ago, calls, errors, buckets):
    """Return a step with calls of reviews."""
    counted = CallStep(calls, errors, buckets=buckets)
    views = {"GET /home": ViewStep(complete=3, degraded=1)}
    return WindowStep(number_of(NOW - seconds_ago), views=views, calls={"reviews": counted})


async def read(pages, *sources, gateways=()):
    """Return what metrics know."""
    console = pages.console(sources)
    console.metrics = MetricsStore(console.sources, lambda: NOW)
    return await measured_by(console, gateways or console.sources.names)


async def test_calls_of_all_gateways_are_added(pages):
    """The histogram has the calls of five minutes, over all gateways or those that are chosen."""
    web = gateway("web", step(10, 60, 6, {FAST: 60}), step(400, 1000, 1000, {SLOW: 1000}))
    mobile = gateway("mobile", step(10, 60, 0, {FAST: 54, SLOW: 6}))

    found = (await read(pages, web, mobile)).upstreams["reviews"]
    own = (await read(pages, web, mobile, gateways=["web"])).upstreams["reviews"]

    assert found.figures.errors == 0.05
    assert found.figures.p50 == pytest.approx(0.009, abs=0.002)
    assert found.figures.p99 > 0.5
    assert sum(one.calls for one in found.buckets) == 120
    assert found.slower_than(0.6) == 0.05
    assert sum(one.calls for one in own.buckets) == 60


async def test_the_course_of_failures_leaves_out_times_without_calls(pages):
    """They are unknown, not good."""
    source = gateway("web", step(100, 10, 5, {FAST: 10}), step(1, 10, 0, {FAST: 10}))

    found = (await read(pages, source)).upstreams["reviews"]

    assert [one for one in found.failures if one is not None] == [0.5, 0.0]
    assert len(found.failures) == len(found.figures.course) > 10


async def test_views_have_their_figures(pages):
    """A screen that needs the service is shown with its share of complete answers."""
    found = await read(pages, gateway("web", step(10, 60, 6, {FAST: 60})))

    assert found.views["web", "Home", "GET /home"].complete == 0.75


async def test_without_metrics_nothing_is_known(pages):
    """A console that reads no metrics has no samples, and that is no error."""
    found = await measured_by(pages.console([GatewaySource(name="web")]), ["web"])

    assert (found.upstreams, found.views) == ({}, {})


async def test_calls_longer_than_all_buckets_are_shown_in_the_last(pages):
    """The histogram ends at its longest bound."""
    source = gateway("web", step(5, 1, 1, {len(BOUNDS): 1}))

    (bucket,) = (await read(pages, source)).upstreams["reviews"].buckets

    assert (bucket.upper, bucket.calls) == (BOUNDS[-1], 1)
