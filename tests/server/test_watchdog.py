"""A blocked event loop is reported once, with the blocking code and the time."""

import asyncio
import time

import pytest

from bff_core.events import AnyEvent, Events, LoopBlocked, LoopFreed
from bff_core.server.watchdog import Watchdog
from tests.processes.services import request
from tests.server.talking import until


async def watched(heard: list[AnyEvent], **options: float) -> Watchdog:
    """Start a watchdog on this loop."""
    dog = Watchdog(asyncio.get_running_loop(), Events(heard.append), **options)
    await asyncio.sleep(0)
    return dog


def busy_with_something(seconds: float) -> None:
    """Keep the loop from turning."""
    time.sleep(seconds)


@pytest.mark.parametrize("loop", ["asyncio", pytest.param("uvloop", marks=pytest.mark.uvloop)])
async def test_a_blocked_loop_is_reported_with_its_stack(loop):
    """While it is blocked, so that an endless one is reported; and again when it ends."""
    heard: list[AnyEvent] = []
    dog = await watched(heard, threshold=0.1)

    busy_with_something(0.6)
    reported_meanwhile = list(heard)
    await until(lambda: len(heard) > 1)
    dog.stop()

    (blocked,) = reported_meanwhile
    assert isinstance(blocked, LoopBlocked)
    assert "busy_with_something" in blocked.stack
    assert blocked.stack.rstrip().endswith("time.sleep(seconds)")
    assert 0.1 <= blocked.waited < 0.6
    (freed,) = heard[1:]
    assert isinstance(freed, LoopFreed)
    assert freed.duration >= 0.4


async def test_each_blockage_is_reported_once():
    """However long it takes, and again the next time."""
    heard: list[AnyEvent] = []
    dog = await watched(heard, threshold=0.1)

    for count in (1, 2):
        busy_with_something(0.5)
        await until(lambda count=count: len(heard) == 2 * count)
    dog.stop()

    assert [type(event) for event in heard] == [LoopBlocked, LoopFreed] * 2


async def test_a_busy_loop_that_is_not_blocked_is_not_reported():
    """Work in small pieces does not block it."""
    heard: list[AnyEvent] = []
    dog = await watched(heard, threshold=1.0)

    until_then = time.monotonic() + 0.5
    while time.monotonic() < until_then:
        busy_with_something(0.01)
        await asyncio.sleep(0)
    dog.stop()

    assert heard == []


async def test_a_blocked_gateway_logs_where(depot):
    """The log names the line, and how long no other request was served."""
    process = depot(BFF_WATCHDOG="0.1", BFF_LOG="text")

    request(process.port, "GET", "/block?seconds=0.5")
    await until(lambda: "event_loop.freed" in process.output)

    assert "event_loop.blocked" in process.output
    assert "in block" in process.output
    assert "time.sleep(seconds)" in process.output


async def test_a_gateway_without_a_watchdog_shuts_down(depot):
    """It is off with 0, and shutdown works without it."""
    process = depot("--drain-delay=0", BFF_WATCHDOG="0")
    request(process.port, "GET", "/block?seconds=0.3")

    process.stop()

    assert "loop_" not in process.output
    assert "Traceback" not in process.output
