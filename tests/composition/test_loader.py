"""Loaders: one call for all keys of a tick, and each caller gets its own value."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import NewType

import pytest

from bff_core.composition.composition import Composition
from bff_core.composition.decorators import critical
from bff_core.composition.gather import gather
from bff_core.composition.loader import loader
from bff_core.errors import ConfigurationError, NotFound, Overloaded, PartFailed

PRICES = {"a": 1, "b": 2, "c": 3, "d": 4, "e": 5}


class Shelf(Composition):
    """Loads prices, and records the keys of each batch."""

    calls: list[tuple[str, ...]]

    @loader
    async def price(self, skus: tuple[str, ...]) -> Mapping[str, int]:
        self.calls.append(skus)
        await asyncio.sleep(0.1)
        return {sku: PRICES[sku] for sku in skus if sku in PRICES}

    @loader(chunk=2)
    async def chunked(self, skus: tuple[str, ...]) -> Mapping[str, int]:
        self.calls.append(skus)
        return {sku: PRICES[sku] for sku in skus}

    @loader(missing=0)
    async def discount(self, skus: tuple[str, ...]) -> Mapping[str, int]:
        self.calls.append(skus)
        return {}

    @loader(fallback=-1)
    async def down(self, skus: tuple[str, ...]) -> Mapping[str, int]:
        raise Overloaded("pricing is down")

    @loader(fallback=-1)
    async def half(self, skus: tuple[str, ...]) -> Mapping[str, int | Exception]:
        return {sku: PRICES[sku] if sku == "a" else Overloaded("half") for sku in skus}

    @loader
    async def picky(self, skus: tuple[str, ...]) -> Mapping[str, int | Exception]:
        return {sku: PRICES[sku] if sku == "a" else ValueError(sku) for sku in skus}

    @critical
    async def cheapest(self) -> int:
        return min(await self.price.many(("a", "b")))


def shelf() -> Shelf:
    return Shelf(calls=[])


@pytest.mark.virtual_time
async def test_keys_of_one_tick_become_one_call():
    """Three fields that load in the same tick cost one call, and each gets its own value."""
    screen = shelf()

    assert await gather(screen.price("b"), screen.price("a"), screen.price("c")) == (2, 1, 3)
    assert screen.calls == [("b", "a", "c")]


@pytest.mark.virtual_time
async def test_key_is_loaded_once_per_screen():
    """A key that is loaded twice, now or later, is sent once."""
    screen = shelf()

    await gather(screen.price("a"), screen.price("a"))
    await screen.price("a")

    assert screen.calls == [("a",)]


@pytest.mark.virtual_time
async def test_keys_of_a_later_tick_are_a_call_of_their_own():
    """A batch that was sent does not wait for later keys; those are a batch of their own."""
    screen = shelf()
    first = asyncio.ensure_future(screen.price("a"))
    await asyncio.sleep(0.05)

    assert await screen.price("b") == 2
    assert await first == 1
    assert screen.calls == [("a",), ("b",)]


@pytest.mark.virtual_time
async def test_resolvers_of_one_tick_share_a_call():
    """List items that are resolved in tasks of their own still share a batch."""
    screen = shelf()

    async def resolve(sku: str) -> int:
        return await screen.price(sku)

    assert await asyncio.gather(*(resolve(sku) for sku in "abc")) == [1, 2, 3]
    assert screen.calls == [("a", "b", "c")]


@pytest.mark.virtual_time
async def test_many_preserves_the_order_and_repeats():
    """Values come back in the order of the keys, and a repeated key repeats its value."""
    screen = shelf()

    assert await screen.price.many(["c", "a", "c"]) == [3, 1, 3]
    assert screen.calls == [("c", "a")]


@pytest.mark.virtual_time
async def test_large_batches_are_cut_into_chunks():
    """No call carries more keys than the service takes."""
    screen = shelf()

    assert await screen.chunked.many("abcde") == [1, 2, 3, 4, 5]
    assert screen.calls == [("a", "b"), ("c", "d"), ("e",)]


@pytest.mark.virtual_time
async def test_unknown_key_is_not_found():
    """A key that the service does not know is an error of that key alone."""
    screen = shelf()
    known, unknown = screen.price("a"), screen.price("z")

    assert await known == 1
    with pytest.raises(NotFound, match="price"):
        await unknown


@pytest.mark.virtual_time
async def test_unknown_key_may_have_a_value():
    """With `missing=` an unknown key yields that value, and nothing is degraded."""
    screen = shelf()

    assert await screen.discount("a") == 0
    assert screen.degraded == ()


@pytest.mark.virtual_time
async def test_error_of_one_key_leaves_the_others():
    """Only the callers of that key get the error."""
    screen = shelf()
    good, bad = screen.picky("a"), screen.picky("b")

    assert await good == 1
    with pytest.raises(ValueError, match="b"):
        await bad


@pytest.mark.virtual_time
async def test_error_of_one_key_yields_the_fallback_and_degrades_the_part():
    """With a fallback, a failed key is reported in the part's state."""
    screen = shelf()

    assert await screen.half.many("ab") == [1, -1]
    assert [(one.name, one.state) for one in screen.degraded] == [("half", "fallback")]


