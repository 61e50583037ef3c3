"""The breaker layer: a failing upstream is left alone, and its callers don't wait."""

import asyncio

import pytest

from bff_core.call import Handler
from bff_core.errors import BulkheadFull, CircuitOpen, DeadlineExceeded, TransportFailed
from bff_core.events import BreakerChanged, CallRejected
from bff_core.policy.upstream.breaker import Breaker
from bff_core.policy.upstream.bulkhead import Bulkhead
from bff_core.policy.upstream.policy import Policy
from bff_core.testing.layer_runtime import LayerRuntime
from bff_core.testing.scripted import (
    Scripted,
    ScriptedTransport,
    Step,
    fail,
    fail_with,
    hang,
    reply,
)
from bff_core.upstream.layers.breaker import BreakerLayer
from bff_core.upstream.layers.deadline import DeadlineLayer
from bff_core.upstream.stack import UpstreamStack
from bff_core.upstream.transport.interface import Endpoint

pytestmark = pytest.mark.virtual_time


async def after_twenty(bench: LayerRuntime, step: Step, **options) -> tuple[BreakerLayer, Scripted]:
    """Return a breaker through which twenty calls went."""
    upstream = Scripted(step)
    layer = BreakerLayer(Breaker(**options), bench.runtime, upstream)
    await asyncio.gather(*(layer(bench.call()) for _ in range(20)), return_exceptions=True)
    return layer, upstream


@pytest.mark.parametrize("step", [reply(500), reply(503), fail(), fail(is_sent=False)])
async def test_an_upstream_that_fails_is_not_called_any_more(step: Step) -> None:
    """Refusals are immediate, and tell when to come again."""
    bench = LayerRuntime()
    layer, upstream = await after_twenty(bench, step)
    began = bench.now

    with pytest.raises(CircuitOpen) as caught:
        await layer(bench.call())

    assert (len(upstream.calls), bench.now) == (20, began)
    assert caught.value.retry_after == pytest.approx(5, rel=0.21)
    assert (caught.value.status, caught.value.attempts) == (503, 0)


@pytest.mark.parametrize("status", [400, 401, 404, 409, 429])
async def test_client_errors_never_count(status: int) -> None:
    """4xx, 429 included, leave the circuit closed."""
    bench = LayerRuntime()

    layer, _ = await after_twenty(bench, reply(status))

    assert layer.circuit.state == "closed"


async def test_calls_that_were_never_sent_do_not_count() -> None:
    """A full bulkhead says nothing about the upstream."""
    bench = LayerRuntime()

    layer, _ = await after_twenty(bench, fail_with(lambda call: BulkheadFull("full", call=call)))

    assert layer.circuit.state == "closed"


async def test_slow_replies_open_it() -> None:
    """An upstream may answer well, but too late to be of use."""
    bench = LayerRuntime()

    layer, _ = await after_twenty(bench, reply(after=2.5))

    assert layer.circuit.state == "open"


async def test_the_wait_for_a_permit_does_not_make_a_call_slow() -> None:
    """Fifty quick calls through a narrow bulkhead take five seconds, and none counts as slow."""
    bench, upstream = LayerRuntime(), Scripted(reply(after=0.1))
    policy = Policy(bulkhead=Bulkhead(concurrent=1))
    handler = stack_to(upstream, bench, policy)
    began = bench.now

    await asyncio.gather(*(handler(bench.call(f"/users/{number}")) for number in range(50)))

    assert bench.now - began == pytest.approx(5.0)
    assert bench.events_of(BreakerChanged) == []


async def test_a_slow_reply_counts_without_its_wait_in_the_queue() -> None:
    """Twenty-five calls that take two seconds each open the circuit, permits or not."""
    bench, upstream = LayerRuntime(), Scripted(reply(after=2.1))
    handler = stack_to(upstream, bench, Policy(bulkhead=Bulkhead(concurrent=10)))

    calls = (handler(bench.call(f"/users/{number}")) for number in range(30))
    await asyncio.gather(*calls, return_exceptions=True)

    assert [event.state for event in bench.events_of(BreakerChanged)] == ["open"]


def stack_to(upstream: Scripted, bench: LayerRuntime, policy: Policy) -> Handler:
    transport = ScriptedTransport({"10.0.0.1": upstream})
    origin = Endpoint("http", "10.0.0.1", 80, "10.0.0.1")
    return UpstreamStack(policy, [origin], bench.runtime, transport).handler


async def test_clients_that_leave_never_count() -> None:
    """However many cancel, and however long they waited."""
    bench = LayerRuntime()
    layer = BreakerLayer(Breaker(), bench.runtime, Scripted(hang()))
    tasks = [asyncio.create_task(layer(bench.call(timeout=60))) for _ in range(50)]
    await asyncio.sleep(30)

    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)

    assert layer.circuit.state == "closed"


