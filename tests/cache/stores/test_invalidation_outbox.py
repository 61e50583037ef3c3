"""Invalidations while Redis is unavailable: stored, bounded, and published before all else."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from bff_core.cache.entry import CacheEntry
from bff_core.cache.stores.codec import encode
from bff_core.cache.stores.invalidation_outbox import MAX_PENDING
from bff_core.cache.stores.purge_log import MAX_LOGGED_TAGS, PurgeLog
from bff_core.cache.stores.redis import RedisCacheStore
from bff_core.cache.stores.scripts import LOAD, PURGE, RESET, STORE
from bff_core.errors import StoreUnavailable

pytestmark = pytest.mark.virtual_time

NAMES = {LOAD: "load", STORE: "store", PURGE: "purge", RESET: "reset"}
ENTRY = CacheEntry(200, (), b"{}", generated_at=0.0, fresh_for=60.0)


class Link:
    """A scripted Redis, which can be unavailable, and records its commands."""

    name = "redis://scripted"

    def __init__(self):
        self.is_away = False
        self.sent = []
        self.left = 5000
        self.gate = asyncio.Event()
        self.gate.set()

    async def script(self, source, keys, args=(), *, within=None):
        """Record the command, and answer like the scripts."""
        del keys, within
        if self.is_away:
            raise StoreUnavailable(self.name, "away")
        name = NAMES[source]
        tags = tuple(args[5 : 5 + int(args[4])]) if name == "purge" else ()
        if name == "purge":
            await self.gate.wait()
        self.sent.append((name, *tags))
        found = [encode(ENTRY, 0.0), b"60000", self.left] if name == "load" else []
        return [b"e1", 1, b"0", *found]


@asynccontextmanager
async def opened():
    """Open a store over a scripted Redis."""
    loop, link = asyncio.get_running_loop(), Link()
    store = RedisCacheStore(
        link, gateway="shop", spawn=loop.create_task, clock=loop.time, chance=lambda: 0.5
    )
    try:
        yield store, link
    finally:
        link.is_away = False
        link.gate.set()
        await asyncio.sleep(1)
        await store.aclose()


async def test_nothing_is_read_before_a_pending_purge_is_published():
    """Redis may hold entries that were purged while it was unavailable."""
    async with opened() as (store, link):
        link.is_away = True
        await store.purge(["product:7"])
        link.is_away = False
        await asyncio.sleep(0.101)

        found = await store.load("key")

        assert found is not None
        assert [name for name, *_ in link.sent] == ["purge", "load"]


async def test_nothing_is_read_while_a_purge_is_published():
    """Another caller does not wait, and gets a miss."""
    async with opened() as (store, link):
        link.is_away = True
        await store.purge(["product:7"])
        link.is_away = False
        link.gate.clear()
        await asyncio.sleep(0.2)

        found = await store.load("key")

        assert found is None
        assert link.sent == []


async def test_nothing_is_found_while_a_purge_is_pending():
    """Neither memory nor Redis is used until it is published."""
    async with opened() as (store, link):
        assert await store.load("key") is not None
        link.is_away = True
        await store.purge(["product:7"])

        assert await store.load("key") is None


async def test_too_many_pending_purges_invalidate_everything():
    """The pending tags are bounded; a new era invalidates all entries."""
    async with opened() as (store, link):
        link.is_away = True
        await store.purge([f"product:{number}" for number in range(MAX_PENDING + 1)])
        link.is_away = False
        await asyncio.sleep(1)

        assert link.sent == [("reset",)]


async def test_the_largest_number_of_pending_tags_is_published():
    """The bound itself is not too much."""
    async with opened() as (store, link):
        link.is_away = True
        await store.purge([f"product:{number}" for number in range(MAX_PENDING)])
        link.is_away = False
        await asyncio.sleep(1)

        (said,) = link.sent
        assert (said[0], len(said)) == ("purge", 1 + MAX_PENDING)


async def test_purges_during_a_flush_are_published_next():
    """Only published purges are no longer pending."""
    async with opened() as (store, link):
        link.is_away = True
        await store.purge(["first"])
        link.is_away = False
        link.gate.clear()
        await asyncio.sleep(0.2)  # the first is being sent
        link.is_away = True
        await store.purge(["second"])
        link.is_away = False
        link.gate.set()
        await asyncio.sleep(1)

        assert ("purge", b"first") in link.sent
        assert ("purge", b"second") in link.sent


@pytest.mark.parametrize(("left", "is_found"), [(1, True), (60_000, True), (0, False), (-1, False)])
async def test_an_entry_without_remaining_time_is_a_miss(left, is_found):
    """So is one without an expiry, which our entries always have."""
    async with opened() as (store, link):
        link.left = left

        assert (await store.load("key") is not None) is is_found


def test_a_tag_that_is_purged_again_is_logged_for_longer():
    """If there are too many, the one with the oldest purge is dropped."""
    purges = PurgeLog()
    for number in range(MAX_LOGGED_TAGS):
        purges.add([f"{number}"])
    purges.add(["0"])
    mark = purges.count
    purges.add(["new"])

    assert not purges.is_outdated(mark, ["0"])
    assert purges.is_outdated(mark - 1, ["0"])
    assert purges.is_outdated(mark, ["new"])
    assert not purges.is_outdated(mark - 1, ["3"])
    assert purges.is_outdated(1, ["unheard-of"])
