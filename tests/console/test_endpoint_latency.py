"""Latencies of endpoints are measured while someone looks, and not longer."""

import asyncio

import pytest

from bff_core import Settings, gateway
from bff_core.console.process_commands import process_commands
from bff_core.console.upstreams.endpoint_latency import (
    MAX_ATTEMPTS,
    WINDOW_SECONDS,
    EndpointLatencies,
)
from bff_core.console.upstreams.report import STATE_COMMAND
from bff_core.events import Attempted, Events
from bff_core.testing import running

pytestmark = pytest.mark.virtual_time


def attempted(duration, endpoint="10.0.9.3:80"):
    return Attempted("ratings", "GET /stars", endpoint, "200", duration)


def latencies():
    """Return events without other sinks, and what measures."""
    events = Events()
    return events, EndpointLatencies(events, asyncio.get_running_loop().time)


async def test_the_percentile_is_that_of_recent_attempts():
    """Of a hundred attempts the 95th counts; old ones don't."""
    events, measured = latencies()
    measured.watch()
    events.emit(attempted(9.0))
    await asyncio.sleep(WINDOW_SECONDS - 1)
    measured.watch()
    await asyncio.sleep(2)

    for milliseconds in range(1, 101):
        events.emit(attempted(milliseconds / 1000))

    assert measured.p95() == {("ratings", "10.0.9.3:80"): 0.095}


async def test_it_ends_some_time_after_the_last_look():
    """Then no event is made for it, and nothing is stored."""
    events, measured = latencies()
    measured.watch()
    measured.watch()
    events.emit(attempted(0.1))

    await asyncio.sleep(WINDOW_SECONDS + 1)

    assert (events.sinks, measured.p95()) == ((), {})


async def test_memory_is_bounded():
    """The newest attempts of an endpoint are stored."""
    events, measured = latencies()
    measured.watch()

    for _ in range(MAX_ATTEMPTS):
        events.emit(attempted(1.0))
    for _ in range(MAX_ATTEMPTS):
        events.emit(attempted(0.001))

    assert measured.p95() == {("ratings", "10.0.9.3:80"): 0.001}


async def test_it_ends_with_its_gateway():
    """A gateway that runs again has no listener of its last run."""
    app = gateway("shop", settings=Settings(env="development", log="off"))
    before = app.events.sinks
    for _ in range(2):
        async with running(app):
            await process_commands(app)[STATE_COMMAND](b"")
            during = app.events.sinks
        assert len(during) == len(before) + 1
        assert app.events.sinks == before
