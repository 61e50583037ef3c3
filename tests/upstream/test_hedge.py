"""The hedge layer: a slow call gets a second chance, and the first good answer is taken."""

import asyncio
import gc
import random
import weakref
from dataclasses import replace

import pytest
from msgspec import structs

from bff_core.call import Attempt, Call, Reply
from bff_core.errors import DeadlineExceeded, TransportFailed, UpstreamError
from bff_core.events import Attempted, BreakerChanged, Ejected, Hedged, HedgeRefused, HedgeWon
from bff_core.policy.upstream.bulkhead import Bulkhead
from bff_core.policy.upstream.hedge import Hedge
from bff_core.policy.upstream.policy import Policy
from bff_core.policy.upstream.retry import Retry
from bff_core.streamed_body import StreamedBody
from bff_core.testing.layer_runtime import LayerRuntime
from bff_core.testing.scripted import Scripted, ScriptedTransport, Step, fail, hang, reply
from bff_core.upstream.layers.bulkhead import BulkheadLayer
from bff_core.upstream.stack import UpstreamStack
from bff_core.upstream.transport.interface import Endpoint

pytestmark = pytest.mark.virtual_time

ONE, TWO = "10.0.0.1", "10.0.0.2"
QUICK = reply(after=0.1)
HEDGED = Policy(coalesce=False, hedge=Hedge())
GENEROUS = replace(HEDGED, retry=Retry(budget_min=1000))
"""Hedges that no budget refuses."""

ROOMY = Bulkhead(concurrent=1000)


class Upstream:
    """A hedged upstream that took a tenth of a second for its last hundred calls."""

    def __init__(self, *hosts: str, policy: Policy = HEDGED) -> None:
        self.bench = LayerRuntime()
        self.scripts = {host: Scripted(QUICK) for host in hosts or (ONE,)}
        origins = [Endpoint("http", host, 80, host) for host in self.scripts]
        transport = ScriptedTransport(self.scripts)
        self.stack = UpstreamStack(policy, origins, self.bench.runtime, transport)
        self.layers = {type(line): line for line in self.stack._lines}

    async def settle(self) -> None:
        """Be called often enough for the layer to know, and let what is recent be forgotten."""
        for _ in range(100):
            await self.call()
        await asyncio.sleep(11)  # the budget's window: its calls are the test's alone
        self.bench.events.clear()
        for script in self.scripts.values():
            script.calls.clear()

    async def call(self, method: str = "GET", **more) -> Reply:
        return await self.stack.handler(self.bench.call(method=method, **more))

    async def timed(self, method: str = "GET", **more) -> tuple[int, float]:
        began = self.bench.now
        received = await self.call(method, **more)
        return received.status, self.bench.now - began

    @property
    def sent(self) -> int:
        return sum(len(script.calls) for script in self.scripts.values())

    @property
    def in_flight(self) -> int:
        return sum(script.in_flight for script in self.scripts.values())


async def slow(*steps: Step, policy: Policy = HEDGED, hosts: tuple[str, ...] = (ONE,)) -> Upstream:
    """Return an upstream that is settled, and goes on with a script wherever it is called first."""
    upstream = Upstream(*hosts, policy=policy)
    await upstream.settle()
    script = Scripted(*steps)
    for host in hosts:
        upstream.scripts[host].then(script)
    upstream.scripts["all"] = script
    return upstream


async def test_a_slow_call_is_sent_a_second_time_and_the_first_answer_wins() -> None:
    """What would have hung for two seconds takes two tenths; the loser is cancelled."""
    upstream = await slow(hang(), QUICK)

    status, took = await upstream.timed()

    assert (status, took) == (200, pytest.approx(0.205, abs=0.006))
    assert upstream.scripts["all"].cancelled == 1
    assert len(upstream.bench.events_of(Hedged)) == len(upstream.bench.events_of(HedgeWon)) == 1
    assert upstream.in_flight == 0


async def test_the_second_loses_when_the_first_answers_after_all() -> None:
    """It is cancelled, and nothing is left of it."""
    upstream = await slow(reply(200, b"first", after=0.15), hang())

    received = await upstream.call()
    await asyncio.sleep(0.001)

    assert received.body == b"first"
    assert upstream.scripts["all"].cancelled == 1
    assert upstream.bench.events_of(HedgeWon) == []
    assert upstream.bench.background == set()


