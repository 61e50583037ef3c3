"""What a process and its pools use, and what it lost: metrics that are read, not counted."""

import asyncio
import gc
import mmap
import os
from pathlib import Path

import pytest

from bff_core import Limit, Settings, gateway
from bff_core.events import Events, StoreChanged
from bff_core.observe.metrics.process import ProcessMetrics
from bff_core.observe.metrics.process_usage import process_counters, process_gauges
from bff_core.observe.metrics.samples import SamplesQuery
from bff_core.observe.metrics.sink import MetricsSink
from bff_core.observe.metrics.totals import totals_of
from bff_core.observe.opentelemetry.failures import ExportFailures
from bff_core.testing import running
from bff_core.testing.scripted import hang
from tests.observe.metrics.shelf import TOKEN
from tests.observe.metrics.test_scrape import AUTHORIZED, counted, values


def test_cpu_time_and_collections_only_grow():
    """CPU time is that of user and system, in seconds."""
    before = {name: dict(rows) for name, rows in process_counters().items()}
    gc.collect()
    after = {name: dict(rows) for name, rows in process_counters().items()}

    assert after["bff_gc_collections_total"]["2",] == before["bff_gc_collections_total"]["2",] + 1
    cpu = "bff_process_cpu_seconds_total"
    assert 0 < before[cpu][()] <= after[cpu][()] <= sum(os.times()[:2])


def test_memory_and_files_are_those_of_now():
    """Resident memory in bytes; a file counts while it is open."""
    before = process_gauges()
    # A new mapping: an object could be made in memory that the process has already.
    with mmap.mmap(-1, 50_000_000) as block, Path(os.devnull).open("rb"):
        for page in range(0, len(block), mmap.PAGESIZE):
            block[page] = 1
        during = process_gauges()

    def of(found, name):
        ((_, value),) = found[name]
        return value

    grown = of(during, "bff_process_memory_bytes") - of(before, "bff_process_memory_bytes")
    assert grown > 40_000_000
    assert of(during, "bff_process_files_open") == of(before, "bff_process_files_open") + 1
    assert of(before, "bff_process_files_open") < of(before, "bff_process_files_limit")


def test_counters_without_labels_begin_at_0():
    """Otherwise Prometheus would not see the first increase."""
    counters = totals_of(MetricsSink()).counters

    for name in ("exceptions", "loop_blocked", "cache_evicted", "screens_dimmed"):
        assert counters[f"bff_{name}_total"] == [((), 0)]


def test_a_store_is_up_or_down_after_its_first_change():
    """0 while it is unavailable."""
    sink = MetricsSink()

    def gauge():
        process = ProcessMetrics(sink, "web", views={})
        return process.samples(SamplesQuery()).gauges["bff_store_up"]

    assert gauge() == []
    sink(StoreChanged("sessions", "open", "refused"))
    assert gauge() == [(("sessions",), 0.0)]
    sink(StoreChanged("sessions", "closed"))
    assert gauge() == [(("sessions",), 1.0)]


def test_lost_telemetry_is_counted_beside_its_log_lines():
    """The totals go on when a line of the log begins anew."""
    failures = ExportFailures(clock=lambda: 0.0)
    sink = MetricsSink(read_lost=lambda: failures.totals)
    failures.fail("503")
    failures.drop()
    failures.fail("503")
    failures.log()

    assert totals_of(sink).counters["bff_telemetry_lost_total"] == [
        (("export_failed",), 2),
        (("queue_full",), 1),
    ]


@pytest.mark.virtual_time
async def test_calls_of_a_bulkhead_are_shown_with_its_limit():
    """Running and waiting ones, and the connections of the pool."""
    app = counted(hang())
    async with running(app) as client:
        request = asyncio.ensure_future(client.get("/v1/shelf/1"))
        await asyncio.sleep(0.1)
        text = (await client.get("/metrics", headers=AUTHORIZED)).text
        await request

    worker = str(os.getpid())
    assert values(text, "bff_bulkhead_calls")["reviews", "running", worker] == 1
    assert values(text, "bff_bulkhead_calls")["catalog", "running", worker] == 0
    assert values(text, "bff_bulkhead_limit")["reviews", worker] == 100
    assert values(text, "bff_breaker_state")["reviews", "closed", worker] == 1
    assert values(text, "bff_breaker_state")["reviews", "open", worker] == 0
    assert values(text, "bff_pool_connections")["reviews", "active", worker] == 1


async def few() -> dict[str, str]:
    """Answer."""
    return {}


async def test_refusals_by_rate_limits_are_counted_by_limit():
    """A limit that was not exceeded has 0."""
    app = gateway(
        "web",
        limits=[
            Limit(quota=2, by="address", paths=("/few",), name="few"),
            Limit(quota=9, by="address", name="many"),
        ],
        settings=Settings(env="development", log="off", operator_token=TOKEN),
        events=Events(MetricsSink()),
    )
    app.add_api_route("/few", few)
    async with running(app) as client:
        answers = [(await client.get("/few")).status_code for _ in range(5)]
        text = (await client.get("/metrics", headers=AUTHORIZED)).text

    assert answers == [200, 200, 429, 429, 429]
    assert values(text, "bff_rate_limited_total") == {("few",): 3, ("many",): 0}


async def test_the_lag_of_the_event_loop_is_that_of_now():
    """It is measured while requests are in flight; an old value would be an alert for ever."""
    app = gateway(
        "web",
        settings=Settings(env="development", log="off", operator_token=TOKEN),
        events=Events(MetricsSink()),
    )
    async with running(app):
        app.shedding.pressure.observe(1.0, 0.5)

        def lag() -> float:
            gauges = app.metrics.process.samples(SamplesQuery()).gauges
            return gauges["bff_loop_lag_seconds"][0][1]

        assert lag() == 0.0
        app.shedding.loop_lag.is_on = True
        assert lag() == 0.5
