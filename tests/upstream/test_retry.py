"""The retry layer: failed calls are sent again, within their time and a budget."""

import asyncio

import pytest

from bff_core.errors import (
    AttemptTimedOut,
    CircuitOpen,
    DeadlineExceeded,
    TransportFailed,
)
from bff_core.events import Retried, RetryRefused
from bff_core.policy.upstream.retry import Retry
from bff_core.testing.layer_runtime import LayerRuntime
from bff_core.testing.scripted import Scripted, fail, fail_with, hang, reply
from bff_core.upstream.layers.attempt import AttemptLayer
from bff_core.upstream.layers.deadline import DeadlineLayer
from bff_core.upstream.layers.retry import RetryLayer

pytestmark = pytest.mark.virtual_time


async def test_a_read_that_failed_succeeds_the_second_time() -> None:
    """The caller gets the good reply; an event reports the retry."""
    bench, upstream = LayerRuntime(), Scripted(reply(503), reply(200, b"ok"))

    received = await RetryLayer(Retry(), bench.runtime, upstream)(bench.call())

    assert received.body == b"ok"
    (event,) = bench.events_of(Retried)
    assert (event.attempt, event.reason) == (2, "503")


async def test_after_three_attempts_the_last_reply_is_the_outcome() -> None:
    """A failing status comes back as it is, for the caller to judge."""
    bench, upstream = LayerRuntime(), Scripted(reply(500), reply(502), reply(503), reply(200))

    received = await RetryLayer(Retry(), bench.runtime, upstream)(bench.call())

    assert (received.status, len(upstream.calls)) == (503, 3)


async def test_an_error_says_how_many_attempts_were_sent() -> None:
    """It is the last attempt's own error."""
    bench, upstream = LayerRuntime(), Scripted(fail())

    with pytest.raises(TransportFailed) as caught:
        await RetryLayer(Retry(), bench.runtime, upstream)(bench.call())

    assert (caught.value.attempts, len(upstream.calls)) == (3, 3)


async def test_the_backoff_passes_before_each_further_attempt() -> None:
    """The delays are those that the events tell, jittered between nothing and the maximum."""
    bench, upstream = LayerRuntime(), Scripted(reply(500))
    began = bench.now

    await RetryLayer(Retry(), bench.runtime, upstream)(bench.call())

    delays = [event.delay for event in bench.events_of(Retried)]
    assert bench.now - began == pytest.approx(sum(delays))
    assert 0 < delays[0] <= 0.025
    assert 0 < delays[1] <= 0.05


async def test_a_service_that_says_wait_is_given_that_time() -> None:
    """Retry-After is obeyed to the second."""
    limited = reply(429, headers={"Retry-After": "3"})
    bench, upstream = LayerRuntime(), Scripted(limited, reply())
    began = bench.now

    received = await RetryLayer(Retry(), bench.runtime, upstream)(bench.call())

    assert received.status == 200
    assert bench.now - began == pytest.approx(3)


async def test_a_service_that_says_wait_too_long_is_not_waited_for() -> None:
    """Its reply comes back at once, and an event says why."""
    bench, upstream = LayerRuntime(), Scripted(reply(503, headers={"Retry-After": "60"}))
    began = bench.now

    received = await RetryLayer(Retry(), bench.runtime, upstream)(bench.call(timeout=10))

    assert (received.status, bench.now) == (503, began)
    assert [event.reason for event in bench.events_of(RetryRefused)] == ["retry_after"]


async def test_a_date_in_retry_after_is_judged_by_the_time_of_day() -> None:
    """The wall clock is read only for this."""
    until = reply(503, headers={"Retry-After": "Thu, 01 Jan 2026 12:00:04 GMT"})
    bench, upstream = LayerRuntime(), Scripted(until, reply())
    began = bench.now

    layer = RetryLayer(Retry(), bench.runtime, upstream, wall=lambda: 1_767_268_800.0)
    await layer(bench.call())

    assert bench.now - began == pytest.approx(4)


async def test_a_refused_call_is_not_repeated() -> None:
    """An open circuit ends it, without waiting."""
    bench = LayerRuntime()
    upstream = Scripted(fail_with(lambda call: CircuitOpen("open", call=call, retry_after=4)))
    began = bench.now

    with pytest.raises(CircuitOpen):
        await RetryLayer(Retry(), bench.runtime, upstream)(bench.call())

    assert (len(upstream.calls), bench.now) == (1, began)


