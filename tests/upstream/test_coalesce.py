"""The coalesce layer: equal reads share one call, and no caller suffers for another."""

import asyncio
import gc
import random

import pytest

from bff_core.call import Call, Reply
from bff_core.errors import DeadlineExceeded, TransportFailed
from bff_core.events import Coalesced
from bff_core.testing.layer_runtime import LayerRuntime
from bff_core.testing.scripted import Scripted, fail, fail_with, hang, reply
from bff_core.upstream.layers.coalesce import CoalesceLayer
from bff_core.upstream.layers.deadline import DeadlineLayer

pytestmark = pytest.mark.virtual_time


def stacked(bench: LayerRuntime, upstream: Scripted) -> DeadlineLayer:
    return DeadlineLayer(bench.runtime, CoalesceLayer(bench.runtime, upstream))


async def test_a_thousand_equal_reads_are_one_call() -> None:
    """All get the reply of the first, and 999 events tell of it."""
    bench, upstream = LayerRuntime(), Scripted(reply(200, b"shared", after=1))
    layer = stacked(bench, upstream)

    replies = await asyncio.gather(*(layer(bench.call()) for _ in range(1000)))

    assert {received.body for received in replies} == {b"shared"}
    assert len(upstream.calls) == 1
    assert len(bench.events_of(Coalesced)) == 999


@pytest.mark.parametrize(
    "other",
    [
        {"target": "/users/8"},
        {"method": "HEAD"},
        {"audience": "viewer-2"},
        {"headers": ((b"accept-language", b"de"),)},
    ],
    ids=lambda other: next(iter(other)),
)
async def test_calls_that_differ_are_not_shared(other: dict) -> None:
    """Another target, method, viewer or header is another call."""
    bench, upstream = LayerRuntime(), Scripted(reply(after=1))
    layer = stacked(bench, upstream)

    await asyncio.gather(layer(bench.call(audience="viewer-1")), layer(bench.call(**other)))

    assert len(upstream.calls) == 2


async def test_a_no_cache_read_joins_no_flight() -> None:
    """A flight that began before a write can't report it: each check of a saga is sent."""
    bench, upstream = LayerRuntime(), Scripted(reply(after=1))
    layer = stacked(bench, upstream)
    headers = ((b"accept", b"application/json"), (b"cache-control", b"no-cache"))

    await asyncio.gather(*(layer(bench.call(headers=headers)) for _ in range(2)))

    assert len(upstream.calls) == 2


async def test_writes_are_never_shared() -> None:
    """Two equal orders are two orders."""
    bench, upstream = LayerRuntime(), Scripted(reply(after=1))
    layer = stacked(bench, upstream)

    await asyncio.gather(*(layer(bench.call(method="POST")) for _ in range(2)))

    assert len(upstream.calls) == 2


async def test_a_read_that_follows_is_a_call_of_its_own() -> None:
    """Coalescing is no cache: what has landed is forgotten."""
    bench, upstream = LayerRuntime(), Scripted(reply())
    layer = stacked(bench, upstream)

    await layer(bench.call())
    await layer(bench.call())

    assert len(upstream.calls) == 2


async def test_a_failure_is_shared_once() -> None:
    """Those present get it; who comes later calls again."""
    bench, upstream = LayerRuntime(), Scripted(fail(after=1), reply())
    layer = stacked(bench, upstream)

    outcomes = await asyncio.gather(
        *(layer(bench.call()) for _ in range(10)), return_exceptions=True
    )
    later = await layer(bench.call())

    assert all(isinstance(outcome, TransportFailed) for outcome in outcomes)
    assert (later.status, len(upstream.calls)) == (200, 2)


async def test_a_waiter_that_leaves_does_not_affect_others() -> None:
    """Neither the leader nor the other waiters notice."""
    bench, upstream = LayerRuntime(), Scripted(reply(after=1))
    layer = stacked(bench, upstream)
    leader, leaver, waiter = (asyncio.create_task(layer(bench.call())) for _ in range(3))
    await asyncio.sleep(0.5)

    leaver.cancel()

    assert [(await task).status for task in (leader, waiter)] == [200, 200]
    assert leaver.cancelled()
    assert len(upstream.calls) == 1


async def test_when_the_leader_leaves_a_waiter_leads_on() -> None:
    """It sends again, and the others wait for its reply."""
    bench, upstream = LayerRuntime(), Scripted(reply(200, b"first", after=1), reply(200, b"second"))
    layer = stacked(bench, upstream)
    leader, *waiters = (asyncio.create_task(layer(bench.call())) for _ in range(4))
    await asyncio.sleep(0.5)

    leader.cancel()
    bodies = [(await task).body for task in waiters]

    assert bodies == [b"second"] * 3
    assert (len(upstream.calls), upstream.cancelled) == (2, 1)


async def test_a_leader_out_of_time_hands_over_to_those_with_more() -> None:
    """A short deadline fails its own call only."""
    bench, upstream = LayerRuntime(), Scripted(hang(), reply())
    layer = stacked(bench, upstream)
    hasty = asyncio.create_task(layer(bench.call(timeout=0.5)))
    patient = asyncio.create_task(layer(bench.call(timeout=5)))

    with pytest.raises(DeadlineExceeded):
        await hasty

    assert (await patient).status == 200
    assert len(upstream.calls) == 2


