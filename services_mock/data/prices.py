"""The seeded prices and deals."""

import functools
import random
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from services_mock.data import categories, goods, seed
from services_mock.data.goods import Good
from services_mock.data.money import Money, shop_price

Badge = Literal["flash", "week", "clearance"]


@dataclass(frozen=True, slots=True)
class Tax:
    """The value added tax of a price."""

    rate: float
    included: bool


@dataclass(frozen=True, slots=True)
class SkuPrice:
    """The price of one variant."""

    sku: str
    price: Money


@dataclass(frozen=True, slots=True)
class Tier:
    """The price of a piece from a quantity on."""

    min_quantity: int
    price: Money


@dataclass(frozen=True, slots=True)
class Price:
    """The price of a product; `price` is its cheapest variant's."""

    product_id: str
    price: Money
    list_price: Money | None
    discount_percent: int
    lowest_30d: Money
    tax: Tax
    variants: tuple[SkuPrice, ...]
    tiers: tuple[Tier, ...]
    valid_until: str
    updated_at: str


@dataclass(frozen=True, slots=True)
class Deal:
    """A price with an end."""

    id: str
    product_id: str
    sku: str
    price: Money
    list_price: Money
    discount_percent: int
    badge: Badge
    category_id: str
    starts_at: str
    ends_at: str
    claimed_percent: int


@functools.lru_cache(maxsize=goods.COUNT)
def discount(product_id: str) -> int:
    """Return how much a product is reduced, in per cent; mostly 0."""
    chance = seed.draw("discount", product_id)
    return chance.choice((10, 15, 20, 25, 30, 40, 50)) if chance.random() < 0.22 else 0


@functools.lru_cache(maxsize=goods.COUNT)
def by_sku(product_id: str) -> dict[str, int]:
    """Return what each variant costs, in minor units."""
    item = goods.good(product_id)
    lowest = _reduced(item)
    sizes = [size for size, _ in categories.LEAVES[item.category].sizes]
    first = min(sizes.index(variant.size) for variant in item.variants)
    step = 0.18 if _grows(item) else 0.0
    return {
        variant.sku: lowest
        if sizes.index(variant.size) == first
        else shop_price(lowest * (1 + step * (sizes.index(variant.size) - first)))
        for variant in item.variants
    }


@functools.lru_cache(maxsize=goods.COUNT)
def price(product_id: str) -> Price:
    """Return the price of a product that exists."""
    item = goods.good(product_id)
    chance = seed.draw("price", product_id)
    amounts = by_sku(product_id)
    lowest = min(amounts.values())
    reduced = discount(product_id)
    return Price(
        product_id=product_id,
        price=Money(lowest),
        list_price=Money(item.price) if reduced else None,
        discount_percent=reduced,
        lowest_30d=Money(shop_price(lowest * chance.choice((1, 1, 1, 1.05, 1.1)))),
        tax=Tax(0.19, included=True),
        variants=tuple(SkuPrice(sku, Money(amount)) for sku, amount in amounts.items()),
        tiers=_tiers(chance, lowest),
        valid_until=seed.instant(seed.EPOCH + timedelta(days=chance.randint(1, 30))),
        updated_at=seed.instant(seed.before(chance, 3)),
    )


@functools.cache
def deals() -> dict[str, Deal]:
    """Return all deals by id: products that are reduced by a fifth or more."""
    reduced = (item for item in goods.everything() if discount(item.id) >= 20)
    return {found.id: found for found in map(_deal, reduced)}


def _reduced(item: Good) -> int:
    reduced = discount(item.id)
    return shop_price(item.price * (100 - reduced) / 100) if reduced else item.price


def _grows(item: Good) -> bool:
    first_label = categories.LEAVES[item.category].sizes[0][1]
    return " " in first_label or item.category == "tents"


def _tiers(chance: random.Random, lowest: int) -> tuple[Tier, ...]:
    if lowest > 20_000 or chance.random() < 0.5:
        return ()
    steps = ((5, 0.97), (10, 0.94), (50, 0.9))
    return tuple(Tier(quantity, Money(round(lowest * factor))) for quantity, factor in steps)


def _deal(item: Good) -> Deal:
    chance = seed.draw("deal", item.id)
    badge: Badge = chance.choice(("flash", "week", "clearance"))
    length = {"flash": 1, "week": 7, "clearance": 45}[badge]
    starts = seed.before(chance, length / 2)
    return Deal(
        id=f"deal-{item.id}",
        product_id=item.id,
        sku=item.variants[0].sku,
        price=price(item.id).price,
        list_price=Money(item.price),
        discount_percent=discount(item.id),
        badge=badge,
        category_id=item.category,
        starts_at=seed.instant(starts),
        ends_at=seed.instant(starts + timedelta(days=length)),
        claimed_percent=chance.randint(3, 97),
    )
