"""Products as lists show them, with what stands beside one: price, stock, rating."""

import strawberry

from bff_core.graphql import ShapeOf, each, part, value
from bffs.compositions.shelf import Shelf
from bffs.services.catalog import Summary
from bffs.services.inventory import SkuStock, Stock
from bffs.services.pricing import Price
from bffs.services.reviews import Rating
from bffs.web.values import WebImage, WebMoney, WebNamed


@strawberry.type(name="Price")
class WebPrice(ShapeOf[Price]):
    """What a product costs; `listPrice` is what it cost before a discount."""

    price: WebMoney
    list_price: WebMoney | None
    discount_percent: int


@strawberry.type(name="VariantStock")
class WebVariantStock(ShapeOf[SkuStock]):
    """How much of one variant there is; `sku` is what goes into the cart."""

    sku: str
    status: str
    available: int


@strawberry.type(name="Stock")
class WebStock(ShapeOf[Stock]):
    """How much of a product there is: `status` is in_stock, low or out_of_stock."""

    status: str
    available: int
    variants: list[WebVariantStock] = value(
        Stock, lambda stock: each(WebVariantStock.of)(stock.skus)
    )


@strawberry.type(name="Rating")
class WebRating(ShapeOf[Rating]):
    """What all customers think of a product; `average` is null without reviews."""

    count: int
    average: float | None


@strawberry.type(name="ProductCard")
class WebCard(ShapeOf[Summary]):
    """A product as lists show it."""

    id: strawberry.ID
    title: str
    subtitle: str
    brand: WebNamed
    category: WebNamed
    image: WebImage
    default_sku: str
    price: WebPrice | None = part(Shelf.price, WebPrice.of, key="id")
    stock: WebStock | None = part(Shelf.stock, WebStock.of, key="id")
    rating: WebRating | None = part(Shelf.rating, WebRating.of, key="id")
