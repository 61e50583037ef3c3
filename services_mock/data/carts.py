"""The initial cart of each customer."""

import random
from dataclasses import dataclass

from services_mock.data import goods, seed, stock, users
from services_mock.data.money import CURRENCY


@dataclass(frozen=True, slots=True)
class CartLine:
    """One position of a cart."""

    sku: str
    product_id: str
    quantity: int
    added_at: str
    gift: bool


@dataclass(frozen=True, slots=True)
class Saved:
    """An item that is saved for later."""

    sku: str
    product_id: str
    added_at: str


@dataclass(frozen=True, slots=True)
class Cart:
    """A cart; `count` is the sum of quantities, `version` grows with each write."""

    id: str
    customer_id: str
    version: int
    currency: str
    count: int
    lines: tuple[CartLine, ...]
    saved_for_later: tuple[Saved, ...]
    updated_at: str


def cart(customer_id: str) -> Cart:
    """Return the seeded cart of a customer that exists."""
    chance = seed.draw("cart", customer_id)
    lines = tuple(_line(chance, sku) for sku in _skus(chance, _size(chance, customer_id)))
    saved = _skus(chance, chance.choice((0, 0, 1, 2)))
    return Cart(
        id=f"cart-{customer_id}",
        customer_id=customer_id,
        version=1,
        currency=CURRENCY,
        count=sum(line.quantity for line in lines),
        lines=lines,
        saved_for_later=tuple(Saved(sku, _product(sku), _recently(chance)) for sku in saved),
        updated_at=_recently(chance),
    )


def _size(chance: random.Random, customer_id: str) -> int:
    return 5 if customer_id == str(users.DEMO) else chance.choice((0, 0, 1, 1, 2, 3, 4, 7))


def _skus(chance: random.Random, count: int) -> tuple[str, ...]:
    """Draw SKUs of different products that are in stock."""
    chosen: dict[str, str] = {}
    while len(chosen) < count:
        item = goods.popular(chance)
        sku = chance.choice(item.variants).sku
        if stock.available(sku) >= stock.LOW:
            chosen.setdefault(item.id, sku)
    return tuple(chosen.values())


def _line(chance: random.Random, sku: str) -> CartLine:
    quantity = chance.choice((1, 1, 1, 2, 3))
    return CartLine(sku, _product(sku), quantity, _recently(chance), chance.random() < 0.1)


def _product(sku: str) -> str:
    return sku.partition("-")[0]


def _recently(chance: random.Random) -> str:
    return seed.instant(seed.before(chance, 14))
