"""The deadline layer: a call ends in time, and a foreign cancellation stays one."""

import asyncio
import time

import pytest

from bff_core.call import Call, Reply
from bff_core.errors import DeadlineExceeded
from bff_core.policy.upstream.policy import Policy
from bff_core.testing.layer_runtime import LayerRuntime
from bff_core.testing.scripted import Scripted, ScriptedTransport, hang, reply
from bff_core.upstream.layers.deadline import DeadlineLayer
from bff_core.upstream.stack import UpstreamStack
from bff_core.upstream.transport.interface import Endpoint

pytestmark = pytest.mark.virtual_time


async def test_a_call_that_hangs_ends_at_its_deadline() -> None:
    """Not a moment later, and what was under way is cancelled."""
    bench, upstream = LayerRuntime(), Scripted(hang())
    began = bench.now

    with pytest.raises(DeadlineExceeded) as caught:
        await DeadlineLayer(bench.runtime, upstream)(bench.call(timeout=0.8))

    assert bench.now - began == pytest.approx(0.8)
    assert upstream.cancelled == 1
    assert "users: GET /users/{id}" in str(caught.value)


async def test_a_reply_in_time_passes() -> None:
    """The deadline costs nothing and leaves nothing behind."""
    bench, upstream = LayerRuntime(), Scripted(reply(200, b"ok", after=0.7))

    received = await DeadlineLayer(bench.runtime, upstream)(bench.call(timeout=0.8))
    await asyncio.sleep(5)

    assert received.body == b"ok"


async def test_a_call_after_its_deadline_is_not_sent() -> None:
    """No attempt is made, and the error says so."""
    bench, upstream = LayerRuntime(), Scripted()

    with pytest.raises(DeadlineExceeded) as caught:
        await DeadlineLayer(bench.runtime, upstream)(bench.call(timeout=0))

    assert (caught.value.attempts, upstream.calls) == (0, [])


async def test_the_error_says_how_many_attempts_there_were() -> None:
    """Two attempts that hung, and a third that the deadline cut."""
    bench = LayerRuntime()
    transport = ScriptedTransport({"10.0.0.1": Scripted(hang())})
    origin = Endpoint("http", "10.0.0.1", 80, "10.0.0.1")
    policy = Policy(attempt_timeout=1.0)
    handler = UpstreamStack(policy, [origin], bench.runtime, transport).handler

    with pytest.raises(DeadlineExceeded) as caught:
        await handler(bench.call(timeout=2.6))

    assert caught.value.attempts == 3


async def test_a_cancellation_from_elsewhere_passes_through() -> None:
    """A client that leaves is no timeout."""
    bench, upstream = LayerRuntime(), Scripted(hang())
    task = asyncio.create_task(DeadlineLayer(bench.runtime, upstream)(bench.call()))
    await asyncio.sleep(1)

    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_task_cancelled_at_its_deadline_by_others_too_stays_cancelled() -> None:
    """A caller that cancels a task may rely on it, even in the very same moment."""
    bench, upstream = LayerRuntime(), Scripted(hang())
    task = asyncio.create_task(DeadlineLayer(bench.runtime, upstream)(bench.call(timeout=1)))
    asyncio.get_running_loop().call_later(1, task.cancel)

    with pytest.raises(asyncio.CancelledError):
        await task


async def test_calls_end_each_at_its_own_deadline() -> None:
    """One timer serves all of them, whatever the order in which they came."""
    bench, upstream = LayerRuntime(), Scripted(hang())
    layer, began = DeadlineLayer(bench.runtime, upstream), bench.now
    timeouts = [3.0, 1.0, 2.0, 1.0, 0.5]

    async def ended(seconds: float) -> float:
        with pytest.raises(DeadlineExceeded):
            await layer(bench.call(timeout=seconds))
        return bench.now - began

    assert await asyncio.gather(*map(ended, timeouts)) == pytest.approx(timeouts)


async def test_a_task_goes_on_as_usual_after_a_deadline() -> None:
    """The cancellation is taken back, so that a timeout around the caller still works."""
    bench = LayerRuntime()
    layer = DeadlineLayer(bench.runtime, Scripted(hang()))
    for _ in range(3):
        with pytest.raises(DeadlineExceeded):
            await layer(bench.call(timeout=1))

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1):
            await asyncio.sleep(2)

    assert asyncio.current_task().cancelling() == 0


async def test_an_error_that_an_inner_layer_made_of_the_cancellation_stands() -> None:
    """A cleanup that raises is heard, and the task is not left cancelled."""
    bench = LayerRuntime()

    async def stubborn(call: Call) -> Reply:
        try:
            await asyncio.sleep(100)
        except asyncio.CancelledError:
            raise ValueError("cleaned up") from None
        return Reply(200)

    with pytest.raises(ValueError, match="cleaned up"):
        await DeadlineLayer(bench.runtime, stubborn)(bench.call(timeout=1))

    assert asyncio.current_task().cancelling() == 0


@pytest.mark.uvloop
@pytest.mark.virtual_time(on=False)
async def test_it_is_not_early_on_a_coarse_loop() -> None:
    """Timers of uvloop count whole milliseconds; a deadline is exact to the microsecond."""
    bench = LayerRuntime(clock=time.monotonic)

    for timeout in (0.0107, 0.0003, 0.0051):
        call = bench.call(timeout=timeout)
        with pytest.raises(DeadlineExceeded):
            await DeadlineLayer(bench.runtime, Scripted(hang()))(call)

        assert call.deadline <= bench.now < call.deadline + 0.5
