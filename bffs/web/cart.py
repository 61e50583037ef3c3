"""The cart: what lies in it."""

import strawberry

from bff_core.graphql import Info, ShapeOf, part
from bffs.compositions.cart import CartPage
from bffs.compositions.shelf import Shelf
from bffs.services.carts import Cart, CartLine
from bffs.services.catalog import Product, Variant
from bffs.web.orders import WebTotals
from bffs.web.shelf import WebCard
from bffs.web.values import WebImage, WebMoney


async def get_variant(line: strawberry.Parent["WebCartLine"], info: Info) -> str | None:
    """Return the variant in words, such as "Moss green, M"; null if it is not known."""
    product, variant = await _variant_of(line.source, info)
    return product.label(variant) if product and variant else None


async def get_image(line: strawberry.Parent["WebCartLine"], info: Info) -> WebImage | None:
    """Return the picture of the variant; null if it is not known."""
    product, variant = await _variant_of(line.source, info)
    if product is None or variant is None or variant.image_index >= len(product.images):
        return None
    return WebImage.of(product.images[variant.image_index])


async def _variant_of(line: CartLine, info: Info) -> tuple[Product | None, Variant | None]:
    product = await info.context.compose(CartPage).details(line.product_id)
    variants = product.variants if product else ()
    return product, next((one for one in variants if one.sku == line.sku), None)


async def get_unit_price(line: strawberry.Parent["WebCartLine"], info: Info) -> WebMoney | None:
    """Return what one of the variant costs; null if it is not known."""
    price = await info.context.compose(Shelf).price(line.source.product_id)
    return WebMoney.of(price.of(line.sku)) if price else None


class WebCartLine(ShapeOf[CartLine], name="CartLine"):
    """How many of a variant lie in the cart."""

    sku: str
    quantity: int
    variant: str | None = strawberry.field(resolver=get_variant)
    image: WebImage | None = strawberry.field(resolver=get_image)
    unit_price: WebMoney | None = strawberry.field(resolver=get_unit_price)
    product: WebCard | None = part(Shelf.summary, WebCard.of, key="product_id")


class WebCart(ShapeOf[Cart], name="Cart"):
    """The viewer's cart; `count` is the sum of the quantities.

    `totals` are those of an order placed now, null for an empty cart.
    """

    count: int
    currency: str
    lines: list[WebCartLine]
    totals: WebTotals | None = part(CartPage.totals, WebTotals.of, key="lines")
