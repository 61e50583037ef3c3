"""A call may be cancelled wherever it waits: no resource leaks, and no other call is affected."""

import asyncio
import ssl
import time
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest
import trustme
from cancelling import MOMENTS, Driven
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bff_core.errors import TransportFailed
from bff_core.policy.upstream.bulkhead import Bulkhead
from bff_core.policy.upstream.connection import Connection
from bff_core.policy.upstream.policy import Policy
from bff_core.policy.upstream.retry import Retry
from bff_core.testing.layer_runtime import LayerRuntime
from bff_core.upstream.layers.attempt import AttemptLayer
from bff_core.upstream.layers.bulkhead import BulkheadLayer
from bff_core.upstream.layers.coalesce import CoalesceLayer
from bff_core.upstream.layers.deadline import DeadlineLayer
from bff_core.upstream.stack import open_stack, wire
from bff_core.upstream.transport.interface import Load
from tests.streamed import opened

ON_BOTH_LOOPS = pytest.mark.parametrize(
    "loop", ["asyncio", pytest.param("uvloop", marks=pytest.mark.uvloop)]
)
LONGEST = 100
"""More suspensions than any call has."""


async def shop(peer):
    """Answer with the target, in two parts; where the target says so late, in chunks, or never."""
    is_used = False
    while True:
        target = (await peer.request()).split(b" ")[1]
        if is_used and b"stale" in target:
            return
        if b"slow" in target:
            await asyncio.sleep(0.002)
        half = len(target) // 2
        if b"chunked" in target:
            await peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            await peer.send(b"%x\r\n%b\r\n" % (half, target[:half]))
            await peer.send(b"%x\r\n%b\r\n0\r\n\r\n" % (len(target) - half, target[half:]))
        else:
            await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(target))
            await peer.send(target[:half], target[half:])
        is_used = True


async def whole(pool, call):
    """Take a reply complete."""
    return (await pool.send(call)).body


async def streamed(pool, call):
    """Take a reply as it comes, to its end."""
    async with opened(pool.send, call) as reply:
        return b"".join([piece async for piece in reply])


async def left(pool, call):
    """Begin to read a reply and leave."""
    async with opened(pool.send, call) as reply:
        first = await anext(aiter(reply))
    assert call.target.encode().startswith(first)
    return call.target.encode()


ROADS = {"whole": whole, "streamed": streamed, "left": left}


@dataclass
class Situation:
    """What the call meets: how many calls were made before, and how many are under way."""

    target: str
    before: int = 0
    beside: int = 0


SITUATIONS = {
    "a new connection": Situation("/chunked"),
    "a used connection": Situation("/plain", before=1),
    "a stale connection": Situation("/stale", before=1),
    "a queue": Situation("/chunked", beside=2),
}


async def assert_as_before(kit, service, pool):
    """No slot, socket or waiter is left behind, and each connection serves the right answer."""
    held = pool._held
    await service.until(lambda: service.open_connections == len(held), within=5)
    assert pool.load == Load(len(held), 0, 0)
    assert (pool._opening, len(pool._idle)) == (0, len(held))
    replies = await asyncio.gather(
        *(pool.send(kit.calling(target=f"/slow/after/{n}", within=5)) for n in range(3))
    )
    assert [reply.body for reply in replies] == [b"/slow/after/%d" % n for n in range(3)]


async def cancel_everywhere(kit, service, road, moment, *, situation, **options):
    """Make the same call again and again, cancelled one suspension later each time; count them."""
    for at in range(1, LONGEST):
        async with kit.wired(service, max_connections=1, **options) as pool:
            for _ in range(situation.before):
                await pool.send(kit.calling())
            beside = [
                asyncio.create_task(whole(pool, kit.calling(target=f"/slow/{n}", within=5)))
                for n in range(situation.beside)
            ]
            await asyncio.sleep(0)
            call = kit.calling(target=situation.target, within=5)
            task = asyncio.create_task(Driven(road(pool, call), at, moment).run())
            (outcome, *others) = await asyncio.gather(task, *beside, return_exceptions=True)

            assert others == [b"/slow/%d" % n for n in range(situation.beside)]
            await assert_as_before(kit, service, pool)
        if not isinstance(outcome, asyncio.CancelledError):
            assert outcome == situation.target.encode()
            return at - 1
    raise AssertionError("a call was suspended more often than any call should be")


@ON_BOTH_LOOPS
@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("road", ROADS)
@pytest.mark.parametrize("situation", SITUATIONS)
async def test_a_call_may_be_cancelled_at_every_await(kit, loop, situation, road, moment):
    """Wherever it waits, its connection is closed or freed, once, and others get theirs."""
    async with kit.Service(shop) as service:
        cancelled = await cancel_everywhere(
            kit, service, ROADS[road], moment, situation=SITUATIONS[situation]
        )

    assert cancelled >= 1