async def test_a_streamed_body_is_sent_by_one_call_alone() -> None:
    """A second call would read the same body, or make the source read it twice at once."""
    upstream = await slow(reply(200, b"first", after=1.0), QUICK)
    body = StreamedBody(lambda: aiter(()))

    known = upstream.bench.call()  # an operation of which it is known how long it takes
    call = structs.replace(known, method="PUT", body=body)
    received = await upstream.stack.handler(call)

    assert received.body == b"first"
    assert upstream.bench.events_of(Hedged) == []


async def test_it_goes_to_another_endpoint() -> None:
    """One of two endpoints hangs: no call takes longer than the delay and one quick answer."""
    upstream = Upstream(ONE, TWO, policy=GENEROUS)
    await upstream.settle()
    upstream.scripts[ONE].then(hang())

    taken = [await upstream.timed() for _ in range(12)]

    assert {status for status, _ in taken} == {200}
    assert max(took for _, took in taken) < 0.25
    assert len(upstream.scripts[ONE].calls) == len(upstream.bench.events_of(HedgeWon)) > 0


async def test_it_goes_to_another_endpoint_however_busy_that_is() -> None:
    """The idle one has had its chance: it is where the first call hangs."""
    upstream = Upstream(ONE, TWO)
    await upstream.settle()
    upstream.scripts[ONE].then(hang())
    (busy,) = [one for one in upstream.stack.balancer.endpoints._all if one.key.host == TWO]
    busy.in_flight += 100

    received = await upstream.call()

    assert received.status == 200
    assert [len(upstream.scripts[host].calls) for host in (ONE, TWO)] == [1, 1]


async def test_no_call_is_hedged_before_there_are_enough_latencies() -> None:
    """The first forty-nine calls of an operation are sent once, however long they take."""
    upstream = Upstream()
    upstream.scripts[ONE].then(*[QUICK] * 48, reply(after=1.0))

    for _ in range(49):
        await upstream.call()

    assert upstream.sent == 49


@pytest.mark.parametrize(
    ("method", "headers", "sent"),
    [
        ("POST", (), 1),
        ("PATCH", (), 1),
        ("POST", ((b"idempotency-key", b"k"),), 2),
        ("PUT", (), 2),
    ],
    ids=["post", "patch", "keyed", "put"],
)
async def test_only_idempotent_calls_are_hedged(method: str, headers, sent: int) -> None:
    """A write that may not be repeated is not repeated, however slow."""
    upstream = Upstream()
    for _ in range(60):
        await upstream.call(method, headers=headers)
    before = upstream.sent
    upstream.scripts[ONE].then(reply(after=0.5))

    await upstream.call(method, headers=headers)

    assert upstream.sent - before == sent


async def test_a_keyed_write_does_not_fall_over_its_own_conflict() -> None:
    """The service answers the second that the first is under way: the first one's reply counts."""
    upstream = Upstream()
    keyed = ((b"idempotency-key", b"k"),)
    for _ in range(60):
        await upstream.call("POST", headers=keyed)
    upstream.scripts[ONE].then(reply(201, after=0.5), reply(409))

    assert await upstream.timed("POST", headers=keyed) == (201, pytest.approx(0.5))


async def test_hedges_are_a_fifth_of_the_calls_and_three() -> None:
    """An upstream that becomes slow as a whole is not called twice for everything."""
    upstream = await slow(reply(after=0.5), policy=replace(HEDGED, bulkhead=ROOMY))

    await asyncio.gather(*(upstream.call() for _ in range(100)))

    assert len(upstream.bench.events_of(Hedged)) == 23
    assert {event.reason for event in upstream.bench.events_of(HedgeRefused)} == {"budget"}
    assert len(upstream.scripts["all"].calls) == 123


async def test_hedges_and_retries_share_one_budget() -> None:
    """Slow and failing: attempts stay within 1.2 times the calls and three."""
    chance = random.Random(3)

    async def poor(call: Call) -> Reply:
        await asyncio.sleep(chance.uniform(0.05, 0.6))
        if chance.random() < 0.4:
            raise TransportFailed("broke", call=call, is_sent=True)
        return Reply(200)

    upstream = await slow(poor, policy=replace(HEDGED, breaker=None, bulkhead=ROOMY))

    calls = (upstream.call(timeout=30) for _ in range(100))
    await asyncio.gather(*calls, return_exceptions=True)

    assert upstream.bench.events_of(Hedged)
    assert len(upstream.scripts["all"].calls) <= 123


