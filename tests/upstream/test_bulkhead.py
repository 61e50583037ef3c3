"""The bulkhead layer: so many calls at once, the others in turn, none lost."""

import asyncio
import random

import pytest

from bff_core.call import Call, Reply
from bff_core.errors import BulkheadFull
from bff_core.events import CallRejected
from bff_core.policy.upstream.bulkhead import Bulkhead
from bff_core.testing.layer_runtime import LayerRuntime
from bff_core.testing.scripted import Scripted, hang, reply
from bff_core.upstream.layers.bulkhead import BulkheadLayer

pytestmark = pytest.mark.virtual_time


def bulkhead(bench: LayerRuntime, upstream: Scripted, concurrent: int, queue: int) -> BulkheadLayer:
    return BulkheadLayer(Bulkhead(concurrent=concurrent, queue=queue), bench.runtime, upstream)


async def test_calls_beyond_the_limit_wait_for_their_turn() -> None:
    """Six calls of a second, two at once, take three seconds, in the order they came."""
    bench, upstream = LayerRuntime(), Scripted(reply(after=1))
    layer, began = bulkhead(bench, upstream, 2, 10), bench.now

    calls = [bench.call(f"/users/{number}") for number in range(6)]
    await asyncio.gather(*map(layer, calls))

    assert bench.now - began == pytest.approx(3)
    assert upstream.calls == calls


async def test_a_full_queue_refuses_at_once() -> None:
    """The caller gets the error without waiting, and an event reports it."""
    bench, upstream = LayerRuntime(), Scripted(hang())
    layer = bulkhead(bench, upstream, 1, 1)
    tasks = [asyncio.create_task(layer(bench.call())) for _ in range(2)]
    await asyncio.sleep(0)
    began = bench.now

    with pytest.raises(BulkheadFull) as caught:
        await layer(bench.call())

    assert (caught.value.status, caught.value.attempts, bench.now) == (503, 0, began)
    assert [event.reason for event in bench.events_of(CallRejected)] == ["bulkhead_full"]
    await cancelled(tasks)


async def cancelled(tasks: list[asyncio.Task]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


async def test_no_call_queues_beyond_its_deadline() -> None:
    """A call that gets no permit in time is refused just before, and never sent."""
    bench, upstream = LayerRuntime(), Scripted(hang())
    layer = bulkhead(bench, upstream, 1, 10)
    first = asyncio.create_task(layer(bench.call(timeout=60)))
    await asyncio.sleep(0)
    began = bench.now

    with pytest.raises(BulkheadFull):
        await layer(bench.call(timeout=2))

    assert 1.99 < bench.now - began < 2
    assert [event.reason for event in bench.events_of(CallRejected)] == ["queue"]
    assert len(upstream.calls) == 1
    await cancelled([first])


async def test_a_permit_passes_on_when_its_new_owner_has_just_left() -> None:
    """Cancelling in the moment of the hand-over loses no permit."""
    bench, loop = LayerRuntime(), asyncio.get_running_loop()

    async def answer_while_the_next_leaves(_: Call) -> Reply:
        await asyncio.sleep(1)
        loop.call_soon(second.cancel)  # after the hand-over, before the second has woken
        return Reply(200)

    upstream = Scripted(answer_while_the_next_leaves, reply())
    layer = bulkhead(bench, upstream, 1, 10)
    _, second, third = (asyncio.create_task(layer(bench.call())) for _ in range(3))

    assert (await third).status == 200
    assert (second.cancelled(), len(upstream.calls)) == (True, 2)
    assert repr(layer) == "bulkhead   0 of 1 permits, 0 of 10 waiting"


async def test_a_cancelled_waiter_and_a_release_at_once_lose_no_permit() -> None:
    """The first in the queue is cancelled in the moment in which a permit is released."""
    bench, upstream = LayerRuntime(), Scripted(reply(after=1), reply())
    layer = bulkhead(bench, upstream, 1, 10)
    _, second, third = (asyncio.create_task(layer(bench.call())) for _ in range(3))
    await asyncio.sleep(0.5)
    asyncio.get_running_loop().call_later(0.5, second.cancel)

    assert (await third).status == 200
    assert repr(layer) == "bulkhead   0 of 1 permits, 0 of 10 waiting"


@pytest.mark.parametrize("seed", range(5))
async def test_a_storm_of_cancellations_leaves_all_permits_free(seed: int) -> None:
    """A thousand calls of which half are cancelled at any moment: none is lost or doubled."""
    bench, chance = LayerRuntime(listens=False), random.Random(seed)
    most, steps = 0, [reply(after=chance.randrange(4) / 4) for _ in range(2000)]
    upstream = Scripted(*steps)
    layer = bulkhead(bench, upstream, 10, 2000)

    async def one(number: int) -> None:
        nonlocal most
        await asyncio.sleep(chance.randrange(200) / 4)
        await layer(bench.call(timeout=1000))
        most = max(most, layer.permits.in_use)

    tasks = [asyncio.create_task(one(number)) for number in range(1000)]
    for task in chance.sample(tasks, 500):
        asyncio.get_running_loop().call_later(chance.randrange(200) / 4, task.cancel)
    await asyncio.wait(tasks)

    assert sum(not task.cancelled() for task in tasks) >= 500
    assert 1 <= most <= 10
    assert repr(layer) == "bulkhead   0 of 10 permits, 0 of 2000 waiting"
