"""Stores to test: in memory, in Redis, and memory over Redis, all with the same tests."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from math import inf

import pytest

from bff_core.cache.entry import CacheEntry
from bff_core.cache.stores.memory import MemoryCacheStore
from bff_core.cache.stores.redis import RedisCacheStore
from bff_core.cache.stores.tiered import TieredCacheStore
from bff_core.clock import chance, monotonic
from bff_core.events import Events
from bff_core.redis.client import RedisClient

PATIENCE = 5.0
"""Seconds in which Redis answers on a busy machine, where a test is not about being in time."""

REDIS = pytest.mark.needs("redis-server")

Opening = Callable[..., AbstractAsyncContextManager]


def in_memory(*sinks, size=2**22):
    """Return an empty store in memory."""
    return MemoryCacheStore(size=size, clock=monotonic, events=Events(*sinks))


async def until(is_true: Callable[[], object], patience: float = 10.0) -> None:
    """Wait until another task or process has done something."""
    async with asyncio.timeout(patience):
        while not is_true():  # noqa: ASYNC110 # another process announces nothing
            await asyncio.sleep(0.002)


async def eventually(ask: Callable[[], Awaitable[object]], patience: float = 15.0) -> None:
    """Call until the result is true."""
    async with asyncio.timeout(patience):
        while not await ask():  # noqa: ASYNC110 # another process announces nothing
            await asyncio.sleep(0.02)


async def put(store, key, *, body=b"{}", tags=(), store_for=60.0, mark=None, **more) -> bool:
    """Store an answer whose request was sent at a mark, or just now."""
    entry = CacheEntry(200, (), body, monotonic(), 60.0, tags=tuple(tags), **more)
    return await store.set(
        key, entry, store_for=store_for, mark=store.mark() if mark is None else mark
    )


async def body_of(store, key) -> bytes | None:
    """Return the body that a store has."""
    entry = await store.get(key)
    return None if entry is None else entry.body


class RedisAlone(RedisCacheStore):
    """Redis with the whole interface of a store, for the tests of all stores."""

    limit = 0

    def peek(self, key):
        """Return None: nothing is in memory."""
        del key

    async def get(self, key):
        """Return an entry."""
        loaded = await self.load(key)
        return None if loaded is None else loaded.entry

    async def set(self, key, entry, *, store_for, mark):
        """Store an entry; return whether it is stored."""
        return await self.offer(key, entry, store_for=store_for, mark=mark) is True


@asynccontextmanager
async def shared(
    url: str, *sinks, levels=False, within=PATIENCE, gateway="shop", size=2**22
) -> AsyncIterator:
    """Open a store with a client of its own, as another process would."""
    spawn = asyncio.get_running_loop().create_task
    events = Events(*sinks)
    link = RedisClient(url, clock=monotonic, chance=chance, events=events, timeout=within)
    store = RedisAlone(link, gateway=gateway, spawn=spawn, clock=monotonic, chance=chance)
    await store.get("")  # a process receives the purge count with an answer
    if levels:
        memory = in_memory(*sinks, size=size)
        store = TieredCacheStore(memory, store, spawn=spawn, clock=monotonic, events=events)
        await until(lambda: store._subscription.received_until > -inf)
    try:
        yield store
    finally:
        await store.aclose()
        await link.aclose()


@pytest.fixture(
    params=["memory", pytest.param("redis", marks=REDIS), pytest.param("levels", marks=REDIS)]
)
def opened(request) -> Opening:
    """Return what opens an empty store of each kind."""
    if request.param == "memory":

        @asynccontextmanager
        async def opening(*sinks):
            yield in_memory(*sinks)

        return opening
    url = request.getfixturevalue("redis_server").url
    return lambda *sinks: shared(url, *sinks, levels=request.param == "levels")
