"""Who gets a connection, in which order, when one is given up, and that none is ever lost."""

import asyncio
import random
import time
from pathlib import Path

import pytest

from bff_core.errors import DeadlineExceeded, TransportFailed
from bff_core.upstream.transport.interface import Endpoint, Load

CLEAN = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nclean"
EMPTY = Load(0, 0, 0)


def gated():
    """Answer each request only when the gate lets one through."""
    gate = asyncio.Semaphore(0)

    async def script(peer):
        while True:
            await peer.request()
            await gate.acquire()
            await peer.send(CLEAN)

    return gate, script


async def test_connections_are_bounded_and_waiters_served_in_turn(kit):
    """More calls than connections wait, first come, first served."""
    gate, script = gated()
    finished = []

    async def call(pool, number):
        await pool.send(kit.calling(target=f"/{number}"))
        finished.append(number)

    async with kit.Service(script) as service, kit.wired(service, max_connections=2) as pool:
        tasks = [asyncio.create_task(call(pool, number)) for number in range(6)]
        await service.until(lambda: len(service.requests) == 2)
        load = pool.load
        for count in range(1, 7):
            gate.release()
            await service.until(lambda count=count: len(finished) == count)
        await asyncio.gather(*tasks)

    assert load == Load(0, 2, 4)
    assert service.accepted == 2
    order = [int(request.split(b" ")[1][1:]) for request in service.requests]
    assert order[2:] == [2, 3, 4, 5]


async def test_the_connection_used_last_is_used_next(kit):
    """Load that shrinks leaves connections alone, so that they expire."""
    gate, script = gated()

    async with kit.Service(script) as service, kit.wired(service) as pool:
        both = asyncio.gather(*(pool.send(kit.calling()) for _ in range(2)))
        await service.until(lambda: len(service.requests) == 2)
        gate.release()
        await service.until(lambda: pool.load.idle == 1)
        gate.release()
        await both
        used_last = pool._idle[-1]
        for _ in range(3):
            gate.release()
            await pool.send(kit.calling())
        is_same = pool._idle[-1] is used_last

    assert is_same


async def test_repr_shows_the_load(kit):
    """A connector shows where it leads and what it does."""
    async with kit.Service(kit.answering(CLEAN)) as service, kit.wired(service) as pool:
        await pool.send(kit.calling())
        shown = repr(pool)

    assert shown == f"<wire 127.0.0.1:{service.port}: 1 idle, 0 active, 0 waiting>"


async def test_waiting_is_bounded_by_the_deadline(kit):
    """A call that gets no connection in time fails then, and leaves the queue."""
    _, script = gated()

    async with kit.Service(script) as service, kit.wired(service, max_connections=1) as pool:
        first = asyncio.create_task(pool.send(kit.calling()))
        await service.until(lambda: service.requests)
        started = time.monotonic()
        with pytest.raises(DeadlineExceeded, match="no connection became free"):
            await pool.send(kit.calling(within=0.05))
        took = time.monotonic() - started
        load = pool.load
        first.cancel()

    assert 0.04 < took < 0.5
    assert load == Load(0, 1, 0)


async def test_a_slot_handed_to_a_cancelled_waiter_is_passed_on(kit):
    """Cancelling in the very moment of the hand-over loses neither slot nor connection."""
    gate, script = gated()

    async with kit.Service(script) as service, kit.wired(service, max_connections=1) as pool:
        first = asyncio.create_task(pool.send(kit.calling()))
        await service.until(lambda: service.requests)
        second = asyncio.create_task(pool.send(kit.calling()))
        third = asyncio.create_task(pool.send(kit.calling()))
        await service.until(lambda: pool.load.waiting == 2)
        hand_over = pool._hand_over

        def hand_over_and_cancel(connection):
            is_taken = hand_over(connection)
            second.cancel()
            return is_taken

        pool._hand_over = hand_over_and_cancel
        gate.release()
        gate.release()
        await asyncio.gather(first, second, third, return_exceptions=True)
        load = pool.load

    assert second.cancelled()
    assert third.result().body == b"clean"
    assert (load, service.accepted) == (Load(1, 0, 0), 1)


async def test_a_connection_that_dies_at_hand_over_frees_no_slot(kit):
    """A waiter that is handed a dead connection opens another in its place."""
    answered = 0

    async def script(peer):
        nonlocal answered
        await peer.request()
        await asyncio.sleep(0)
        answered += 1
        await peer.send(CLEAN + b"surplus that ends the connection" * (answered % 2))

    async with kit.Service(script) as service, kit.wired(service, max_connections=1) as pool:
        replies = await asyncio.gather(*(pool.send(kit.calling()) for _ in range(8)))
        await service.until(lambda: pool.load == EMPTY)

    assert [reply.body for reply in replies] == [b"clean"] * 8


