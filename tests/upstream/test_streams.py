"""Streamed calls pass the same layers as buffered ones."""

import asyncio
import dataclasses
from contextlib import AsyncExitStack

import pytest
from msgspec.structs import replace

from bff_core.cache.response_cache import ResponseCache
from bff_core.cache.stores.memory import MemoryCacheStore
from bff_core.call import Call, Handler, Reply
from bff_core.errors import BulkheadFull, CircuitOpen, DeadlineExceeded, TransportFailed
from bff_core.events import BreakerChanged, Ejected
from bff_core.policy.upstream.balance import Balance
from bff_core.policy.upstream.breaker import Breaker
from bff_core.policy.upstream.bulkhead import Bulkhead
from bff_core.policy.upstream.cache import Cache
from bff_core.policy.upstream.hedge import Hedge
from bff_core.policy.upstream.policy import Policy
from bff_core.policy.upstream.retry import Retry
from bff_core.streamed_body import StreamedBody
from bff_core.testing.layer_runtime import LayerRuntime
from bff_core.testing.scripted import Scripted, ScriptedTransport, fail, hang, reply, stream
from bff_core.upstream.stack import UpstreamStack, open_stack
from tests.streamed import opened

pytestmark = pytest.mark.virtual_time

ONE, TWO = "10.0.0.1", "10.0.0.2"
QUICK = Retry(backoff=0.01, budget_min=1000)


def opened_stack(
    bench: LayerRuntime, script: Scripted, *more: Scripted, **options: object
) -> UpstreamStack:
    """Return the stack of a policy over one scripted upstream, or two."""
    defaults = {"retry": None, "breaker": None, "bulkhead": None, "coalesce": False}
    policy = Policy(**{**defaults, **options})
    scripts = dict(zip((ONE, TWO), (script, *more), strict=False))
    addresses = [f"http://{one}" for one in scripts]
    return open_stack(policy, addresses, bench.runtime, lambda *_: ScriptedTransport(scripts))


async def read(handler: Handler, call: Call) -> bytes:
    """Read a stream to its end."""
    async with opened(handler, call) as answer:
        return b"".join([piece async for piece in answer])


async def test_streams_that_break_off_open_the_circuit() -> None:
    """Each had a good head; the circuit opens as for calls that fail, and refuses streams."""
    bench, script = LayerRuntime(), Scripted(stream(b"one", breaks=True))
    handler = opened_stack(bench, script, breaker=Breaker(minimum_calls=3)).handler
    for _ in range(3):
        with pytest.raises(TransportFailed):
            await read(handler, bench.call())

    with pytest.raises(CircuitOpen):
        await read(handler, bench.call())

    assert [one.state for one in bench.events_of(BreakerChanged)] == ["open"]
    assert len(script.calls) == 3


async def test_a_reader_that_leaves_is_no_failure_of_the_service() -> None:
    """The circuit stays closed, however many leave."""
    bench = LayerRuntime()
    script = Scripted(stream(b"one", b"two", breaks=True))
    handler = opened_stack(bench, script, breaker=Breaker(minimum_calls=1)).handler
    for _ in range(30):
        async with opened(handler, bench.call()) as answer:
            await anext(aiter(answer))

    assert bench.events_of(BreakerChanged) == []


async def test_a_probe_whose_body_breaks_off_opens_the_circuit_again() -> None:
    """A good head alone does not close it."""
    bench = LayerRuntime()
    script = Scripted(fail(), stream(b"one", breaks=True))
    options = Breaker(minimum_calls=1, open_for=1.0, probes=2)
    handler = opened_stack(bench, script, breaker=options).handler
    with pytest.raises(TransportFailed):
        await read(handler, bench.call())
    await asyncio.sleep(2)
    with pytest.raises(TransportFailed):
        await read(handler, bench.call())

    with pytest.raises(CircuitOpen):
        await read(handler, bench.call())

    assert [one.state for one in bench.events_of(BreakerChanged)] == ["open", "half-open", "open"]


async def test_a_stream_holds_its_permit_until_its_body_ends() -> None:
    """A second stream is refused while the first is open, and passes once it has ended."""
    bench, script = LayerRuntime(), Scripted(stream(b"one", b"two"))
    handler = opened_stack(bench, script, bulkhead=Bulkhead(concurrent=1, queue=0)).handler
    async with opened(handler, bench.call()) as answer:
        await anext(aiter(answer))
        with pytest.raises(BulkheadFull):
            await read(handler, bench.call())

    assert await read(handler, bench.call()) == b"onetwo"


