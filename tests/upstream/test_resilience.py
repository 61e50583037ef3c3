"""All layers together, through the faults that the framework promises to bear."""

import asyncio
from collections import Counter

import pytest

from bff_core.call import Handler
from bff_core.errors import CircuitOpen, UpstreamError
from bff_core.events import BreakerChanged
from bff_core.policy.upstream.policy import Policy
from bff_core.testing.layer_runtime import LayerRuntime
from bff_core.testing.scripted import Scripted, ScriptedTransport, fail, hang, reply
from bff_core.upstream.stack import UpstreamStack
from bff_core.upstream.transport.interface import Endpoint

pytestmark = pytest.mark.virtual_time

HOST = "10.0.0.1"


def stack(bench: LayerRuntime, upstream: Scripted, policy: Policy) -> Handler:
    origin = Endpoint("http", HOST, 80, HOST)
    return UpstreamStack(
        policy, [origin], bench.runtime, ScriptedTransport({HOST: upstream})
    ).handler


class Load:
    """Fifty different reads per second, and how each ended."""

    def __init__(self, bench: LayerRuntime, handler: Handler) -> None:
        self.bench, self.handler = bench, handler
        self.ended: list[tuple[float, float, object]] = []

    async def run(self, seconds: float) -> None:
        async with asyncio.TaskGroup() as group:
            for number in range(int(seconds * 50)):
                group.create_task(self.one(number))
                await asyncio.sleep(0.02)

    async def one(self, number: int) -> None:
        began = self.bench.now
        try:
            received = await self.handler(self.bench.call(f"/users/{number}", timeout=10))
            outcome: object = received.status
        except UpstreamError as error:
            outcome = type(error)
        self.ended.append((began, self.bench.now - began, outcome))

    def between(self, start: float, end: float) -> Counter[object]:
        return Counter(outcome for began, _, outcome in self.ended if start <= began < end)


@pytest.mark.slow
@pytest.mark.parametrize(
    "fault",
    [reply(500), reply(503, after=0.2), fail(), hang()],
    ids=["500", "503", "reset", "hang"],
)
async def test_a_minute_of_faults_passes_without_a_storm_and_heals_by_itself(fault) -> None:
    """A fifth more attempts at most, refusals within a window, all well 10 s after."""
    bench, upstream = LayerRuntime(), Scripted(reply(200, after=0.01))
    load = Load(bench, stack(bench, upstream, Policy()))
    began, loop = bench.now, asyncio.get_running_loop()
    loop.call_at(began + 20, upstream.then, fault)
    loop.call_at(began + 80, upstream.then, reply(200, after=0.01))

    await load.run(120)

    opened = [event for event in bench.events_of(BreakerChanged) if event.state == "open"]
    assert len(upstream.calls) <= 1.2 * len(load.ended) + 3
    assert opened
    assert load.between(began + 30 + 2.5, began + 80)[CircuitOpen] > 0.9 * 47.5 * 50
    assert set(load.between(began + 90, began + 120)) == {200}
    assert max(duration for _, duration, _ in load.ended) <= 10.001
