"""Products on the desktop: long lists, and pages with everything on them."""

from collections.abc import Sequence
from dataclasses import dataclass

from bff_core import ANYONE, Views, gather
from bffs.compositions.product import ProductPage
from bffs.compositions.products import ProductList
from bffs.desktop.rows import ProductRow, rows
from bffs.services.catalog import Attribute, Variant
from bffs.services.reviews import Review


@dataclass(frozen=True, slots=True)
class ProductRows:
    """A page of products."""

    items: Sequence[ProductRow]
    total: int
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class ProductDetail:
    """A product with all its pictures and variants, what people say of it, what goes with it."""

    facts: ProductRow
    description: str
    images: Sequence[str]
    attributes: Sequence[Attribute]
    variants: Sequence[Variant]
    reviews: Sequence[Review]
    related: Sequence[ProductRow]


views = Views(prefix="/v1", tags=["products"], access=ANYONE)


@views.get("/products")
async def get_products(products: ProductList) -> ProductRows:
    """Search and browse."""
    page = await products.page()
    return ProductRows(await rows(products, page.items), page.total, page.next_cursor)


@views.get("/products/{product_id}", objective="complete 99.5 %, ≤ 300 ms")
async def get_product(page: ProductPage) -> ProductDetail:
    """Show a product."""
    product, reviews, related = await gather(page.product(), page.reviews(first=10), page.related())
    facts, *related_rows = await rows(page, (product, *related))
    return ProductDetail(
        facts=facts,
        description=product.description,
        images=[image.url(page.display.width) for image in product.images],
        attributes=product.attributes,
        variants=product.variants,
        reviews=reviews,
        related=related_rows,
    )
