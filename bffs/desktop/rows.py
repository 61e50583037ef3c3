"""Products in the desktop app's lists, with price, stock and rating."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

from bff_core import gather
from bffs.compositions.shelf import Shelf
from bffs.services.catalog import Summary
from bffs.services.inventory import SkuStock, Stock
from bffs.services.pricing import Price
from bffs.services.reviews import Rating
from bffs.services.values import Money

SHARE = 4
"""A picture in a list is a quarter of the window wide."""


@dataclass(frozen=True, slots=True)
class ProductTitle:
    """A product by its name, with one picture that fits."""

    id: str
    title: str
    subtitle: str
    brand: str
    category: str
    image: str

    @classmethod
    def of(cls, product: Summary, shelf: Shelf) -> Self:
        """Show what the catalog knows."""
        return cls(
            id=product.id,
            title=product.title,
            subtitle=product.subtitle,
            brand=product.brand.name,
            category=product.category.name,
            image=product.image.url(shelf.display.width // SHARE),
        )


@dataclass(frozen=True, slots=True)
class RowPrice:
    """What the variant of a row costs, which staff may change."""

    product_id: str
    price: Money
    list_price: Money | None
    discount_percent: int

    @classmethod
    def of(cls, price: Price, sku: str) -> Self:
        """Show the price of one variant."""
        return cls(price.product_id, price.of(sku), price.list_price, price.discount_percent)


@dataclass(frozen=True, slots=True)
class RowStock:
    """How much of a product there is, by variant; the back office shows no delivery."""

    product_id: str
    status: str
    available: int
    skus: Sequence[SkuStock]

    @classmethod
    def of(cls, stock: Stock | None) -> Self | None:
        """Show what inventory knows, if it does."""
        return cls(stock.product_id, stock.status, stock.available, stock.skus) if stock else None


@dataclass(frozen=True, slots=True)
class ProductRow:
    """A product with all that is known of it; null is what is unavailable.

    `sku` is the variant that is shown; the price is that variant's.
    """

    sku: str
    product: ProductTitle
    price: RowPrice | None
    stock: RowStock | None
    rating: Rating | None


async def rows(shelf: Shelf, products: Iterable[Summary | None]) -> list[ProductRow]:
    """Join products with prices, stock and ratings; those that are unknown are left out."""
    known = [product for product in products if product is not None]
    ids = [product.id for product in known]
    prices, stocks, ratings = await gather(
        shelf.price.many(ids), shelf.stock.many(ids), shelf.rating.many(ids)
    )
    return [
        ProductRow(
            product.default_sku,
            ProductTitle.of(product, shelf),
            RowPrice.of(price, product.default_sku) if price else None,
            RowStock.of(stock),
            rating,
        )
        for product, price, stock, rating in zip(known, prices, stocks, ratings, strict=True)
    ]
