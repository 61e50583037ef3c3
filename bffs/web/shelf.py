"""Products as lists show them, with what stands beside one: price, stock, rating."""

import strawberry

from bff_core.graphql import ShapeOf, each, part, value
from bffs.compositions.shelf import Shelf
from bffs.services.catalog import Summary
from bffs.services.inventory import Delivery, SkuStock, Stock
from bffs.services.pricing import Price
from bffs.services.reviews import Rating
from bffs.web.values import WebImage, WebMoney, WebNamed


class WebPrice(ShapeOf[Price], name="Price"):
    """What a product costs, in its cheapest variant; `listPrice` is before a discount."""

    price: WebMoney
    list_price: WebMoney | None
    discount_percent: int


class WebVariantStock(ShapeOf[SkuStock], name="VariantStock"):
    """How much of one variant there is; `sku` is what goes into the cart."""

    sku: str
    status: str
    available: int


class WebDelivery(ShapeOf[Delivery], name="Delivery"):
    """A way to get a product, in working days: `method` is standard, express or pickup."""

    method: str
    min_days: int
    max_days: int
    price: WebMoney


class WebStock(ShapeOf[Stock], name="Stock"):
    """How much of a product there is: `status` is in_stock, low or out_of_stock."""

    status: str
    available: int
    standard_delivery: WebDelivery | None = value(
        Stock,
        lambda stock: next(
            (WebDelivery.of(way) for way in stock.delivery if way.method == "standard"), None
        ),
    )
    variants: list[WebVariantStock] = value(
        Stock, lambda stock: each(WebVariantStock.of)(stock.skus)
    )


class WebRating(ShapeOf[Rating], name="Rating"):
    """What all customers think of a product; `average` is null without reviews."""

    count: int
    average: float | None


class WebCard(ShapeOf[Summary], name="ProductCard"):
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
