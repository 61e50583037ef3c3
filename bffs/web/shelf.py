"""Products as lists show them, with what stands beside one: price, stock, rating.

All fields of one request share one `Shelf`: what they ask for in one go is one call per service.
"""

from collections.abc import Sequence

import strawberry

from bff_core.graphql import Info
from bffs.compositions.shelf import Shelf
from bffs.services.catalog import Summary
from bffs.services.inventory import SkuStock, Stock
from bffs.services.pricing import Price
from bffs.services.reviews import Rating
from bffs.web.values import WebImage, WebMoney, WebNamed


@strawberry.type(name="Price")
class WebPrice:
    """What a product costs; `listPrice` is what it cost before a discount."""

    price: WebMoney
    list_price: WebMoney | None
    discount_percent: int


@strawberry.type(name="VariantStock")
class WebVariantStock:
    """How much of one variant there is; `sku` is what goes into the cart."""

    sku: str
    status: str
    available: int


def get_variants(stock: strawberry.Parent[Stock]) -> Sequence[SkuStock]:
    """Return the stock of each variant."""
    return stock.skus


@strawberry.type(name="Stock")
class WebStock:
    """How much of a product there is: `status` is in_stock, low or out_of_stock."""

    status: str
    available: int
    variants = strawberry.field(resolver=get_variants, graphql_type=list[WebVariantStock])


@strawberry.type(name="Rating")
class WebRating:
    """What all customers think of a product; `average` is null without reviews."""

    count: int
    average: float | None


def shelf(info: Info) -> Shelf:
    """Return the request's shelf."""
    return info.context.compose(Shelf)


async def get_price(product: strawberry.Parent[Summary], info: Info) -> Price | None:
    """Return what it costs."""
    return await shelf(info).price(product.id)


async def get_stock(product: strawberry.Parent[Summary], info: Info) -> Stock | None:
    """Return how much of it there is."""
    return await shelf(info).stock(product.id)


async def get_rating(product: strawberry.Parent[Summary], info: Info) -> Rating | None:
    """Return what customers think of it."""
    return await shelf(info).rating(product.id)


@strawberry.type(name="ProductCard")
class WebCard:
    """A product as lists show it."""

    id: strawberry.ID
    title: str
    subtitle: str
    brand: WebNamed
    category: WebNamed
    image: WebImage
    default_sku: str
    price = strawberry.field(resolver=get_price, graphql_type=WebPrice | None)
    stock = strawberry.field(resolver=get_stock, graphql_type=WebStock | None)
    rating = strawberry.field(resolver=get_rating, graphql_type=WebRating | None)


async def card(info: Info, product_id: str) -> Summary | None:
    """Return the product whose id another value has."""
    return await shelf(info).summary(product_id)
