"""The store in memory: bounded in bytes and entries; expired and least recently used ones go."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from bff_core.cache.entry import CacheEntry
from bff_core.cache.stores.memory import MemoryCacheStore
from bff_core.events import Events, Evicted

ROOT = Path(__file__).parents[3]


class Hands:
    """A clock that the test sets."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    """Return a clock that stands still."""
    return Hands()


def opened(clock, *sinks, size=2**20, entries=1000):
    """Return an empty store."""
    return MemoryCacheStore(size=size, max_entries=entries, clock=clock, events=Events(*sinks))


def entry(body=b"{}", tags=()):
    """Return an answer."""
    return CacheEntry(200, ((b"content-type", b"application/json"),), body, 1000.0, 60.0, tags=tags)


async def put(store, key, one, store_for=60.0):
    """Store an answer whose request was sent just now."""
    return await store.set(key, one, store_for=store_for, mark=store.mark())


async def test_the_least_recently_used_entry_is_evicted(clock):
    """A full store evicts what was not read for the longest time, and never exceeds its bytes."""
    store = opened(clock, size=100_000)
    for number in range(40):
        await put(store, f"{number}", entry(b"x" * 5_000))
        store.peek("0")

    assert store.peek("0")
    assert store.peek("39")
    assert store.peek("1") is None
    assert 80_000 < store.size <= store.limit


async def test_entries_are_bounded_in_number(clock):
    """However small they are."""
    store = opened(clock, entries=10)
    for number in range(40):
        await put(store, f"{number}", entry(tags=(f"tag:{number}",)))

    assert len(store) == 10
    assert await store.purge(["tag:0", "tag:39"]) == 1


async def test_an_answer_larger_than_the_store_is_not_stored(clock):
    """And the one that it replaces is dropped, since it is outdated."""
    store = opened(clock, size=10_000)
    await put(store, "a", entry())
    await put(store, "b", entry())

    is_stored = await put(store, "a", entry(b"x" * 20_000))

    assert not is_stored
    assert store.peek("a") is None
    assert store.peek("b")


async def test_writes_remove_expired_entries(clock):
    """Expired entries take no room, although no call reads them."""
    store = opened(clock)
    for number in range(200):
        await put(store, f"dead:{number}", entry(tags=(f"tag:{number}",)), store_for=10)
    clock.now += 30
    for number in range(100):
        await put(store, f"alive:{number}", entry())

    assert len(store) == 100
    assert all(store.peek(f"alive:{number}") for number in range(100))


async def test_evictions_are_reported_once_a_second(clock):
    """With the number of entries and of bytes."""
    heard = []
    store = opened(clock, heard.append, entries=10)
    for number in range(30):
        clock.now += 0.1
        await put(store, f"{number:02}", entry())

    evictions = [event for event in heard if isinstance(event, Evicted)]
    assert [event.count for event in evictions] == [1, 10]
    assert all(event.size == event.count * evictions[0].size for event in evictions)


async def test_decoded_values_count(clock):
    """Typed values that are decoded later count as part of the store's bytes."""
    store = opened(clock)
    one, other = entry(b"x" * 1000), entry(b"x" * 1000)
    await put(store, "one", one)
    await put(store, "other", other)
    before = store.size

    other.decoded["product"] = object()
    await put(store, "third", entry(b""))
    store.peek("third")
    settled = store.size - before - opened_size(clock)
    one.decoded["product"] = object()
    store.peek("one")

    assert settled == 5_000
    assert store.size - before - opened_size(clock) == 10_000


def opened_size(clock):
    """Return the size of an entry without a body."""
    store = opened(clock)
    store.put("third", entry(b""), store_for=60.0, mark=store.mark())
    return store.size


async def test_replies_from_before_the_purge_log_are_not_stored(clock):
    """The log is bounded; a reply requested before its first purge may be outdated."""
    store = opened(clock)
    before = store.mark()
    await store.purge(["first"])
    after = store.mark()
    for number in range(5_000):
        await store.purge([f"{number}"])

    assert not await store.set("a", entry(tags=("first",)), store_for=60, mark=before)
    assert not await store.set("a", entry(), store_for=60, mark=after)
    assert await put(store, "a", entry())


async def test_replies_requested_before_a_clear_are_not_stored(clock):
    """With or without tags."""
    store = opened(clock)
    mark = store.mark()
    await put(store, "a", entry(tags=("t",)))

    store.clear()

    assert (len(store), store.size, await store.purge(["t"])) == (0, 0, 0)
    assert not await store.set("a", entry(), store_for=60, mark=mark)


GROWTH = """
import os, random
from time import monotonic
from bff_core.cache.entry import CacheEntry
from bff_core.cache.stores.memory import MemoryCacheStore
from bff_core.events import Events

def resident():
    return int(open("/proc/self/statm").read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

def main():
    dice = random.Random(7)
    store = MemoryCacheStore(size=16 * 2**20, clock=monotonic, events=Events())
    before = resident()
    worst = []
    bodies = [b"%08d" % number * dice.choice((1, 10, 30, 200)) for number in range(997)]
    for number in range(1_000_000):
        body = bytes(memoryview(bodies[number % 997]))
        headers = ((b"etag", b"%d" % number),) * (number % 4)
        tags = (f"product:{number}", f"shop:{number % 50}")[: number % 3]
        entry = CacheEntry(200, headers, body, number / 7, 60.0, tags=tags)
        store.put(f"GET /{number}", entry, store_for=number % 301, mark=store.mark())
        if number % 100_000 == 99_999:
            worst.append(resident() - before)
    print(store.size, *worst)

main()
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads from Linux its memory")
def test_a_million_keys_stay_within_the_bound():
    """The process grows by the bound and a fifth at most, and then no more."""
    ended = subprocess.run(
        (sys.executable, "-c", GROWTH), cwd=ROOT, check=True, capture_output=True, timeout=120
    )
    size, *grown = map(int, ended.stdout.split())

    bound = 16 * 2**20
    assert 0.9 * bound < size <= bound
    assert max(grown) <= 1.2 * bound
    assert grown[-1] <= 1.05 * max(grown[2:5])


async def test_a_full_store_is_cleared_at_once(clock):
    """A Redis that comes and goes clears memory each time: requests do not wait for that."""
    store = opened(clock, size=2**30, entries=20_000)
    began = time.process_time()
    for number in range(10_000):
        await put(store, f"{number}", entry())
    filled = time.process_time()
    store.clear()

    assert len(store) == store.size == 0
    assert time.process_time() - filled < (filled - began) / 4