@pytest.mark.parametrize("first", [reply(503), fail(), hang()], ids=["503", "broken", "silent"])
async def test_a_stream_is_retried_until_a_head_arrives(first) -> None:
    """A failure before the head is that of any call: the next attempt is read."""
    bench, script = LayerRuntime(), Scripted(first, stream(b"one"))
    handler = opened_stack(bench, script, retry=QUICK, timeout=5, attempt_timeout=1).handler

    assert await read(handler, bench.call()) == b"one"
    assert len(script.calls) == 2


async def test_the_stream_of_a_failed_attempt_is_closed_before_the_next() -> None:
    """It holds no permit while the retry waits."""
    bench = LayerRuntime()
    script = Scripted(stream(b"down", 60.0, status=503), stream(b"one"))
    room = Bulkhead(concurrent=1, queue=0)
    handler = opened_stack(bench, script, retry=QUICK, bulkhead=room).handler

    assert await read(handler, bench.call()) == b"one"


async def test_the_last_failure_is_a_stream_that_can_be_read() -> None:
    """Out of attempts, the caller gets the reply with its body."""
    bench, script = LayerRuntime(), Scripted(stream(b"down", status=503))
    handler = opened_stack(bench, script, retry=QUICK).handler

    async with opened(handler, bench.call()) as answer:
        body = b"".join([piece async for piece in answer])

    assert (answer.status, body) == (503, b"down")
    assert len(script.calls) == QUICK.attempts


async def test_nothing_is_retried_once_the_head_has_arrived() -> None:
    """The reader has had bytes; a second attempt would repeat them."""
    bench, script = LayerRuntime(), Scripted(stream(b"one", breaks=True))
    handler = opened_stack(bench, script, retry=QUICK).handler

    with pytest.raises(TransportFailed):
        await read(handler, bench.call())

    assert len(script.calls) == 1


async def test_a_body_that_can_be_read_once_is_never_sent_again() -> None:
    """Not even for an idempotent method: its beginning is gone."""
    bench, script = LayerRuntime(), Scripted(_reads(reply(503)))
    handler = opened_stack(bench, script, retry=QUICK).handler
    call = replace(bench.call(method="PUT"), body=StreamedBody(_pieces()))

    async with opened(handler, call) as answer:
        assert answer.status == 503

    assert len(script.calls) == 1


async def test_the_deadline_bounds_the_wait_for_the_head_alone() -> None:
    """A body may take longer than the call's time; a head may not."""
    bench, script = LayerRuntime(), Scripted(stream(b"one", 20.0, b"two"), hang())
    handler = opened_stack(bench, script).handler

    assert await read(handler, bench.call(timeout=1)) == b"onetwo"
    with pytest.raises(DeadlineExceeded):
        await read(handler, bench.call(timeout=1))


async def test_an_endpoint_whose_streams_break_off_is_ejected() -> None:
    """It counts as calls that fail do."""
    bench = LayerRuntime()
    broken, good = Scripted(stream(b"one", breaks=True)), Scripted(stream(b"one"))
    options = Balance(ejection_failures=3)
    handler = opened_stack(bench, broken, good, balance=options).handler
    for _ in range(40):
        try:
            await read(handler, bench.call())
        except TransportFailed:
            continue

    assert {one.endpoint for one in bench.events_of(Ejected)} == {f"{ONE}:80"}


async def test_caches_coalescing_and_hedges_let_streams_pass() -> None:
    """Two readers of one target have a stream each, and nothing of it is stored."""
    bench, script = LayerRuntime(), Scripted(stream(b"one", 1.0, b"two"))
    store = MemoryCacheStore(size=10**6, clock=bench.runtime.clock, events=bench.runtime.events)
    runtime = dataclasses.replace(bench.runtime, cache=ResponseCache(store, bench.runtime.events))
    policy = Policy(
        cache=Cache(ttl=60), hedge=Hedge(delay_min=0.01), public=True, retry=None, breaker=None
    )
    stack = open_stack(
        policy, [f"http://{ONE}"], runtime, lambda *_: ScriptedTransport({ONE: script})
    )
    async with AsyncExitStack() as both:
        first = await both.enter_async_context(opened(stack.handler, bench.call()))
        second = await both.enter_async_context(opened(stack.handler, bench.call()))
        bodies = [b"".join([piece async for piece in one]) for one in (first, second)]

    assert bodies == [b"onetwo", b"onetwo"]
    assert await read(stack.handler, bench.call()) == b"onetwo"
    assert len(script.calls) == 3


async def _pieces():
    yield b"a piece"


def _reads(then):
    """Return a step that reads the request's body first."""

    async def step(call: Call) -> Reply:
        async for _ in call.body.open():
            pass
        return await then(call)

    return step