async def test_idle_connections_expire(kit):
    """Unused connections are closed, and so is the timer that closed them."""
    async with (
        kit.Service(kit.answering(CLEAN)) as service,
        kit.wired(service, idle_expiry=0.05) as pool,
    ):
        await pool.send(kit.calling())
        before = pool.load
        await service.until(lambda: service.departures)
        after, sweeper = pool.load, pool._sweeper

    assert (before, after, sweeper) == (Load(1, 0, 0), EMPTY, None)


async def test_an_expired_connection_is_not_taken(kit):
    """At checkout the age counts, whether the sweeper came or not."""
    async with (
        kit.Service(kit.answering(CLEAN)) as service,
        kit.wired(service, idle_expiry=10) as pool,
    ):
        await pool.send(kit.calling())
        pool._idle[0].idle_since -= 11
        await pool.send(kit.calling())

    assert service.accepted == 2


async def test_an_idle_expiry_of_zero_pools_no_connection(kit):
    """An idle expiry of zero means a connection for each call."""
    async with (
        kit.Service(kit.answering(CLEAN)) as service,
        kit.wired(service, idle_expiry=0) as pool,
    ):
        for _ in range(3):
            await pool.send(kit.calling())
        load = pool.load

    assert (load, service.accepted) == (EMPTY, 3)


async def test_connections_retire(kit):
    """A connection in steady use is replaced at the end of its lifetime."""
    async with (
        kit.Service(kit.answering(CLEAN)) as service,
        kit.wired(service, lifetime=0.1) as pool,
    ):
        ends = time.monotonic() + 0.25
        while time.monotonic() < ends:
            await pool.send(kit.calling())

    assert 3 <= service.accepted <= 5


async def test_lifetimes_are_spread(kit):
    """Connections that were opened together don't end together, nor later than they may."""
    gate, script = gated()

    async with kit.Service(script) as service, kit.wired(service, lifetime=100) as pool:
        calls = asyncio.gather(*(pool.send(kit.calling()) for _ in range(10)))
        await service.until(lambda: len(service.requests) == 10)
        for _ in range(10):
            gate.release()
        await calls
        left = [connection.retires_at - time.monotonic() for connection in pool._held]

    assert 79 < min(left) < max(left) <= 100
    assert max(left) - min(left) > 5


async def test_a_stale_connection_makes_room_for_a_fresh_one(kit):
    """When all connections are old, one of them is closed so that the new one is within bounds."""

    async def script(peer):
        await peer.request()
        await asyncio.sleep(0.02)
        await peer.send(CLEAN)
        await peer.request()

    async with kit.Service(script) as service, kit.wired(service, max_connections=3) as pool:
        await asyncio.gather(*(pool.send(kit.calling()) for _ in range(3)))
        replies = await asyncio.gather(*(pool.send(kit.calling()) for _ in range(3)))
        held = len(pool._held)

    assert [reply.body for reply in replies] == [b"clean"] * 3
    assert held <= 3


async def test_a_fresh_connection_does_not_wait_behind_an_idle_one(kit):
    """Where every slot is taken and one of them idle, the idle connection is given up for it."""
    async with (
        kit.Service(kit.answering(CLEAN)) as service,
        kit.wired(service, max_connections=1) as pool,
    ):
        await pool.send(kit.calling())
        (idle,) = pool._idle
        fresh = await pool._acquire(kit.calling(within=0.5), is_fresh=True)
        load = pool.load
        fresh.abort()

    assert fresh is not idle
    assert load == Load(0, 1, 0)


async def test_connecting_has_its_own_timeout(kit):
    """A service that accepts and says nothing is given up before the deadline; nothing was sent."""

    async def script(peer):
        await peer.left()

    async with kit.Service(script) as service:
        mute = Endpoint("https", "localhost", service.port, "127.0.0.1")
        async with kit.wired(mute, connect_timeout=0.05) as pool:
            started = time.monotonic()
            with pytest.raises(TransportFailed, match="not connected within") as caught:
                await pool.send(kit.calling())
            took = time.monotonic() - started
            load = pool.load

    assert not caught.value.is_sent
    assert 0.04 < took < 0.6
    assert load == EMPTY