@pytest.mark.parametrize(("left", "state"), [(0.8, "open"), (0.05, "closed")])
async def test_calls_cut_at_their_deadline_count_if_it_left_some_time(left, state) -> None:
    """A hanging upstream opens it; a client with a deadline of 50 ms cannot."""
    bench = LayerRuntime()
    breaker = BreakerLayer(Breaker(), bench.runtime, Scripted(hang()))
    layer = DeadlineLayer(bench.runtime, breaker)

    outcomes = await asyncio.gather(
        *(layer(bench.call(timeout=left)) for _ in range(20)), return_exceptions=True
    )

    assert all(type(outcome) is DeadlineExceeded for outcome in outcomes)
    assert breaker.circuit.state == state


async def test_it_closes_after_good_probes_and_reports_each_change() -> None:
    """Three calls probe, one after another or at once; then everybody is let through."""
    bench = LayerRuntime()
    layer, upstream = await after_twenty(bench, reply(500))
    upstream.then(reply(200))
    await asyncio.sleep(6)

    for _ in range(4):
        await layer(bench.call())

    states = [event.state for event in bench.events_of(BreakerChanged)]
    assert states == ["open", "half-open", "closed"]


async def test_only_three_calls_probe_at_once() -> None:
    """There is no herd at half-open: the others are refused meanwhile."""
    bench = LayerRuntime()
    layer, upstream = await after_twenty(bench, reply(500))
    upstream.then(reply(200, after=1))
    await asyncio.sleep(6)

    outcomes = await asyncio.gather(
        *(layer(bench.call()) for _ in range(100)), return_exceptions=True
    )

    assert sum(isinstance(outcome, CircuitOpen) for outcome in outcomes) == 97
    assert len(upstream.calls) == 23
    assert len(bench.events_of(CallRejected)) == 97


async def test_cancelled_probes_give_their_slots_back() -> None:
    """Clients that leave in half-open don't block it for ever."""
    bench = LayerRuntime()
    layer, upstream = await after_twenty(bench, reply(500))
    upstream.then(hang())
    await asyncio.sleep(6)
    probes = [asyncio.create_task(layer(bench.call(timeout=60))) for _ in range(3)]
    await asyncio.sleep(1)

    for probe in probes:
        probe.cancel()
    await asyncio.wait(probes)
    upstream.then(reply(200))

    assert [(await layer(bench.call())).status for _ in range(5)] == [200] * 5
    assert layer.circuit.state == "closed"


async def test_a_mistake_in_the_gateway_gives_its_slot_back() -> None:
    """An unexpected error is not the upstream's, and the probe's slot is free again."""
    bench = LayerRuntime()
    layer, upstream = await after_twenty(bench, reply(500))
    upstream.then(fail_with(lambda call: ZeroDivisionError()))
    await asyncio.sleep(6)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            await layer(bench.call())
    upstream.then(reply(200))

    assert [(await layer(bench.call())).status for _ in range(4)] == [200] * 4


async def test_readiness_may_ask_whether_it_is_open() -> None:
    """It is no longer open as soon as it admits a probe, or none would ever be sent."""
    bench = LayerRuntime()
    layer, _ = await after_twenty(bench, reply(500))

    at_first = layer.is_open
    await asyncio.sleep(6)

    assert (at_first, layer.is_open) == (True, False)


async def test_replies_that_come_late_do_not_open_it_again() -> None:
    """Calls from before the outage may fail after it is over."""
    bench, upstream = LayerRuntime(), Scripted(*[fail(after=9)] * 30, reply(500))
    layer = BreakerLayer(Breaker(), bench.runtime, upstream)
    early = [asyncio.create_task(layer(bench.call())) for _ in range(30)]
    await asyncio.sleep(0)
    await asyncio.gather(*(layer(bench.call()) for _ in range(20)))
    upstream.then(reply(200))
    await asyncio.sleep(6)
    for _ in range(3):
        await layer(bench.call())

    outcomes = await asyncio.gather(*early, return_exceptions=True)

    assert all(isinstance(outcome, TransportFailed) for outcome in outcomes)
    assert layer.circuit.state == "closed"


async def test_calls_are_refused_while_an_operator_has_opened_the_circuit() -> None:
    """The error and the event name the reason, and the call is not sent."""
    bench = LayerRuntime()
    upstream = Scripted(reply(200))
    layer = BreakerLayer(Breaker(), bench.runtime, upstream)

    layer.force_open(30)
    with pytest.raises(CircuitOpen, match="an operator opened the circuit") as caught:
        await layer(bench.call())

    assert (upstream.calls, caught.value.retry_after) == ([], 30)
    assert [one.reason for one in bench.events_of(CallRejected)] == ["circuit_forced"]
    assert [one.retry_after for one in bench.events_of(BreakerChanged)] == [30]


async def test_a_circuit_that_an_operator_opened_closes_by_itself() -> None:
    """After the time its probes are sent, and three good ones close it."""
    bench = LayerRuntime()
    upstream = Scripted(reply(200))
    layer = BreakerLayer(Breaker(), bench.runtime, upstream)
    layer.force_open(30)

    await asyncio.sleep(30)
    before = layer.state()
    for _ in range(3):
        await layer(bench.call())

    assert (before.state, before.is_forced) == ("half-open", False)
    assert (layer.state().state, len(upstream.calls)) == ("closed", 3)