async def test_a_transport_that_ends_at_the_leaders_deadline_fails_only_the_leader() -> None:
    """It is the same whichever layer notices first that the leader's time is over."""
    bench = LayerRuntime()
    timed_out = fail_with(lambda call: DeadlineExceeded("took too long", call=call))

    async def until_deadline(call: Call) -> Reply:
        await asyncio.sleep(call.deadline - bench.now)
        return await timed_out(call)

    coalesce = CoalesceLayer(bench.runtime, Scripted(until_deadline, reply()))
    hasty = asyncio.create_task(coalesce(bench.call(timeout=0.5)))
    patient = asyncio.create_task(coalesce(bench.call(timeout=5)))

    with pytest.raises(DeadlineExceeded):
        await hasty

    assert (await patient).status == 200


async def test_a_failure_without_waiters_logs_no_warning() -> None:
    """A waiter that leaves in the moment of the failure causes no warning in the logs."""
    bench, loop, noise = LayerRuntime(), asyncio.get_running_loop(), []
    loop.set_exception_handler(lambda _, context: noise.append(context))

    async def fail_while_the_waiter_leaves(call: Call) -> Reply:
        await asyncio.sleep(1)
        loop.call_soon(waiter.cancel)
        raise TransportFailed("reset", call=call, is_sent=True)

    coalesce = CoalesceLayer(bench.runtime, Scripted(fail_while_the_waiter_leaves))
    leader, waiter = (asyncio.create_task(coalesce(bench.call())) for _ in range(2))
    await asyncio.wait([leader, waiter])
    gc.collect()

    assert isinstance(leader.exception(), TransportFailed)
    assert (waiter.cancelled(), noise) == (True, [])


async def test_a_waiter_goes_at_its_own_deadline() -> None:
    """Waiting for another's call is no excuse to be late."""
    bench, upstream = LayerRuntime(), Scripted(reply(after=3))
    layer = stacked(bench, upstream)
    leader = asyncio.create_task(layer(bench.call(timeout=5)))
    await asyncio.sleep(0)
    began = bench.now

    with pytest.raises(DeadlineExceeded):
        await layer(bench.call(timeout=1))

    assert bench.now - began == pytest.approx(1)
    assert (await leader).status == 200


async def test_a_flight_without_waiters_is_cancelled_and_dropped() -> None:
    """When all waiters have left, the call is cancelled; the next read makes a new one."""
    bench, upstream = LayerRuntime(), Scripted(hang(), reply())
    coalesce = CoalesceLayer(bench.runtime, upstream)
    leader, waiter = (asyncio.create_task(coalesce(bench.call())) for _ in range(2))
    await asyncio.sleep(0.5)

    waiter.cancel()
    leader.cancel()
    await asyncio.wait([leader, waiter])

    assert (upstream.in_flight, repr(coalesce)) == (0, "coalesce   0 flights")
    assert (await coalesce(bench.call())).status == 200


async def test_leader_and_successor_leaving_in_one_moment_hands_over_to_the_third() -> None:
    """The lead is never lost between two who leave."""
    bench, upstream = LayerRuntime(), Scripted(hang(), reply())
    coalesce = CoalesceLayer(bench.runtime, upstream)
    leader, second, third = (asyncio.create_task(coalesce(bench.call())) for _ in range(3))
    await asyncio.sleep(0.5)

    leader.cancel()
    await asyncio.sleep(0)  # the leader has handed over; the second has not yet woken
    second.cancel()

    assert (await third).status == 200
    assert second.cancelled()


async def test_a_mistake_in_the_gateway_reaches_everyone() -> None:
    """An unexpected error is shared like any other; no caller hangs."""
    bench = LayerRuntime()

    async def broken(_: object) -> Reply:
        await asyncio.sleep(1)
        raise ZeroDivisionError

    layer = CoalesceLayer(bench.runtime, broken)
    outcomes = await asyncio.gather(
        *(layer(bench.call()) for _ in range(3)), return_exceptions=True
    )

    assert [type(outcome) for outcome in outcomes] == [ZeroDivisionError] * 3


@pytest.mark.parametrize("seed", range(5))
async def test_a_storm_of_cancellations_costs_one_call_per_leader_that_leaves(seed: int) -> None:
    """Of 1,000 readers 600 leave, many in one moment: the others all get the reply."""
    bench, chance = LayerRuntime(listens=False), random.Random(seed)
    upstream = Scripted(reply(after=4))
    coalesce = CoalesceLayer(bench.runtime, upstream)
    tasks = [asyncio.create_task(coalesce(bench.call(timeout=1e6))) for _ in range(1000)]
    leavers = tasks[:400] + chance.sample(tasks[400:], 200)

    for task in leavers:
        quarter = 0 if task is tasks[0] else chance.randrange(16)
        asyncio.get_running_loop().call_later(quarter / 4, task.cancel)
    await asyncio.wait(tasks)

    assert all(task in leavers for task in tasks if task.cancelled())
    assert all(task.result().status == 200 for task in tasks if not task.cancelled())
    assert len(upstream.calls) == 1 + upstream.cancelled >= 3
    assert (upstream.in_flight, repr(coalesce)) == (0, "coalesce   0 flights")
