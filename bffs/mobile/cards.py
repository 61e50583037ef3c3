"""Products as the phone apps list them: a title, one picture that fits, a price."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from bffs.compositions.shelf import Shelf
from bffs.services.catalog import Summary
from bffs.services.pricing import Price

SHARE = 4
"""A picture in a list is a quarter of the screen wide."""


@dataclass(frozen=True, slots=True)
class MobilePrice:
    """An amount in minor units, and how much cheaper it is than usual."""

    amount: int
    currency: str
    discount_percent: int = 0

    @classmethod
    def of(cls, price: Price | None, sku: str | None = None) -> Self | None:
        """Show what pricing knows, if it does: of a variant, else of the cheapest one."""
        if price is None:
            return None
        shown = price.price if sku is None else price.of(sku)
        return cls(shown.amount, shown.currency, price.discount_percent)


@dataclass(frozen=True, slots=True)
class MobileCard:
    """A product in a list."""

    id: str
    title: str
    image: str
    price: MobilePrice | None


async def cards(shelf: Shelf, products: Iterable[Summary | None]) -> list[MobileCard]:
    """Show products in a list, each with what it costs; those that are unknown are left out."""
    known = [product for product in products if product is not None]
    prices = await shelf.price.many(product.id for product in known)
    return [
        MobileCard(product.id, product.title, picture(product, shelf), MobilePrice.of(price))
        for product, price in zip(known, prices, strict=True)
    ]


def picture(product: Summary, shelf: Shelf) -> str:
    """Return the picture of a product in a list."""
    return product.image.url(shelf.display.width // SHARE)