async def test_a_circuit_that_opens_meanwhile_ends_the_retries() -> None:
    """The refusal says what went before and how much was really sent."""
    bench = LayerRuntime()
    opened = fail_with(lambda call: CircuitOpen("open", call=call, retry_after=4))
    upstream = Scripted(fail(), opened)

    with pytest.raises(CircuitOpen) as caught:
        await RetryLayer(Retry(), bench.runtime, upstream)(bench.call())

    assert caught.value.attempts == 1
    assert isinstance(caught.value.__cause__, TransportFailed)


async def test_a_write_is_sent_once() -> None:
    """A POST may have been received; it is not repeated."""
    bench, upstream = LayerRuntime(), Scripted(fail(), reply())

    with pytest.raises(TransportFailed) as caught:
        await RetryLayer(Retry(), bench.runtime, upstream)(bench.call(method="POST"))

    assert (caught.value.attempts, len(upstream.calls)) == (1, 1)


async def test_a_write_that_could_not_connect_is_tried_again() -> None:
    """No service received it."""
    bench, upstream = LayerRuntime(), Scripted(fail(is_sent=False), reply(201))

    received = await RetryLayer(Retry(), bench.runtime, upstream)(bench.call(method="POST"))

    assert received.status == 201


async def test_a_hanging_attempt_leaves_time_for_another() -> None:
    """Each attempt has 2.5 s; the second answers."""
    bench, upstream = LayerRuntime(), Scripted(hang(), reply())
    began = bench.now
    attempt = AttemptLayer(2.5, bench.runtime, upstream)

    received = await RetryLayer(Retry(), bench.runtime, attempt)(bench.call())

    assert received.status == 200
    assert 2.5 <= bench.now - began <= 2.525


async def test_retries_end_with_the_call() -> None:
    """Three attempts of 2.5 s don't fit into five seconds: the deadline cuts the last one."""
    bench, upstream = LayerRuntime(), Scripted(hang())
    attempt = AttemptLayer(2.5, bench.runtime, upstream)
    layer = DeadlineLayer(bench.runtime, RetryLayer(Retry(), bench.runtime, attempt))
    began = bench.now

    with pytest.raises(DeadlineExceeded) as caught:
        await layer(bench.call(timeout=5))

    assert not isinstance(caught.value, AttemptTimedOut)
    assert bench.now - began == pytest.approx(5)
    assert (len(upstream.calls), upstream.in_flight) == (2, 0)


async def test_a_client_that_leaves_during_the_backoff_ends_it() -> None:
    """No attempt is made once the caller has left."""
    bench, upstream = LayerRuntime(), Scripted(reply(503, headers={"Retry-After": "5"}))
    layer = RetryLayer(Retry(), bench.runtime, upstream)
    task = asyncio.create_task(layer(bench.call()))
    await asyncio.sleep(1)

    task.cancel()
    await asyncio.wait([task])

    assert task.cancelled()
    assert len(upstream.calls) == 1


async def test_a_failing_upstream_gets_a_fifth_more_calls_and_three() -> None:
    """The budget is shared by all calls; what it refuses comes back as it failed."""
    bench, upstream = LayerRuntime(), Scripted(reply(500))
    layer = RetryLayer(Retry(), bench.runtime, upstream)

    replies = await asyncio.gather(*(layer(bench.call()) for _ in range(100)))

    assert {received.status for received in replies} == {500}
    assert len(upstream.calls) == 123
    assert {event.reason for event in bench.events_of(RetryRefused)} == {"budget"}


async def test_a_mistake_in_the_gateway_is_not_retried() -> None:
    """Only upstreams are called again."""
    bench, calls = LayerRuntime(), []

    async def broken(call):
        calls.append(call)
        if len(calls) > 1:
            raise ZeroDivisionError
        raise TransportFailed("reset", call=call, is_sent=True)

    with pytest.raises(ZeroDivisionError):
        await RetryLayer(Retry(), bench.runtime, broken)(bench.call())

    assert len(calls) == 2
