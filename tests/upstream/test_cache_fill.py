"""The fill layer: one call for all who lack the same, conditional where it can be."""

import asyncio

import pytest

from bff_core.cache.key import primary_key
from bff_core.call import find_header
from bff_core.errors import TransportFailed
from bff_core.policy.upstream.cache import Cache
from bff_core.testing.scripted import fail, hang, reply
from tests.upstream.cached_upstream import (
    MINUTE,
    CachedUpstream,
    Catalog,
    Product,
    Shelf,
    Title,
    product,
    value,
)

pytestmark = pytest.mark.virtual_time

CHECKED_EACH_TIME = {"etag": '"1"', "cache-control": "no-cache"}


async def test_a_thousand_misses_are_one_call() -> None:
    """All get its reply, which is stored once."""
    cached = CachedUpstream(product(after=1))

    replies = await asyncio.gather(*(cached.get() for _ in range(1000)))

    assert {value(one) for one in replies} == {Product(7)}
    assert cached.calls_sent == 1
    assert cached.cache.figures.by_name["catalog"].store == 1


async def test_a_stale_entry_is_validated() -> None:
    """A 304 saves the service the body and the gateway the decoding."""
    cached = CachedUpstream(reply(200, {"id": 7}, headers=CHECKED_EACH_TIME), reply(304))
    first = await cached.get()

    second = await cached.get()

    assert find_header(cached.service.calls[1].headers, b"if-none-match") == b'"1"'
    assert (second.status, second.source, second.body) == (200, "upstream", first.body)
    assert value(second) is value(first)
    assert cached.outcomes()[2:] == [("refresh", "304"), ("miss", "")]


async def test_a_304_makes_an_entry_fresh_again() -> None:
    """With the fields that it brought."""
    cached = CachedUpstream(
        product(etag='"1"', **MINUTE), reply(304, headers={**MINUTE, "x-new": "1"})
    )
    await cached.get()
    await asyncio.sleep(61)
    await cached.get()

    answer = await cached.get()

    assert (answer.source, answer.header("x-new")) == ("cache", "1")
    assert cached.calls_sent == 2


async def test_a_304_for_another_entry_is_repeated_without_condition() -> None:
    """It confirms another entry than the stored one."""
    etag = {"etag": '"other"'}
    cached = CachedUpstream(product(1, etag='"1"', **MINUTE), reply(304, headers=etag), product(2))
    await cached.get()
    await asyncio.sleep(61)

    answer = await cached.get()

    assert value(answer) == Product(2)
    assert find_header(cached.service.calls[2].headers, b"if-none-match") is None


async def test_a_head_revalidates_an_entry() -> None:
    """It is fresh again without having been sent (RFC 9111, section 4.3.5)."""
    cached = CachedUpstream(
        product(etag='"1"', **MINUTE), reply(200, headers={**MINUTE, "etag": '"1"'})
    )
    await cached.get()
    await asyncio.sleep(61)

    head = await cached.get(None, method="HEAD")
    full = await cached.get()

    assert (head.status, head.body) == (200, b"")
    assert (full.source, value(full)) == ("cache", Product(7))


@pytest.mark.parametrize("status", [404, 410])
async def test_a_resource_that_is_gone_is_deleted_from_the_cache(status: int) -> None:
    """Not even to answer for a failure later on."""
    cached = CachedUpstream(
        product(etag='"1"', **MINUTE), reply(status), fail(), cache=Cache(error=3600)
    )
    await cached.get()
    await asyncio.sleep(61)
    await cached.get(None)

    with pytest.raises(TransportFailed):
        await cached.get(headers=((b"accept", b"application/json"),))


async def test_a_reply_that_was_purged_in_flight_is_not_stored() -> None:
    """Only its caller gets it."""
    cached = CachedUpstream(product(1, after=1), product(2))
    asking = asyncio.create_task(cached.get(tags=("p",)))
    await asyncio.sleep(0.5)
    await cached.cache.purge("p")

    first, second = await asking, await cached.get(tags=("p",))

    assert (value(first), first.reuse) == (Product(1), None)
    assert value(second) == Product(2)
    assert ("refuse", "purged") in cached.outcomes()


async def test_a_call_after_a_purge_joins_no_earlier_flight() -> None:
    """That flight may return data from before the purge."""
    cached = CachedUpstream(product(1, after=1), product(2, after=1))
    before = asyncio.create_task(cached.get(tags=("p",)))
    await asyncio.sleep(0.5)
    await cached.cache.purge("p")

    after = await cached.get(tags=("p",))

    assert (value(await before), value(after)) == (Product(1), Product(2))


async def test_several_processes_ask_once() -> None:
    """The others wait for what the first stores."""
    shelf = Shelf()
    several = [CachedUpstream(product(after=0.5), shelf=shelf) for _ in range(4)]

    replies = await asyncio.gather(*(cached.get() for cached in several * 10))

    assert {value(one) for one in replies} == {Product(7)}
    assert sum(cached.calls_sent for cached in several) == 1
    assert shelf.leases == {}


