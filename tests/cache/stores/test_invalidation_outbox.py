"""What is to be forgotten while Redis is away: remembered, bounded, and said before all else."""

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
    """Redis as a script: away or there, and what it was sent."""

    name = "redis://scripted"

    def __init__(self):
        self.is_away = False
        self.sent = []
        self.left = 5000
        self.gate = asyncio.Event()
        self.gate.set()

    async def script(self, source, keys, args=(), *, within=None):
        """Note what it is sent, and answer as the scripts do."""
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


async def test_nothing_is_read_before_a_purge_was_said():
    """What Redis holds may be what was purged while it was away."""
    async with opened() as (store, link):
        link.is_away = True
        await store.purge(["product:7"])
        link.is_away = False
        await asyncio.sleep(0.101)

        found = await store.get("key")

        assert found is not None
        assert [name for name, *_ in link.sent] == ["purge", "load"]


async def test_while_a_purge_is_being_said_nothing_is_read():
    """A caller who comes meanwhile does not wait, and finds nothing."""
    async with opened() as (store, link):
        link.is_away = True
        await store.purge(["product:7"])
        link.is_away = False
        link.gate.clear()
        await asyncio.sleep(0.2)

        found = await store.get("key")

        assert found is None
        assert link.sent == []


async def test_while_a_purge_is_owed_nothing_is_found():
    """Memory and Redis are both left aside until it was said."""
    async with opened() as (store, link):
        assert await store.get("key") is not None
        link.is_away = True
        await store.purge(["product:7"])

        assert await store.get("key") is None


async def test_too_much_that_is_owed_becomes_everything():
    """What is remembered is bounded; a new era forgets all that there is."""
    async with opened() as (store, link):
        link.is_away = True
        await store.purge([f"product:{number}" for number in range(MAX_PENDING + 1)])
        link.is_away = False
        await asyncio.sleep(1)

        assert link.sent == [("reset",)]


async def test_so_much_can_be_owed_one_by_one():
    """The bound itself is not too much."""
    async with opened() as (store, link):
        link.is_away = True
        await store.purge([f"product:{number}" for number in range(MAX_PENDING)])
        link.is_away = False
        await asyncio.sleep(1)

        (said,) = link.sent
        assert (said[0], len(said)) == ("purge", 1 + MAX_PENDING)


async def test_what_is_owed_while_debts_are_paid_is_paid_next():
    """Only what was said is settled."""
    async with opened() as (store, link):
        link.is_away = True
        await store.purge(["first"])
        link.is_away = False
        link.gate.clear()
        await asyncio.sleep(0.2)  # the first is being said
        link.is_away = True
        await store.purge(["second"])
        link.is_away = False
        link.gate.set()
        await asyncio.sleep(1)

        assert ("purge", b"first") in link.sent
        assert ("purge", b"second") in link.sent


@pytest.mark.parametrize(("left", "is_found"), [(1, True), (60_000, True), (0, False), (-1, False)])
async def test_an_entry_without_time_left_is_none(left, is_found):
    """Nor one that never ends, which none of ours does."""
    async with opened() as (store, link):
        link.left = left

        assert (await store.get("key") is not None) is is_found


def test_a_tag_that_is_purged_again_is_remembered_for_longer():
    """Of too many the one that was purged longest ago is forgotten."""
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
