"""The purge layer: who reads after a write does not get what was before it."""

import asyncio
from contextlib import suppress

import pytest

from bff_core.errors import DeadlineExceeded, TransportFailed
from bff_core.events import Purged
from bff_core.policy.upstream.cache import Cache
from bff_core.testing.scripted import fail, hang, reply
from tests.upstream.cached_upstream import CachedUpstream, Catalog, Product, product, value

pytestmark = pytest.mark.virtual_time

WRITE = {"method": "PUT", "model": None}


async def read_write_read(cached: CachedUpstream, **write) -> object:
    """Return what is read after a write that may have changed it."""
    await cached.get()
    await cached.get(**{**WRITE, **write})
    await cached.settle()
    return value(await cached.get())


@pytest.mark.parametrize("method", ["PUT", "POST", "PATCH", "DELETE"])
async def test_a_write_purges_its_own_url(method: str) -> None:
    """For all viewers and variants of it."""
    cached = CachedUpstream(product(1), reply(204), product(2))

    assert await read_write_read(cached, method=method) == Product(2)


async def test_a_write_purges_what_it_declares() -> None:
    """As tags; another URL's replies go with them."""
    cached = CachedUpstream(product(1), reply(200), product(2), cache=Cache())
    await cached.get(tags=("product:7",))

    await cached.get(target="/prices/7", purges=("product:7",), **WRITE)
    answer = await cached.get(tags=("product:7",))

    assert value(answer) == Product(2)


@pytest.mark.parametrize("name", ["location", "content-location"])
async def test_a_write_purges_what_the_reply_names(name: str) -> None:
    """Below the upstream's own base path; the address may be given in full."""
    named = {name: "http://catalog.internal/api/products/7"}
    cached = CachedUpstream(product(1), reply(201, headers=named), product(2))

    assert await read_write_read(cached, target="/products", method="POST") == Product(2)


async def test_a_write_that_was_refused_purges_nothing() -> None:
    """The service did not execute it."""
    cached = CachedUpstream(product(1), reply(409))

    assert await read_write_read(cached) == Product(1)
    assert cached.bench.events_of(Purged) == []


@pytest.mark.parametrize("outcome", [fail(), reply(500), reply(503)], ids=["cut", "500", "503"])
async def test_a_write_with_an_unknown_outcome_purges(outcome) -> None:
    """The write may have been executed."""
    cached = CachedUpstream(product(1), outcome, product(2))
    await cached.get()

    with suppress(TransportFailed):
        await cached.get(**WRITE)
    await cached.settle()

    assert value(await cached.get()) == Product(2)


async def test_a_write_that_took_too_long_purges() -> None:
    """The caller is gone by then."""
    cached = CachedUpstream(product(1), hang(), product(2))
    await cached.get()

    with pytest.raises(DeadlineExceeded):
        await cached.get(timeout=0.5, **WRITE)
    await cached.settle()

    assert value(await cached.get()) == Product(2)


async def test_a_read_that_a_write_overtakes_is_not_stored() -> None:
    """It may have been answered before the write was done."""
    cached = CachedUpstream(product(1, after=1), reply(204), product(2))
    reading = asyncio.create_task(cached.get())
    await asyncio.sleep(0.5)

    await cached.get(**WRITE)
    before, after = await reading, await cached.get()

    assert (value(before), value(after)) == (Product(1), Product(2))


async def test_a_write_to_a_service_without_cache_purges_as_well() -> None:
    """What it changes may be what another service says."""
    catalog = CachedUpstream(product(1), product(2))
    orders = CachedUpstream(reply(204), beside=catalog)
    await catalog.get(tags=("product:7",))

    await orders.get(target="/orders", purges=("product:7",), **WRITE)

    assert value(await catalog.get(tags=("product:7",))) == Product(2)


async def test_reads_purge_nothing() -> None:
    """A safe call changes nothing."""
    cached = CachedUpstream(product())

    await cached.get()
    await cached.get(method="OPTIONS", model=None)

    assert cached.bench.events_of(Purged) == []


async def test_a_write_needs_no_parameters_of_the_tags_of_reads() -> None:
    """A policy's tags are those of stored replies; a new resource's name is in its reply."""
    cached = CachedUpstream(reply(201, {"id": 8}))
    catalog = Catalog(cached.stack, clock=cached.bench.runtime.clock)

    assert await catalog.add("Tent") == Product(8)


async def test_a_read_after_a_write_in_doubt_gets_its_effect() -> None:
    """The purge is over before the failure is raised."""
    cached = CachedUpstream(product(1), reply(500), product(2))
    await cached.get()

    await cached.get(**WRITE)

    assert cached.bench.background == set()
    assert value(await cached.get()) == Product(2)
