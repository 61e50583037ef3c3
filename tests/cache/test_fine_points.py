"""Boundary cases of the cache: exact instants, and concurrent changes."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from bff_core.cache.dates import parse_http_date
from bff_core.cache.entry import CacheEntry
from bff_core.cache.freshness import FRESH, STALE, judge
from bff_core.cache.stores.codec import DEFLATED, decode, encode
from bff_core.cache.stores.expiry import ExpiryBuckets
from bff_core.cache.stores.memory import MemoryCacheStore
from bff_core.cache.stores.purge_epoch import PurgeEpoch
from bff_core.cache.stores.redis import Loaded
from bff_core.cache.stores.tiered import TieredCacheStore
from bff_core.cache.storing import REVALIDATION_SECONDS, storage_seconds
from bff_core.cache.variants import is_current_index, variant_index
from bff_core.events import Events
from bff_core.policy.upstream.cache import Cache
from tests.cache.exchanges import NOW, VIEWER, call, entry_of, fields, reply

STORED = CacheEntry(
    200, fields({"etag": '"1"'}), b"{}", generated_at=NOW, fresh_for=60.0, has_validator=True
)


def test_an_entry_with_a_validator_is_stored_for_another_hour():
    """The hour begins now, however long ago the entry expired."""
    assert storage_seconds(STORED, NOW) == 60 + REVALIDATION_SECONDS
    assert storage_seconds(STORED, NOW + 60) == REVALIDATION_SECONDS
    assert storage_seconds(STORED, NOW + 1000) == REVALIDATION_SECONDS
    assert storage_seconds(replace(STORED, has_validator=False), NOW + 1000) < 0


@pytest.mark.parametrize(
    ("digits", "year"), [("00", 2000), ("69", 2069), ("70", 1970), ("99", 1999)]
)
def test_a_year_of_two_digits_has_its_century(digits, year):
    """As in POSIX, 70 is the first year of the last century."""
    found = parse_http_date(f"Sunday, 06-Nov-{digits} 08:49:37 GMT".encode())

    assert found == parse_http_date(f"Sun, 06 Nov {year} 08:49:37 GMT".encode())
    assert found is not None


@pytest.mark.parametrize(("left", "verdict"), [(8, "fresh"), (5.5, "fresh"), (4.5, "early")])
def test_the_early_window_is_a_share_of_the_remaining_lifetime(left, verdict):
    """50 of 100 seconds had passed on arrival: a tenth of the rest is 5."""
    entry = replace(STORED, headers=fields({"age": "50"}), fresh_for=100.0)

    found = judge(entry, call(), Cache(early=0.1), now=NOW + 100 - left, chance=lambda: 0.0)

    assert found.kind == verdict


def test_a_private_reply_may_be_served_stale_despite_s_maxage():
    """s-maxage and proxy-revalidate are for shared caches (RFC 9111, section 5.2.2)."""
    mine = call(audience=VIEWER, headers={"cache-control": "max-stale"})
    for word in ("s-maxage=10", "proxy-revalidate"):
        shared = entry_of(reply(f"max-age=10, {word}"))
        private = entry_of(reply(f"private, max-age=10, {word}"), mine)

        for entry, wanted in ((shared, False), (private, True)):
            found = judge(entry, mine, Cache(), now=NOW + 20, chance=lambda: 1.0)
            assert (found is STALE) is wanted
        assert judge(private, mine, Cache(), now=NOW + 5, chance=lambda: 1.0) is FRESH


def test_a_variant_index_is_renewed_for_an_entry_that_lasts_longer():
    """Otherwise the entry could not be found once the old index expires."""
    entry = replace(STORED, varies=((b"accept-language", b"de"),))
    short, long = variant_index(entry, NOW, 10.0), variant_index(entry, NOW, 20.0)
    other = variant_index(replace(STORED, varies=((b"x-country", b"de"),)), NOW, 30.0)

    assert is_current_index(long, short)
    assert is_current_index(short, short)
    assert not is_current_index(short, long)
    assert not is_current_index(other, short)
    assert not is_current_index(entry, short)
    assert not is_current_index(None, short)


def test_a_mark_of_another_era_is_invalid():
    """After Redis begins a new era, older purge numbers mean nothing."""
    epoch = PurgeEpoch(lambda: 0.0)
    epoch.learn("e1", 7)
    before = epoch.mark()
    epoch.learn("e2", 7)

    assert epoch.count_at(before) is None
    assert epoch.count_at(epoch.mark()) == 7


def test_an_entry_ages_while_it_is_stored_elsewhere():
    """No process serves an entry for longer because another process stored it."""
    aged = replace(STORED, generated_at=NOW - 5)

    found = decode(encode(aged, NOW), 100.0, stored_for=20.0)

    assert found is not None
    assert found.age(100.0) == 25.0
    assert found.fresh_until - 100.0 == 35.0
    assert replace(found, generated_at=aged.generated_at) == aged


@pytest.mark.parametrize("size", [10, 100_000])
@pytest.mark.parametrize("cut", [1, 4, 10])
def test_a_truncated_entry_is_not_decoded(size, cut):
    """Even if only the checksum at the end is missing."""
    whole = encode(replace(STORED, body=b"x" * size), NOW)

    assert decode(whole, NOW, 0.0) is not None
    assert (whole[:1] == DEFLATED) is (size > 1000)
    assert decode(whole[:-cut], NOW, 0.0) is None


def test_a_key_expires_at_the_end_of_its_bucket():
    """Neither before nor after that instant."""
    expiries = ExpiryBuckets()
    end = expiries.add("key", 0.0, 10.0)

    assert expiries.due(end - 0.001) is None
    assert expiries.due(end) == "key"
    expiries.discard("key", end)
    assert expiries.due(end) is None


class Heard:
    """A subscription that is always up to date."""

    received_until = float("inf")
    hear = None

    async def run(self, hear):
        """Wait for messages; a test sends them."""
        self.hear = hear
        await asyncio.Event().wait()


class Shared:
    """The shared store: it answers when a test lets it."""

    process = "other"

    def __init__(self, entry):
        self.session = self.link = self
        self.gate = asyncio.Event()
        self.takes = True
        self.heard = Heard()
        self._entry = entry

    def subscribe(self, _, *, gap):
        """Return the subscription to purges."""
        del gap
        return self.heard

    def mark(self):
        """Return a constant position."""
        return 0

    async def load(self, _):
        """Return the entry, as it was when the request came."""
        await self.gate.wait()
        return Loaded(self._entry, 50.0)

    async def offer(self, *_, **__):
        """Store an entry, or refuse it."""
        await self.gate.wait()
        return self.takes

    async def purge(self, _):
        """Delete entries with a tag."""
        await self.gate.wait()

    async def delete(self, _):
        """Delete an entry."""

    async def aclose(self):
        """Do nothing."""


@asynccontextmanager
async def two_levels():
    """Open memory over a shared store."""
    shared, events = Shared(STORED), Events()
    memory = MemoryCacheStore(size=2**20, clock=lambda: NOW, events=events)
    spawn = asyncio.get_running_loop().create_task
    store = TieredCacheStore(memory, shared, spawn=spawn, clock=lambda: NOW, events=events)
    await asyncio.sleep(0)
    try:
        yield store, memory, shared
    finally:
        await store.aclose()


def put(memory, entry=STORED):
    """Store an entry in memory."""
    return memory.put("key", entry, store_for=60.0, mark=memory.mark())


@pytest.mark.parametrize("does", ["get", "set"])
async def test_an_entry_deleted_during_a_load_is_not_stored_in_memory(does):
    """Redis answered before it received the deletion."""
    async with two_levels() as (store, _, shared):
        doing = {
            "get": lambda: store.get("key"),
            "set": lambda: store.set("key", STORED, store_for=60.0, mark=store.mark()),
        }[does]
        task = asyncio.ensure_future(doing())
        await asyncio.sleep(0)
        await store.delete("key")
        shared.gate.set()
        await task
        after_deletion = store.peek("key")
        await doing()

        assert after_deletion is None
        assert store.peek("key") is not None


async def test_an_entry_that_redis_refuses_is_not_in_memory_either():
    """Redis has a purge that this process has not received yet."""
    async with two_levels() as (store, memory, shared):
        put(memory)
        shared.takes = False
        shared.gate.set()

        assert not await store.set("key", STORED, store_for=60.0, mark=store.mark())
        assert store.peek("key") is None


async def test_an_entry_read_during_a_purge_is_purged_too():
    """Redis had the entry until it received the purge."""
    tagged = replace(STORED, tags=("product:7",))
    async with two_levels() as (store, memory, shared):
        purging = asyncio.ensure_future(store.purge(["product:7"]))
        await asyncio.sleep(0)
        assert put(memory, tagged)
        shared.gate.set()

        assert await purging == 1
        assert store.peek("key") is None


@pytest.mark.parametrize("message", [b"", b"garbage", b"e1 x \x90", b"e1 7 \xc1", b"e1 7"])
async def test_a_malformed_message_clears_the_memory(message):
    """It may have been about any entry."""
    async with two_levels() as (store, memory, shared):
        put(memory)
        shared.heard.hear(message)

        assert store.peek("key") is None


@pytest.mark.parametrize(("later", "is_there"), [(0.0, True), (59.9, True), (60.0, False)])
async def test_memory_drops_an_entry_when_it_expires(later, is_there):
    """Not an instant later."""
    clock = [NOW]
    memory = MemoryCacheStore(size=2**20, clock=lambda: clock[0], events=Events())
    put(memory)
    clock[0] += later

    assert (memory.peek("key") is not None) is is_there
