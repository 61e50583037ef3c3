"""The seeded stock of each variant by warehouse, before reservations."""

import functools
import random
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from services_mock.data import goods, seed
from services_mock.data.money import Money

Status = Literal["in_stock", "low", "out_of_stock"]
LOW = 5
"""Fewer than this are "low"."""


@dataclass(frozen=True, slots=True)
class Warehouse:
    """A warehouse."""

    id: str
    name: str
    country: str


@dataclass(frozen=True, slots=True)
class Shelf:
    """The stock in one warehouse."""

    id: str
    available: int


@dataclass(frozen=True, slots=True)
class SkuStock:
    """The stock of one variant."""

    sku: str
    status: Status
    available: int
    restock_at: str | None
    warehouses: tuple[Shelf, ...]


@dataclass(frozen=True, slots=True)
class Delivery:
    """One way to get it."""

    method: Literal["standard", "express", "pickup"]
    min_days: int
    max_days: int
    price: Money


@dataclass(frozen=True, slots=True)
class Stock:
    """The stock of a product, by variant."""

    product_id: str
    status: Status
    available: int
    skus: tuple[SkuStock, ...]
    delivery: tuple[Delivery, ...]
    updated_at: str


WAREHOUSES = (
    Warehouse("wh-ham", "Hamburg", "DE"),
    Warehouse("wh-lys", "Lyon", "FR"),
    Warehouse("wh-poz", "Poznań", "PL"),
)


@functools.lru_cache(maxsize=goods.COUNT)
def shelves(product_id: str) -> dict[str, tuple[int, ...]]:
    """Return how many of each variant lie in each of `WAREHOUSES`."""
    chance = seed.draw("stock", product_id)
    is_gone = chance.random() < 0.03
    return {
        variant.sku: (0, 0, 0) if is_gone else _spread(chance)
        for variant in goods.good(product_id).variants
    }


def available(sku: str) -> int:
    """Return how many there are of a SKU that exists."""
    return sum(shelves(sku.partition("-")[0])[sku])


def status(count: int) -> Status:
    """Return the status for a number of pieces."""
    return "out_of_stock" if count <= 0 else "low" if count < LOW else "in_stock"


def stock(product_id: str, taken: dict[str, int], *, only: frozenset[str] | None = None) -> Stock:
    """Return the stock of a product that exists, less what was `taken` of each SKU."""
    chance = seed.draw("delivery", product_id)
    skus = tuple(
        _sku(sku, _less(counts, taken.get(sku, 0)))
        for sku, counts in shelves(product_id).items()
        if only is None or sku in only
    )
    total = sum(item.available for item in skus)
    return Stock(
        product_id=product_id,
        status=status(total),
        available=total,
        skus=skus,
        delivery=_delivery(chance),
        updated_at=seed.instant(seed.before(chance, 0.5)),
    )


def _spread(chance: random.Random) -> tuple[int, ...]:
    luck = chance.random()
    if luck < 0.07:
        return (0, 0, 0)
    count = chance.randint(1, 4) if luck < 0.2 else 5 + int(chance.expovariate(1 / 30))
    first = chance.randint(0, count)
    second = chance.randint(0, count - first)
    return (first, second, count - first - second)


def _less(counts: tuple[int, ...], taken: int) -> tuple[int, ...]:
    left = list(counts)
    for place, count in enumerate(counts):
        moved = min(count, taken)
        left[place] -= moved
        taken -= moved
    return tuple(left)


def _sku(sku: str, counts: tuple[int, ...]) -> SkuStock:
    total = sum(counts)
    restock = seed.EPOCH + timedelta(days=seed.draw("restock", sku).randint(2, 28))
    return SkuStock(
        sku=sku,
        status=status(total),
        available=total,
        restock_at=None if total else seed.instant(restock),
        warehouses=tuple(
            Shelf(place.id, count) for place, count in zip(WAREHOUSES, counts, strict=True)
        ),
    )


def _delivery(chance: random.Random) -> tuple[Delivery, ...]:
    soonest = chance.randint(1, 3)
    return (
        Delivery("standard", soonest + 1, soonest + 3, Money(490)),
        Delivery("express", 1, soonest, Money(1290)),
        Delivery("pickup", soonest, soonest + 1, Money(0)),
    )
