"""The cart: what lies in it, and changing it."""

import strawberry

from bff_core import Require, access
from bff_core.graphql import Info
from bffs.compositions.cart import CartPage
from bffs.scopes import CART_READ, CART_WRITE
from bffs.services.carts import Cart, CartLine
from bffs.services.catalog import Summary
from bffs.web.shelf import WebCard, card


async def get_product(line: strawberry.Parent[CartLine], info: Info) -> Summary | None:
    """Return the product that the variant is one of."""
    return await card(info, line.product_id)


@strawberry.type(name="CartLine")
class WebCartLine:
    """How many of a variant lie in the cart."""

    sku: str
    quantity: int
    product = strawberry.field(resolver=get_product, graphql_type=WebCard | None)


@strawberry.type(name="Cart")
class WebCart:
    """The viewer's cart; `count` is the sum of the quantities."""

    count: int
    currency: str
    lines: list[WebCartLine]


@access(Require(CART_READ))
async def get_cart(info: Info) -> Cart:
    """Return the viewer's cart."""
    return await info.context.compose(CartPage).cart()


@access(Require(CART_WRITE))
async def set_cart_item(info: Info, sku: str, quantity: int) -> Cart:
    """Set how many of a variant the cart holds, 1 to 99, and return the cart."""
    return await info.context.compose_anew(CartPage).set_quantity(sku, quantity)


@access(Require(CART_WRITE))
async def remove_cart_item(info: Info, sku: str) -> Cart:
    """Take a variant out of the cart, and return the cart."""
    return await info.context.compose_anew(CartPage).remove(sku)
