"""The adaptive bulkhead before a machine of fixed capacity, in virtual time."""

import asyncio
import random

import pytest

from bff_core.call import Call, Reply
from bff_core.errors import BulkheadFull, UpstreamError
from bff_core.events import LimitMoved
from bff_core.policy.upstream.bulkhead import Bulkhead
from bff_core.policy.upstream.concurrency import Adaptive
from bff_core.testing.layer_runtime import LayerRuntime
from bff_core.testing.scripted import Scripted, hang, reply
from bff_core.upstream.layers.attempt import AttemptLayer
from bff_core.upstream.layers.bulkhead import AdaptiveBulkheadLayer, bulkhead_layer

pytestmark = pytest.mark.virtual_time

CAPACITY = 10
WORK = 0.1


class Machine:
    """Works on ten calls at once, each a tenth of a second on average; others queue inside."""

    def __init__(self) -> None:
        self.slowness = 1.0
        self.most = 0
        self._waiting = 0
        self._seats = asyncio.Semaphore(CAPACITY)
        self._chance = random.Random(7)

    async def __call__(self, call: Call) -> Reply:
        self._waiting += 1
        self.most = max(self.most, self._waiting)
        try:
            async with self._seats:
                await asyncio.sleep(self._chance.uniform(0.5, 1.5) * WORK * self.slowness)
        finally:
            self._waiting -= 1
        return Reply(200)


class Clients:
    """So many calls a second, at random instants, whether or not earlier ones have ended."""

    def __init__(self, machine: Machine, *, queue: int = 10) -> None:
        self.bench = LayerRuntime(listens=False)
        options = Bulkhead(concurrent=200, queue=queue, adaptive=Adaptive())
        attempt = AttemptLayer(2.5, self.bench.runtime, machine)
        self.layer = bulkhead_layer(options, self.bench.runtime, attempt)
        self.began = self.bench.now
        self.answered: list[tuple[float, float]] = []
        self.limits: list[tuple[float, int]] = []
        self._chance = random.Random(11)

    async def come(self, rate: float, seconds: float) -> None:
        until = self.bench.now + seconds
        async with asyncio.TaskGroup() as group:
            while self.bench.now < until:
                group.create_task(self._one())
                self.limits.append((self.bench.now, self.layer.permits.limit))
                await asyncio.sleep(self._chance.expovariate(rate))

    async def _one(self) -> None:
        began = self.bench.now
        try:
            await self.layer(self.bench.call(timeout=3))
        except UpstreamError:
            return
        self.answered.append((self.bench.now, self.bench.now - began))

    def goodput(self, start: float, end: float) -> float:
        """Return how many calls a second were answered between two instants of the run."""
        inside = [at for at, _ in self.answered if start <= at - self.began < end]
        return len(inside) / (end - start)

    def slowest(self, start: float, end: float) -> float:
        return max(took for at, took in self.answered if start <= at - self.began < end)

    def limit(self, start: float, end: float) -> float:
        """Return the median of the limit."""
        inside = sorted(limit for at, limit in self.limits if start <= at - self.began < end)
        return inside[len(inside) // 2]


@pytest.mark.slow
async def test_it_settles_near_the_capacity_and_preserves_the_goodput() -> None:
    """At twice what the machine can do it is busy all the time, and its own queue stays short."""
    machine = Machine()
    clients = Clients(machine)

    await clients.come(rate=200, seconds=90)

    assert CAPACITY <= clients.limit(20, 90) <= 2 * CAPACITY
    assert clients.goodput(20, 90) > 0.93 * CAPACITY / WORK
    assert machine.most < 4 * CAPACITY
    assert clients.slowest(20, 90) < 1.0


@pytest.mark.slow
async def test_it_does_not_take_a_lasting_queue_for_the_normal_state() -> None:
    """After five minutes of too much the limit is where it was after one."""
    clients = Clients(Machine())

    await clients.come(rate=150, seconds=300)

    assert clients.limit(250, 300) == pytest.approx(clients.limit(30, 60), rel=0.35)


async def test_it_follows_an_upstream_that_becomes_slow_and_heals() -> None:
    """Ten times slower for a minute: the queue moves here, and all is well soon after."""
    machine = Machine()
    clients = Clients(machine)
    loop = asyncio.get_running_loop()
    loop.call_later(30, setattr, machine, "slowness", 10.0)
    loop.call_later(90, setattr, machine, "slowness", 1.0)

    await clients.come(rate=60, seconds=120)

    assert clients.goodput(10, 30) == pytest.approx(60, rel=0.1)
    assert clients.limit(60, 90) <= 2.5 * CAPACITY
    assert clients.goodput(60, 90) > 0.7 * CAPACITY / (10 * WORK)
    assert clients.goodput(100, 120) == pytest.approx(60, rel=0.1)


async def test_a_light_load_is_never_refused() -> None:
    """Half of what the machine can do passes whole, for as long as one likes."""
    clients = Clients(Machine())

    await clients.come(rate=50, seconds=120)

    assert len(clients.answered) == len(clients.limits)


async def test_a_raised_limit_admits_waiting_calls_at_once() -> None:
    """The release of the call that raised the limit admits more than one waiting call."""
    bench, upstream = LayerRuntime(), Scripted(reply(after=0.2))
    options = Bulkhead(queue=100, adaptive=Adaptive(initial=10))
    layer = bulkhead_layer(options, bench.runtime, upstream)
    tasks = [asyncio.create_task(layer(bench.call())) for _ in range(40)]
    await asyncio.sleep(0.5)

    assert layer.permits.limit > 10
    assert layer.permits.in_use == layer.permits.limit
    assert bench.events_of(LimitMoved)[-1].limit == layer.permits.limit
    await asyncio.gather(*tasks)
    assert repr(layer).startswith("bulkhead   0 of ")


@pytest.mark.parametrize(
    "step", [reply(503, after=0.1), reply(429, after=0.1), hang()], ids=["503", "429", "hang"]
)
async def test_refusals_and_timeouts_are_drops(step) -> None:
    """An upstream that has had enough gets less."""
    bench = LayerRuntime()
    attempt = AttemptLayer(1.0, bench.runtime, Scripted(step))
    options = Bulkhead(queue=1000, adaptive=Adaptive())
    layer = bulkhead_layer(options, bench.runtime, attempt)

    calls = (layer(bench.call(timeout=60)) for _ in range(100))
    await asyncio.gather(*calls, return_exceptions=True)

    assert layer.permits.limit < 10


async def test_cancelled_calls_and_calls_never_sent_do_not_move_the_limit() -> None:
    """Neither a cancellation nor a full queue moves the limit."""
    bench = LayerRuntime()
    options = Bulkhead(queue=0, adaptive=Adaptive())
    layer = AdaptiveBulkheadLayer(options, Adaptive(), bench.runtime, Scripted(hang()))
    for _ in range(5):
        tasks = [asyncio.create_task(layer(bench.call(timeout=60))) for _ in range(20)]
        await asyncio.sleep(1)
        with pytest.raises(BulkheadFull):
            await layer(bench.call())
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)

    assert layer.permits.limit == 20
    assert bench.events_of(LimitMoved) == []