async def test_without_retries_hedges_have_the_budget_for_themselves() -> None:
    """Leaving the retry layer out does not leave the bound out."""
    upstream = await slow(reply(after=0.5), policy=replace(HEDGED, retry=None, bulkhead=ROOMY))

    await asyncio.gather(*(upstream.call() for _ in range(100)))

    assert len(upstream.scripts["all"].calls) == 123


async def test_a_call_that_waits_for_a_permit_is_not_hedged() -> None:
    """A second one would stand behind it in the queue."""
    policy = replace(HEDGED, bulkhead=Bulkhead(concurrent=1))
    upstream = await slow(QUICK, policy=policy)

    await asyncio.gather(*(upstream.call() for _ in range(5)))

    assert upstream.bench.events_of(Hedged) == []


async def test_a_hedge_does_not_queue() -> None:
    """Where no permit is free the second is refused, and the first goes on."""
    policy = replace(HEDGED, bulkhead=Bulkhead(concurrent=1))
    upstream = await slow(reply(after=0.5), policy=policy)

    taken = await upstream.timed()

    assert taken == (200, pytest.approx(0.5))
    assert len(upstream.bench.events_of(Hedged)) == 1
    assert upstream.layers[BulkheadLayer].permits.in_use == 0


async def test_a_hedge_that_fails_leaves_the_first_alone() -> None:
    """A failing second call does not affect the slow first one."""
    upstream = await slow(reply(200, b"late", after=0.6), fail())

    assert (await upstream.call()).body == b"late"


@pytest.mark.parametrize("first", [fail(after=0.15), reply(500, after=0.15)], ids=["broke", "500"])
async def test_a_first_that_fails_waits_for_the_second(first: Step) -> None:
    """It has failed for good, and the second answers a moment later."""
    once = replace(HEDGED, retry=None)
    upstream = await slow(first, reply(200, b"second", after=0.3), policy=once)

    assert (await upstream.call()).body == b"second"


async def test_when_both_fail_the_first_error_counts_all_attempts() -> None:
    """The caller learns what happened to the call, and that two were sent."""
    upstream = await slow(
        fail(after=0.15), reply(503, after=0.3), policy=replace(HEDGED, retry=None)
    )

    with pytest.raises(TransportFailed) as caught:
        await upstream.call()

    assert caught.value.attempts == 2


async def test_the_first_is_retried_while_the_second_runs() -> None:
    """Three attempts in all: the first, its hedge, and the retry that saves the day."""
    upstream = await slow(fail(after=0.15), hang(), reply(200, b"third"))

    assert (await upstream.call()).body == b"third"


async def test_a_deadline_cuts_both_and_reports_two_attempts() -> None:
    """Nothing outlives the call."""
    upstream = await slow(hang())

    with pytest.raises(DeadlineExceeded) as caught:
        await upstream.call(timeout=1.0)
    await asyncio.sleep(0.001)

    assert caught.value.attempts == 2
    assert upstream.in_flight == 0
    assert upstream.bench.background == set()


async def test_a_client_that_leaves_takes_both_along() -> None:
    """Its cancellation stays one, and no attempt goes on."""
    upstream = await slow(hang())
    task = asyncio.create_task(upstream.call())
    await asyncio.sleep(0.5)
    both = upstream.scripts["all"].in_flight

    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.sleep(0.001)
    assert (both, upstream.in_flight) == (2, 0)


async def test_a_client_that_leaves_in_the_moment_of_winning_is_gone() -> None:
    """A caller that cancels a task may rely on it, even when an answer has just come."""
    loop = asyncio.get_running_loop()

    async def answer_while_the_client_leaves(_: Call) -> Reply:
        await asyncio.sleep(0.1)
        loop.call_soon(client.cancel)
        return Reply(200)

    upstream = await slow(hang(), answer_while_the_client_leaves)
    client = asyncio.create_task(upstream.call())

    with pytest.raises(asyncio.CancelledError):
        await client
    assert len(upstream.bench.events_of(HedgeWon)) == 1
    assert upstream.in_flight == 0


