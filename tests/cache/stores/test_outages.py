"""Redis is paused, slow or gone: no call waits long, and no outdated entry is served."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack

import pytest

from bff_core.redis.client import TIMEOUT_SECONDS
from tests.cache.stores.conftest import body_of, eventually, put, shared, until
from tests.redis_server import RedisServer
from tests.slow_path import SlowRoad

pytestmark = pytest.mark.needs("redis-server")

SLACK = 0.15
"""Seconds that a busy machine may add."""


@pytest.fixture
def road(redis_server: RedisServer) -> Iterator[SlowRoad]:
    """Return a slow road to Redis."""
    with SlowRoad(redis_server.port) as road:
        yield road


def url_of(road: SlowRoad) -> str:
    return f"redis://127.0.0.1:{road.port}/0"


async def took(doing) -> float:
    """Return how many seconds something takes."""
    began = time.monotonic()
    await doing
    return time.monotonic() - began


async def held(store, key: str) -> bool:
    """Whether an answer is stored, in memory as well."""
    return await put(store, key) and store.peek(key) is not None


async def found_here(store, key: str) -> bool:
    """Whether what another process stores is in this one's memory."""
    return await store.get(key) is not None and store.peek(key) is not None


async def lost(store, key: str) -> bool:
    """Whether nothing is found."""
    return await store.get(key) is None


TROUBLES = {
    "paused": (lambda redis, _: redis.freeze(), lambda redis, _: redis.thaw()),
    "slow": (lambda _, road: road.slow_down(0.4), lambda _, road: road.slow_down(0.0)),
    "gone": (lambda redis, _: redis.kill(), lambda redis, _: redis.start()),
}


@pytest.mark.alone
@pytest.mark.parametrize("trouble", TROUBLES)
async def test_a_failing_redis_is_skipped(redis_server, road, trouble):
    """Nothing raises or takes long; afterwards Redis is used again."""
    begin, end = TROUBLES[trouble]
    async with shared(url_of(road), levels=True, within=TIMEOUT_SECONDS) as store:
        await put(store, "a", tags=["t"])
        begin(redis_server, road)
        await until(lambda: store.peek("a") is None)
        each = [
            await took(store.get("a")),
            await took(put(store, "b")),
            await took(store.lease("c", 1.0)),
            await took(store.purge(["t"])),
            await took(store.delete("d")),
            await took(store.release("c")),
        ]
        all_at_once = await took(asyncio.gather(*(store.get(f"{n}") for n in range(100))))
        end(redis_server, road)
        await eventually(lambda: held(store, "e"))

        assert max(*each, all_at_once) <= TIMEOUT_SECONDS + SLACK
        assert await body_of(store, "a") is None


@pytest.mark.slow
async def test_memory_is_not_used_while_no_purges_are_received(redis_server, road):
    """An entry that another process purges meanwhile would be served for ever."""
    async with AsyncExitStack() as open_all:
        deaf = await open_all.enter_async_context(shared(url_of(road), levels=True))
        other = await open_all.enter_async_context(shared(redis_server.url, levels=True))
        await put(deaf, "a", tags=["t"])
        before = deaf.peek("a")
        road.slow_down(3.0)  # without a word, as a network that drops everything
        await until(lambda: deaf.peek("a") is None)
        await other.purge(["t"])
        road.slow_down(0.0)
        await eventually(lambda: held(deaf, "b"))

        assert before is not None
        assert await body_of(deaf, "a") is None


async def test_a_purge_that_failed_is_retried(redis_server):
    """It is published before entries from Redis are used, and the other processes drop theirs."""
    async with AsyncExitStack() as open_all:
        one, other = [
            await open_all.enter_async_context(
                shared(redis_server.url, levels=True, within=TIMEOUT_SECONDS)
            )
            for _ in range(2)
        ]
        await eventually(lambda: put(one, "a", tags=["t"]))
        await eventually(lambda: body_of(other, "a"))
        redis_server.freeze()
        await one.purge(["t"])
        redis_server.thaw()
        found = [await body_of(one, "a")]
        await eventually(lambda: lost(other, "a"))
        await eventually(lambda: put(one, "b"))
        found += [await body_of(store, "a") for store in (one, other)]

        assert found == [None] * 3


async def test_a_redis_that_comes_back_empty_revives_nothing(redis_server):
    """It has lost its purges, too, so entries in memory do not count any more."""
    async with shared(redis_server.url, levels=True) as store:
        mark = store.mark()
        await put(store, "a", tags=["t"])
        await store.purge(["t"])
        redis_server.kill()
        redis_server.start()
        await eventually(lambda: put(store, "b"))

        assert not await put(store, "a", tags=["t"], mark=mark)
        assert await body_of(store, "a") is None


async def test_purges_reach_other_processes_at_once(redis_server):
    """Within a tenth of a second, whatever else they do."""
    async with AsyncExitStack() as open_all:
        stores = [
            await open_all.enter_async_context(shared(redis_server.url, levels=True))
            for _ in range(4)
        ]
        seconds = []
        for number in range(5):
            tag = f"t{number}"
            await put(stores[0], tag, tags=[tag])
            for store in stores:
                await eventually(lambda store=store, tag=tag: found_here(store, tag))
            began = time.monotonic()
            await stores[0].purge([tag])
            await until(lambda tag=tag: not any(one.peek(tag) for one in stores))
            seconds.append(time.monotonic() - began)

        assert min(seconds) <= 0.1


async def test_of_several_processes_one_has_the_lease(redis_server):
    """Until it releases it, or the lease expires."""
    async with AsyncExitStack() as open_all:
        stores = [await open_all.enter_async_context(shared(redis_server.url)) for _ in range(4)]
        first = [await one.lease("a", 30.0) for one in stores]
        await stores[0].release("a")
        second = [await one.lease("a", 0.05) for one in stores[1:]]
        await asyncio.sleep(0.1)
        third = await stores[0].lease("a", 30.0)

        assert first == [True, False, False, False]
        assert second == [True, False, False]
        assert third


@pytest.mark.slow
async def test_a_lease_of_a_cancelled_caller_is_released(redis_server, road):
    """The caller left before the answer came; Redis had granted it."""
    async with AsyncExitStack() as open_all:
        gone = await open_all.enter_async_context(shared(url_of(road)))
        other = await open_all.enter_async_context(shared(redis_server.url))
        road.slow_down(0.2)
        asking = asyncio.create_task(gone.lease("a", 60.0))
        await asyncio.sleep(0.3)  # it has been granted, and the answer is on its way
        asking.cancel()
        road.slow_down(0.0)

        await eventually(lambda: other.lease("a", 60.0))