async def test_connecting_ends_at_the_deadline(kit):
    """The deadline holds while connecting, too."""

    async def script(peer):
        await peer.left()

    async with kit.Service(script) as service:
        mute = Endpoint("https", "localhost", service.port, "127.0.0.1")
        async with kit.wired(mute) as pool:
            started = time.monotonic()
            with pytest.raises(DeadlineExceeded):
                await pool.send(kit.calling(within=0.05))
            took = time.monotonic() - started
            load = pool.load

    assert 0.04 < took < 0.5
    assert load == EMPTY


async def test_a_connection_that_comes_too_late_is_pooled(kit):
    """When the time ran out while connecting, nothing is sent and the connection stays."""
    async with kit.Service(kit.answering(CLEAN)) as service, kit.wired(service) as pool:
        connection = await pool._acquire(kit.calling(), is_fresh=False)
        with pytest.raises(DeadlineExceeded):
            pool._render_for(connection, kit.calling(within=0))
        load = pool.load

    assert (load, service.requests) == (Load(1, 0, 0), [])


async def test_closing_fails_active_and_waiting_calls(kit):
    """Active and waiting calls end at once when the connector closes."""
    _, script = gated()

    async with kit.Service(script) as service, kit.wired(service, max_connections=1) as pool:
        calls = [asyncio.create_task(pool.send(kit.calling())) for _ in range(3)]
        await service.until(lambda: service.requests and pool.load.waiting == 2)
        await pool.aclose()
        outcomes = await asyncio.gather(*calls, return_exceptions=True)

    assert [outcome.is_sent for outcome in outcomes] == [True, False, False]


def open_files():
    """Count the descriptors of this process."""
    return len(list(Path("/dev/fd").iterdir()))


@pytest.mark.parametrize("loop", ["asyncio", pytest.param("uvloop", marks=pytest.mark.uvloop)])
async def test_a_storm_of_cancels_leaves_the_pool_as_it_was(kit, loop):
    """A thousand calls cancelled at random moments lose no slot, no socket and no answer."""
    chance = random.Random(20)

    async def script(peer):
        while True:
            target = (await peer.request()).split(b" ")[1]
            await asyncio.sleep(chance.random() * 0.004)
            await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(target), target)

    async def cancelled(pool, number):
        task = asyncio.create_task(pool.send(kit.calling(target=f"/{number}")))
        for _ in range(chance.randrange(12)):
            await asyncio.sleep(0)
        await asyncio.sleep(chance.choice((0, 0, chance.random() * 0.02)))
        task.cancel()
        return (await asyncio.gather(task, return_exceptions=True))[0]

    async with kit.Service(script) as service, kit.wired(service, max_connections=8) as pool:
        await pool.send(kit.calling(target="/warm"))
        files, tasks = open_files(), len(asyncio.all_tasks())
        outcomes = []
        for wave in range(0, 1000, 100):
            numbers = range(wave, wave + 100)
            outcomes += await asyncio.gather(*(cancelled(pool, number) for number in numbers))
        after = pool.load
        served = await asyncio.gather(
            *(pool.send(kit.calling(target=f"/after/{n}")) for n in range(100))
        )
        await service.until(lambda: service.open_connections == len(pool._held))

        assert (after.active, after.waiting, pool._opening) == (0, 0, 0)
        assert after.idle <= 8
        assert [reply.body.decode() for reply in served] == [f"/after/{n}" for n in range(100)]
        # each held connection is two descriptors here, as the service is in this process
        assert open_files() <= files + 2 * 7
        assert len(asyncio.all_tasks()) <= tasks + 7

    cancels = sum(isinstance(outcome, asyncio.CancelledError) for outcome in outcomes)
    answers = [(n, o) for n, o in enumerate(outcomes) if not isinstance(o, BaseException)]
    assert cancels + len(answers) == 1000
    assert cancels > 500
    assert answers
    assert [reply.body.decode() for _, reply in answers] == [f"/{number}" for number, _ in answers]


async def test_cancels_while_connecting_leave_nothing(kit):
    """Calls cancelled at each step of connecting and of the TLS handshake close their socket."""

    async def script(peer):
        await peer.left()

    async with kit.Service(script) as service:
        mute = Endpoint("https", "localhost", service.port, "127.0.0.1")
        async with kit.wired(mute, connect_timeout=5.0) as pool:
            for turns in range(30):
                task = asyncio.create_task(pool.send(kit.calling()))
                for _ in range(turns):
                    await asyncio.sleep(0)
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
            await service.until(lambda: service.open_connections == 0)

            assert (pool.load, pool._opening) == (EMPTY, 0)
