"""The loop in virtual time, on which most of this suite runs."""

import asyncio
import socket
import threading
import time

import pytest
from fastapi.concurrency import run_in_threadpool

from bff_core.testing.virtual_time import NothingToWaitFor, VirtualTimeLoop


@pytest.mark.virtual_time
async def test_an_hour_of_sleeping_takes_no_time() -> None:
    """The clock jumps to the next timer when nothing else is ready."""
    loop, began, really_began = asyncio.get_running_loop(), time.monotonic(), time.monotonic()
    began = loop.time()

    await asyncio.sleep(3600)

    assert loop.time() - began == pytest.approx(3600)
    assert time.monotonic() - really_began < 1


@pytest.mark.virtual_time
async def test_timers_fire_in_the_order_of_their_instants() -> None:
    """Sleeping tasks wake in the order of time, not of their start."""
    woken: list[float] = []

    async def sleeper(seconds: float) -> None:
        await asyncio.sleep(seconds)
        woken.append(seconds)

    await asyncio.gather(sleeper(3), sleeper(1), sleeper(2))

    assert woken == [1, 2, 3]


@pytest.mark.virtual_time
async def test_time_stands_still_while_a_thread_works() -> None:
    """Work in a thread ends before any later virtual timer."""
    loop = asyncio.get_running_loop()
    began, may_end = loop.time(), threading.Event()
    loop.call_soon(may_end.set)

    async with asyncio.timeout(0.001):
        await loop.run_in_executor(None, may_end.wait)

    assert loop.time() == began


@pytest.mark.virtual_time
async def test_time_stands_still_while_a_thread_of_fastapi_works() -> None:
    """A dependency that is not asynchronous takes no virtual time, however often it runs."""
    loop = asyncio.get_running_loop()
    began = loop.time()

    for _ in range(3):
        may_end = threading.Event()
        threading.Timer(0.02, may_end.set).start()
        async with asyncio.timeout(0.001):
            await run_in_threadpool(may_end.wait)

    assert loop.time() == began


@pytest.mark.virtual_time
async def test_time_passes_while_threads_of_fastapi_are_idle() -> None:
    """A thread that waits for its next work holds nothing up."""
    await run_in_threadpool(int)
    began, really_began = asyncio.get_running_loop().time(), time.monotonic()

    for _ in range(100):
        await asyncio.sleep(3600)

    assert asyncio.get_running_loop().time() - began == pytest.approx(360_000)
    assert time.monotonic() - really_began < 1


@pytest.mark.virtual_time
async def test_sockets_take_no_virtual_time() -> None:
    """Bytes between two sockets of the process arrive before any timer."""
    loop = asyncio.get_running_loop()
    here, there = socket.socketpair()
    here.setblocking(False)
    with here, there:
        loop.call_soon(there.send, b"hello")

        async with asyncio.timeout(0.001):
            received = await loop.sock_recv(here, 100)

    assert received == b"hello"


@pytest.mark.virtual_time
async def test_a_process_is_refused() -> None:
    """It works in real time, and the error says how a test can have that."""
    with pytest.raises(RuntimeError, match=r"@pytest\.mark\.virtual_time\(on=False\)"):
        await asyncio.create_subprocess_exec("true")
    with pytest.raises(RuntimeError, match="a process works in real time"):
        await asyncio.create_subprocess_shell("true")


def test_a_test_that_would_hang_fails_at_once() -> None:
    """Waiting for something that can never happen is an error instead of a hang."""

    async def hang() -> None:
        await asyncio.get_running_loop().create_future()

    loop = VirtualTimeLoop()
    task = loop.create_task(hang())

    with pytest.raises(NothingToWaitFor, match=r"for a threading\.Thread that calls loop\.call_so"):
        loop.run_until_complete(task)

    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        loop.run_until_complete(task)
    loop.close()


@pytest.mark.virtual_time
async def test_advance_moves_the_clock() -> None:
    """It lets time pass while no task runs, as in a stopped process."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualTimeLoop)
    began = loop.time()

    loop.advance(60)

    assert loop.time() - began == pytest.approx(60)