@pytest.fixture(scope="module")
def secure(tmp_path_factory):
    """Make a service's TLS context, and the option that trusts it."""
    authority, path = trustme.CA(), tmp_path_factory.mktemp("tls") / "ca.pem"
    authority.cert_pem.write_to_path(path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(context)
    return context, {"ca_file": str(path)}


@ON_BOTH_LOOPS
@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("road", ["whole", "streamed"])
async def test_a_call_may_be_cancelled_at_every_await_of_tls(kit, loop, secure, road, moment):
    """In the handshake, after it, and while the answer comes."""
    context, options = secure
    async with kit.Service(shop, context) as service:
        cancelled = await cancel_everywhere(
            kit, service, ROADS[road], moment, situation=Situation("/chunked"), **options
        )

    assert cancelled >= 2


def open_files():
    """Count the descriptors of this process."""
    return len(list(Path("/dev/fd").iterdir()))


plans = st.tuples(
    st.sampled_from(sorted(ROADS)),
    st.sampled_from(["/plain", "/slow", "/chunked", "/slow/chunked", "/stale"]),
    st.integers(0, 8),
    st.sampled_from(MOMENTS),
)
storms = settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


async def weather_a_storm(kit, connections, calls):
    """Make all calls at once, each cancelled where its plan says."""

    async def make(number, plan):
        road, path, at, moment = plan
        target = f"{path}/{number}"
        return await Driven(ROADS[road](pool, kit.calling(target=target, within=10)), at, moment)

    async with (
        kit.Service(shop) as service,
        kit.wired(service, max_connections=connections) as pool,
    ):
        await pool.send(kit.calling())
        tasks = [asyncio.create_task(make(*numbered)) for numbered in enumerate(calls)]
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        await assert_as_before(kit, service, pool)
        files = open_files() - 2 * len(pool._held)  # the service is in this process, too
    return outcomes, files


@ON_BOTH_LOOPS
@storms
@given(connections=st.integers(1, 6), calls=st.lists(plans, min_size=25, max_size=40))
async def test_a_storm_of_cancels_changes_nothing(kit, loop, connections, calls):
    """Some thousand calls, each cancelled at a place of its own, over connections that they share.

    Who is not cancelled gets the own answer. In the end there are as many slots, sockets, waiters
    and tasks as in the beginning.
    """
    before = open_files()
    outcomes, after = await weather_a_storm(kit, connections, calls)

    for number, (plan, outcome) in enumerate(zip(calls, outcomes, strict=True)):
        is_cancelled = isinstance(outcome, asyncio.CancelledError)
        assert (is_cancelled and plan[2] > 0) or outcome == f"{plan[1]}/{number}".encode()
    assert after == before + 1  # the service's listening socket


async def test_closing_while_a_call_connects_leaves_no_connection(kit):
    """A connection that comes after the connector was closed carries nothing."""
    async with kit.Service(shop) as service:
        pool = kit.transport().connect(service.endpoint)
        call = asyncio.create_task(pool.send(kit.calling()))
        await asyncio.sleep(0)
        before = pool.load
        await pool.aclose()
        with pytest.raises(TransportFailed, match="was closed") as caught:
            await call
        await service.until(lambda: service.open_connections == 0)

    assert before == Load(0, 1, 0)
    assert (caught.value.is_sent, service.requests, pool.load) == (False, [], Load(0, 0, 0))


def layer_of(stack, kind):
    """Find a layer of a stack."""
    return next(layer for layer in stack._lines if isinstance(layer, kind))


async def make_through(stack, bench, number, plan):
    """Make one call through all layers; plans with the same path are coalesced."""
    road, path, at, moment = plan
    if road == "whole":
        return (await Driven(stack.handler(bench.call(path)), at, moment)).body
    call = bench.call(f"{path}/{number}")
    return await Driven(ROADS[road](SimpleNamespace(send=stack.handler), call), at, moment)


@ON_BOTH_LOOPS
@storms
@given(calls=st.lists(plans, min_size=25, max_size=40))
async def test_a_storm_of_cancels_leaves_a_whole_stack_as_it_was(kit, loop, calls):
    """Cancelled calls leave no flight, permit, timer or endpoint load; the others are answered."""
    bench = LayerRuntime(clock=time.monotonic)
    policy = Policy(
        bulkhead=Bulkhead(concurrent=6, queue=100),
        connection=Connection(max_connections=3),
        retry=Retry(budget_min=100),  # as many as there are calls: none fails for want of a retry
    )
    async with kit.Service(shop) as service:
        stack = open_stack(policy, [f"http://localhost:{service.port}"], bench.runtime, wire)
        work = [make_through(stack, bench, number, plan) for number, plan in enumerate(calls)]
        tasks = [asyncio.create_task(each) for each in work]
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        after = (await stack.handler(bench.call("/slow/after"))).body
        permits = layer_of(stack, BulkheadLayer).permits
        (member,) = stack.balancer.endpoints._members.values()
        left = (
            len(layer_of(stack, CoalesceLayer)._flights),
            len(layer_of(stack, DeadlineLayer)._timers._pending),
            len(layer_of(stack, AttemptLayer)._timers._pending),
            (permits.in_use, permits.waiting, member.in_flight),
            (member.target.load.active, member.target.load.waiting, member.target._opening),
        )
        await stack.aclose()
        await service.until(lambda: service.open_connections == 0, within=5)

    for number, (plan, outcome) in enumerate(zip(calls, outcomes, strict=True)):
        target = plan[1] if plan[0] == "whole" else f"{plan[1]}/{number}"
        is_cancelled = isinstance(outcome, asyncio.CancelledError)
        # A stream is sent again once; where that meets a used connection, too, it fails.
        is_stale = plan[0] != "whole" and plan[1] == "/stale"
        may_fail = is_stale and isinstance(outcome, TransportFailed)
        assert may_fail or (is_cancelled and plan[2] > 0) or outcome == target.encode()
    assert after == b"/slow/after"
    assert left == (0, 0, 0, (0, 0, 0), (0, 0, 0))
