"""The loop of this suite's tests leaves out the pauses of the machine."""

import asyncio
import time

import pytest

from tests.steady_time import LONGEST_STEP_SECONDS, SteadyLoop


async def test_a_pause_does_not_end_a_deadline():
    assert isinstance(asyncio.get_running_loop(), SteadyLoop)
    async with asyncio.timeout(LONGEST_STEP_SECONDS * 3):
        time.sleep(LONGEST_STEP_SECONDS * 4)  # noqa: ASYNC251 # the machine stands still
        await asyncio.sleep(0.001)


async def test_time_that_is_waited_counts():
    loop, began = asyncio.get_running_loop(), time.monotonic()
    before = loop.time()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await asyncio.Event().wait()
    assert 0.05 <= loop.time() - before <= time.monotonic() - began + 0.01


async def test_work_in_short_turns_counts():
    loop = asyncio.get_running_loop()
    before = loop.time()
    for _ in range(5):
        time.sleep(0.01)  # noqa: ASYNC251 # work
        await asyncio.sleep(0)
    assert loop.time() - before >= 0.05


async def test_code_that_waits_for_the_clock_within_a_turn_does_not_hang():
    loop = asyncio.get_running_loop()
    time.sleep(LONGEST_STEP_SECONDS * 2)  # noqa: ASYNC251 # the turn has taken more than counts
    until, began = loop.time() + 0.001, time.monotonic()
    while loop.time() < until:
        assert time.monotonic() - began < 10