@pytest.mark.virtual_time
async def test_failed_batch_yields_the_fallback_for_every_key():
    """If the service is down the screen is degraded, and does not fail."""
    screen = shelf()

    assert await screen.down.many("ab") == [-1, -1]
    assert [(one.name, one.reason) for one in screen.degraded] == [("down", "overloaded")]


@pytest.mark.virtual_time
async def test_failed_batch_without_fallback_is_raised_to_each_key():
    """A loader without a fallback is a critical part."""

    class Strict(Composition):
        @loader
        async def price(self, skus: tuple[str, ...]) -> Mapping[str, int]:
            raise Overloaded("down")

    screen = Strict()

    for sku in "ab":
        with pytest.raises(PartFailed, match="down"):
            await screen.price(sku)


@pytest.mark.virtual_time
async def test_parts_may_use_loaders():
    """A part that awaits a loader is recorded in the plan like any other."""
    screen = shelf()

    assert await screen.cheapest() == 1
    assert screen.plan().edges == (("cheapest", "price"),)


@pytest.mark.virtual_time
async def test_two_screens_share_no_loaded_keys():
    """Loaded values belong to one composition."""
    first, second = shelf(), shelf()

    await gather(first.price("a"), second.price("a"))

    assert first.calls == second.calls == [("a",)]


def test_chunk_must_hold_a_key():
    """A chunk of no keys would never load anything."""
    with pytest.raises(ConfigurationError, match="at least 1"):
        loader(chunk=0)


Sku = NewType("Sku", str)


class Aisle(Composition):
    """Loaders with keys of several kinds."""

    @loader
    async def named(self, ids: tuple[int, ...]) -> Mapping[int, str]:
        return {one: f"n{one}" for one in ids}

    @loader
    async def placed(self, pairs: tuple[tuple[int, int], ...]) -> Mapping[tuple[int, int], str]:
        return {one: f"p{one}" for one in pairs}

    @loader
    async def listed(self, skus: Sequence[Sku]) -> Mapping[Sku, str]:
        return {one: one for one in skus}

    @loader
    async def loose(self, keys):
        return dict.fromkeys(keys, "any")


@pytest.mark.parametrize(
    "keys", [[1, 2], (1, 2), {1, 2}, frozenset({1}), range(2), {1: 2}, {1: 2}.values(), iter([1])]
)
@pytest.mark.parametrize("name", ["named", "listed"])
async def test_several_keys_are_refused_with_a_hint(name, keys):
    """The error says that `many` takes them, whether or not the keys are hashable together."""
    with pytest.raises(TypeError, match=rf"Aisle.{name} takes one key, .*\.{name}\.many\(keys\)"):
        getattr(Aisle(), name)(keys)


async def test_a_tuple_may_be_one_key():
    """Where the loader declares such keys, or declares none."""
    aisle = Aisle()

    assert await aisle.placed((1, 2)) == "p(1, 2)"
    assert await aisle.loose((1, 2)) == "any"
    assert await aisle.placed.many([(1, 2), (3, 4)]) == ["p(1, 2)", "p(3, 4)"]
    with pytest.raises(TypeError, match=r"placed\.many\(keys\)"):
        aisle.placed([(1, 2), (3, 4)])


async def test_a_key_that_is_not_hashable_is_refused():
    """The error names its class."""
    with pytest.raises(TypeError, match=r"Aisle.loose loads each key once, .*: Shaky is not"):
        Aisle().loose(Shaky())


class Shaky:
    """A key that can't be one."""

    __hash__ = None