async def test_several_processes_refresh_once() -> None:
    """One process has the lease; the others go on serving what they have."""
    shelf = Shelf()
    options = Cache(ttl=10, stale=60)
    several = [CachedUpstream(product(after=0.5), shelf=shelf, cache=options) for _ in range(4)]
    for cached in several:
        await cached.get()
    await asyncio.sleep(11)

    replies = await asyncio.gather(*(cached.get() for cached in several))
    for cached in several:
        await cached.settle()

    assert {one.source for one in replies} == {"stale"}
    assert sum(cached.calls_sent for cached in several) == 2


async def test_several_processes_refresh_ahead_once_a_period() -> None:
    """Though each of them holds the old one, which is fresh to the end."""
    shelf = Shelf()
    several = [
        CachedUpstream(product(after=0.05), shelf=shelf, cache=Cache(ttl=10)) for _ in range(4)
    ]

    sources = []
    for _ in range(2500):
        await asyncio.sleep(0.02)
        sources += [(await cached.get()).source for cached in several]

    assert sources.count("upstream") <= 2
    assert sum(cached.calls_sent for cached in several) <= 8


async def test_no_call_waits_for_the_lease_of_an_early_refresh() -> None:
    """Another process still has it though its refresh is over, and the entry expires meanwhile."""
    shelf = Shelf(latency=0.02)
    cached = CachedUpstream(product(cache_control="max-age=1"), shelf=shelf)
    shelf.leases[f"early {primary_key(cached.call(), ())}"] = Shelf()
    longest = 0.0

    for _ in range(1000):
        began = cached.bench.now
        await cached.get(timeout=10)
        longest = max(longest, cached.bench.now - began)
        await asyncio.sleep(0.01)

    assert longest < 0.2


async def test_a_process_that_holds_a_lease_and_is_stuck_is_waited_for_boundedly() -> None:
    """The others ask themselves while there is time."""
    shelf = Shelf()
    stuck, other = CachedUpstream(hang(), shelf=shelf), CachedUpstream(product(), shelf=shelf)
    asking = asyncio.create_task(stuck.get())
    await asyncio.sleep(0.1)
    began = other.bench.now

    answer = await other.get(timeout=1)

    assert value(answer) == Product(7)
    assert 0.5 < other.bench.now - began < 0.9
    asking.cancel()


async def test_a_lease_is_given_back_when_asking_fails() -> None:
    """The next process tries at once."""
    shelf = Shelf()
    one, other = CachedUpstream(fail(), shelf=shelf), CachedUpstream(product(), shelf=shelf)

    with pytest.raises(TransportFailed):
        await one.get()
    answer = await other.get()

    assert value(answer) == Product(7)
    assert shelf.leases == {}


async def test_calls_do_not_wait_for_replies_that_can_not_be_shared() -> None:
    """Replies that are not stored are requested by all at once, after the first showed that."""
    shelf = Shelf()
    secret = product(after=0.5, cache_control="no-store")
    several = [CachedUpstream(secret, shelf=shelf) for _ in range(4)]
    await asyncio.gather(*(cached.get() for cached in several))
    began = several[0].bench.now

    await asyncio.gather(*(cached.get() for cached in several))

    assert several[0].bench.now - began < 0.6


async def test_an_entry_of_another_process_is_served() -> None:
    """It is served without a call, stale ones included."""
    shelf = Shelf()
    options = Cache(ttl=10, stale=60)
    one, other = (CachedUpstream(product(), shelf=shelf, cache=options) for _ in range(2))
    await one.get()
    fresh = await other.get()
    await asyncio.sleep(15)
    third = CachedUpstream(product(), shelf=shelf, cache=options)

    stale = await third.get()

    assert (fresh.source, stale.source) == ("cache", "stale")
    assert other.calls_sent == third.calls_sent == 0


async def test_callers_that_share_a_reply_get_their_own_types() -> None:
    """Two methods may read one URL as different models, at once."""
    cached = CachedUpstream(product(after=0.5))
    catalog = Catalog(cached.stack, clock=cached.bench.runtime.clock)

    first = await asyncio.gather(catalog.product(7), catalog.title(7))
    second = await asyncio.gather(catalog.product(7), catalog.title(7))

    assert first == second == [Product(7), Title()]
    assert cached.calls_sent == 1


async def test_a_call_without_cache_joins_no_cached_call() -> None:
    """`cache=False` calls the service, whatever another process stores."""
    shelf = Shelf()
    await CachedUpstream(product(1), shelf=shelf).get()
    cached = CachedUpstream(product(2), shelf=shelf)

    stored, sent = await asyncio.gather(cached.get(), cached.get(cache=False))

    assert (stored.source, sent.source) == ("cache", "upstream")
