"""The attempt layer: one attempt is cut so that there is time for another."""

import asyncio

import pytest

from bff_core.errors import AttemptTimedOut, DeadlineExceeded
from bff_core.testing.layer_runtime import LayerRuntime
from bff_core.testing.scripted import Scripted, hang, reply
from bff_core.upstream.layers.attempt import AttemptLayer
from bff_core.upstream.layers.deadline import DeadlineLayer

pytestmark = pytest.mark.virtual_time


async def test_an_attempt_is_cut_while_its_call_goes_on() -> None:
    """The error is another one than that of the deadline: there is time for a retry."""
    bench, upstream = LayerRuntime(), Scripted(hang())
    began = bench.now

    with pytest.raises(AttemptTimedOut):
        await AttemptLayer(2.5, bench.runtime, upstream)(bench.call(timeout=10))

    assert bench.now - began == pytest.approx(2.5)


async def test_an_attempt_leaves_the_end_of_the_call_to_the_deadline() -> None:
    """With less time left than an attempt may take, the call's deadline decides."""
    bench = LayerRuntime()
    attempt = AttemptLayer(2.5, bench.runtime, Scripted(hang()))

    with pytest.raises(DeadlineExceeded) as caught:
        await DeadlineLayer(bench.runtime, attempt)(bench.call(timeout=2.5))

    assert not isinstance(caught.value, AttemptTimedOut)


async def test_a_reply_in_time_passes_the_attempt() -> None:
    """An attempt that ends well is left alone, then and later."""
    bench, upstream = LayerRuntime(), Scripted(reply(200, b"ok", after=2.4))

    received = await AttemptLayer(2.5, bench.runtime, upstream)(bench.call(timeout=10))
    await asyncio.sleep(5)

    assert received.body == b"ok"


async def test_another_cancellation_is_not_a_timeout() -> None:
    """A client that leaves during an attempt is not taken for a slow service."""
    bench, upstream = LayerRuntime(), Scripted(hang())
    attempt = AttemptLayer(2.5, bench.runtime, upstream)
    task = asyncio.create_task(attempt(bench.call(timeout=10)))
    await asyncio.sleep(1)

    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    assert upstream.cancelled == 1
