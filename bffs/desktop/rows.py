"""Products as the desktop app lists them: everything that stands beside one, in a row."""

from collections.abc import Iterable
from dataclasses import dataclass

from bff_core import gather
from bffs.compositions.shelf import Shelf
from bffs.services.catalog import Summary
from bffs.services.inventory import Stock
from bffs.services.pricing import Price
from bffs.services.reviews import Rating
from bffs.services.values import Image


@dataclass(frozen=True, slots=True)
class ProductRow:
    """A product with all that is known of it; null is what can't be had now."""

    id: str
    sku: str
    title: str
    subtitle: str
    brand: str
    category: str
    image: Image
    price: Price | None
    stock: Stock | None
    rating: Rating | None


async def rows(shelf: Shelf, products: Iterable[Summary | None]) -> list[ProductRow]:
    """Join products with prices, stock and ratings; those that are unknown are left out."""
    known = [product for product in products if product is not None]
    ids = [product.id for product in known]
    prices, stocks, ratings = await gather(
        shelf.price.many(ids), shelf.stock.many(ids), shelf.rating.many(ids)
    )
    joined = zip(known, prices, stocks, ratings, strict=True)
    return [_row(product, price, stock, rating) for product, price, stock, rating in joined]


def _row(
    product: Summary, price: Price | None, stock: Stock | None, rating: Rating | None
) -> ProductRow:
    return ProductRow(
        id=product.id,
        sku=product.default_sku,
        title=product.title,
        subtitle=product.subtitle,
        brand=product.brand.name,
        category=product.category.name,
        image=product.image,
        price=price,
        stock=stock,
        rating=rating,
    )