async def test_cancelled_hedges_count_against_no_endpoint() -> None:
    """A hundred cancelled attempts open no circuit and eject no endpoint."""
    upstream = Upstream(ONE, TWO, policy=GENEROUS)
    await upstream.settle()
    upstream.scripts[ONE].then(hang())

    for _ in range(100):
        await upstream.call()

    outcomes = {event.outcome for event in upstream.bench.events_of(Attempted)}
    assert outcomes == {"200", "cancelled"}
    assert upstream.bench.events_of(BreakerChanged) == []
    assert upstream.bench.events_of(Ejected) == []


async def test_hedging_does_not_feed_on_itself() -> None:
    """A twentieth of calls is slow for ever: hedges stay a twentieth, the delay where it was."""
    chance = random.Random(5)
    upstream = Upstream(policy=HEDGED)

    async def sometimes_slow(call: Call) -> Reply:
        await asyncio.sleep(1.0 if chance.random() < 0.04 else chance.uniform(0.05, 0.1))
        return Reply(200)

    upstream.scripts[ONE].then(sometimes_slow)

    for _ in range(2000):
        await upstream.call()

    hedged = len(upstream.bench.events_of(Hedged))
    assert 0.03 * 2000 < hedged < 0.07 * 2000
    assert upstream.sent == 2000 + hedged


@pytest.mark.slow
async def test_the_tail_gets_shorter_and_the_load_hardly_grows() -> None:
    """One call in a hundred takes a second: the 99.5th percentile falls to less than a third."""

    async def slowest(policy: Policy) -> tuple[float, int]:
        chance, upstream = random.Random(5), Upstream(policy=policy)

        async def with_a_tail(call: Call) -> Reply:
            await asyncio.sleep(1.0 if chance.random() < 0.01 else chance.uniform(0.05, 0.1))
            return Reply(200)

        upstream.scripts[ONE].then(with_a_tail)
        taken = sorted([(await upstream.timed())[1] for _ in range(3000)])
        return taken[int(0.995 * 3000)], upstream.sent

    (plain, _), (hedged, sent) = await slowest(Policy(coalesce=False)), await slowest(HEDGED)

    assert plain == pytest.approx(1.0)
    assert hedged < 0.3
    assert sent < 1.08 * 3000


@pytest.mark.parametrize("seed", range(3))
async def test_a_storm_of_slow_calls_and_cancels_leaves_nothing_behind(seed: int) -> None:
    """Three hundred calls, a third cancelled at any moment: no permit, task or attempt is left."""
    chance = random.Random(seed)

    async def any_way(call: Call) -> Reply:
        await asyncio.sleep(chance.choice([0.05, 0.1, 0.2, 0.5, 3.0]))
        if chance.random() < 0.2:
            raise TransportFailed("broke", call=call, is_sent=True)
        return Reply(200)

    policy = replace(GENEROUS, breaker=None)
    upstream = await slow(any_way, policy=policy, hosts=(ONE, TWO))

    async def one() -> int:
        await asyncio.sleep(chance.uniform(0, 2))
        try:
            return (await upstream.call(timeout=2)).status
        except UpstreamError:
            return 0

    tasks = [asyncio.create_task(one()) for _ in range(300)]
    for task in chance.sample(tasks, 100):
        asyncio.get_running_loop().call_later(chance.uniform(0, 3), task.cancel)
    await asyncio.wait(tasks)
    await asyncio.sleep(0.001)

    assert sum(not task.cancelled() for task in tasks) >= 200
    assert upstream.in_flight == 0
    assert upstream.bench.background == set()
    assert upstream.layers[BulkheadLayer].permits.in_use == 0


async def test_a_race_leaves_no_reference_cycle() -> None:
    """Its memory is freed without the cyclic collector."""
    upstream = await slow(hang(), reply(200, bytes(10)))
    gc.collect()
    gc.disable()
    try:
        call = structs.replace(upstream.bench.call())
        mark = Mark()
        call.trail.append(Attempt(mark, 0.0))
        gone = weakref.ref(mark)
        del mark
        await upstream.stack.handler(call)
        upstream.scripts["all"].calls.clear()
        for script in upstream.scripts.values():
            script.calls.clear()
        upstream.bench.events.clear()
        del call
        await asyncio.sleep(0.001)

        assert gone() is None
    finally:
        gc.enable()


class Mark:
    """An object whose end can be observed."""
