"""The purge layer: who reads after a write does not get what was before it."""

import asyncio
from contextlib import suppress

import pytest

from bff_core.errors import DeadlineExceeded, TransportFailed
from bff_core.events import Purged
from bff_core.policy.upstream.cache import Cache
from bff_core.testing.scripted import fail, hang, reply
from tests.upstream.kept import Catalog, Larder, Product, product, value

pytestmark = pytest.mark.virtual_time

WRITE = {"method": "PUT", "model": None}


async def read_write_read(larder: Larder, **write) -> object:
    """Return what is read after a write that may have changed it."""
    await larder.get()
    await larder.get(**{**WRITE, **write})
    await larder.settle()
    return value(await larder.get())


@pytest.mark.parametrize("method", ["PUT", "POST", "PATCH", "DELETE"])
async def test_a_write_purges_its_own_url(method: str) -> None:
    """For all viewers and variants of it."""
    larder = Larder(product(1), reply(204), product(2))

    assert await read_write_read(larder, method=method) == Product(2)


async def test_a_write_purges_what_it_declares() -> None:
    """As tags; another URL's replies go with them."""
    larder = Larder(product(1), reply(200), product(2), cache=Cache())
    await larder.get(tags=("product:7",))

    await larder.get(target="/prices/7", purges=("product:7",), **WRITE)
    answer = await larder.get(tags=("product:7",))

    assert value(answer) == Product(2)


@pytest.mark.parametrize("name", ["location", "content-location"])
async def test_a_write_purges_what_the_reply_names(name: str) -> None:
    """Below the upstream's own base path; the address may be given in full."""
    named = {name: "http://catalog.internal/api/products/7"}
    larder = Larder(product(1), reply(201, headers=named), product(2))

    assert await read_write_read(larder, target="/products", method="POST") == Product(2)


async def test_a_write_that_was_refused_purges_nothing() -> None:
    """Nothing was changed."""
    larder = Larder(product(1), reply(409))

    assert await read_write_read(larder) == Product(1)
    assert larder.bench.heard_of(Purged) == []


@pytest.mark.parametrize("outcome", [fail(), reply(500), reply(503)], ids=["cut", "500", "503"])
async def test_a_write_of_which_nobody_knows_purges(outcome) -> None:
    """It may have been done."""
    larder = Larder(product(1), outcome, product(2))
    await larder.get()

    with suppress(TransportFailed):
        await larder.get(**WRITE)
    await larder.settle()

    assert value(await larder.get()) == Product(2)


async def test_a_write_that_took_too_long_purges() -> None:
    """Whoever called is gone by then."""
    larder = Larder(product(1), hang(), product(2))
    await larder.get()

    with pytest.raises(DeadlineExceeded):
        await larder.get(timeout=0.5, **WRITE)
    await larder.settle()

    assert value(await larder.get()) == Product(2)


async def test_a_read_that_a_write_overtakes_is_not_kept() -> None:
    """It may have been answered before the write was done."""
    larder = Larder(product(1, after=1), reply(204), product(2))
    reading = asyncio.create_task(larder.get())
    await asyncio.sleep(0.5)

    await larder.get(**WRITE)
    before, after = await reading, await larder.get()

    assert (value(before), value(after)) == (Product(1), Product(2))


async def test_a_write_to_a_service_that_is_not_kept_purges_as_well() -> None:
    """What it changes may be what another service says."""
    catalog = Larder(product(1), product(2))
    orders = Larder(reply(204), beside=catalog)
    await catalog.get(tags=("product:7",))

    await orders.get(target="/orders", purges=("product:7",), **WRITE)

    assert value(await catalog.get(tags=("product:7",))) == Product(2)


async def test_reads_purge_nothing() -> None:
    """A safe call changes nothing."""
    larder = Larder(product())

    await larder.get()
    await larder.get(method="OPTIONS", model=None)

    assert larder.bench.heard_of(Purged) == []


async def test_a_write_needs_no_parameters_of_the_tags_of_reads() -> None:
    """A policy's tags are of what is kept; what a new thing will be called its reply tells."""
    larder = Larder(reply(201, {"id": 8}))
    catalog = Catalog(larder.stack, clock=larder.bench.runtime.clock)

    assert await catalog.add("Tent") == Product(8)


async def test_who_reads_after_a_write_in_doubt_sees_what_it_did() -> None:
    """The purge is over before the failure is told."""
    larder = Larder(product(1), reply(500), product(2))
    await larder.get()

    await larder.get(**WRITE)

    assert larder.bench.background == set()
    assert value(await larder.get()) == Product(2)
