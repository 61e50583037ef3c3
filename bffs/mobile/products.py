"""Products on the phone: lists to scroll, and the page of one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from bff_core import ANYONE, Views, gather
from bffs.compositions.product import ProductPage
from bffs.compositions.products import ProductList
from bffs.mobile.cards import MobileCard, MobilePrice, cards
from bffs.services.catalog import Product
from bffs.services.inventory import Stock
from bffs.services.pricing import Price
from bffs.services.reviews import Review


@dataclass(frozen=True, slots=True)
class MobileProducts:
    """A page of products; `next` is the cursor of the next."""

    items: Sequence[MobileCard]
    total: int
    next: str | None


@dataclass(frozen=True, slots=True)
class MobileReview:
    """What somebody says of a product."""

    author: str
    stars: int
    title: str
    text: str

    @classmethod
    def of(cls, review: Review) -> Self:
        """Show a review."""
        return cls(review.author.name, review.rating, review.title, review.body)


@dataclass(frozen=True, slots=True)
class MobileVariant:
    """A colour and a size, for the cart; price and stock are null when unavailable."""

    sku: str
    label: str
    price: MobilePrice | None
    stock: str | None


@dataclass(frozen=True, slots=True)
class MobileProduct:
    """The page of a product; price, stock and stars are null when unavailable.

    `sku` is the variant that is shown first.
    """

    id: str
    sku: str
    title: str
    brand: str
    text: str
    images: Sequence[str]
    price: MobilePrice | None
    stock: str | None
    variants: Sequence[MobileVariant]
    stars: float | None
    reviews: Sequence[MobileReview]
    related: Sequence[MobileCard]


views = Views(prefix="/v1", tags=["products"], access=ANYONE)


@views.get("/products", public=True, objective="complete 99.5 %, ≤ 300 ms")
async def get_products(products: ProductList) -> MobileProducts:
    """Search and browse."""
    page = await products.page()
    return MobileProducts(await cards(products, page.items), page.total, page.next_cursor)


@views.get("/products/{product_id}", objective="complete 99.5 %, ≤ 300 ms")
async def get_product(page: ProductPage) -> MobileProduct:
    """Show a product."""
    product, price, stock, rating, reviews, related = await gather(
        page.product(),
        page.price(page.product_id),
        page.stock(page.product_id),
        page.rating(page.product_id),
        page.reviews(first=2),
        page.related(first=6),
    )
    return MobileProduct(
        id=product.id,
        sku=product.default_sku,
        title=product.title,
        brand=product.brand.name,
        text=product.description,
        images=[image.url(page.display.width) for image in product.images],
        price=MobilePrice.of(price, product.default_sku),
        stock=stock.status if stock else None,
        variants=_variants(product, price, stock),
        stars=rating.average if rating else None,
        reviews=[MobileReview.of(review) for review in reviews],
        related=await cards(page, related),
    )


def _variants(product: Product, price: Price | None, stock: Stock | None) -> list[MobileVariant]:
    known = {one.sku: one.status for one in stock.skus} if stock else {}
    return [
        MobileVariant(
            one.sku, product.label(one), MobilePrice.of(price, one.sku), known.get(one.sku)
        )
        for one in product.variants
    ]
