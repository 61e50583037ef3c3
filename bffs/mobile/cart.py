"""The cart on the phone."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from bff_core import Require, Views, gather
from bffs.compositions.cart import CartPage
from bffs.compositions.ids import Id
from bffs.mobile.cards import MobilePrice, picture
from bffs.scopes import CART_READ, CART_WRITE
from bffs.services.carts import Cart


@dataclass(frozen=True, slots=True)
class MobileCartLine:
    """A position of the cart; picture and price are null when they are unavailable."""

    sku: str
    title: str
    image: str | None
    price: MobilePrice | None
    quantity: int


@dataclass(frozen=True, slots=True)
class MobileCart:
    """The cart, and how many things lie in it."""

    count: int
    lines: Sequence[MobileCartLine]


@dataclass(frozen=True, slots=True)
class Quantity:
    """How many of a variant the cart is to hold."""

    quantity: Annotated[int, Field(ge=1, le=99)]


views = Views(prefix="/v1", tags=["cart"])


@views.get("/cart", access=Require(CART_READ))
async def get_cart(page: CartPage) -> MobileCart:
    """Show the viewer's cart."""
    return await shown(page, await page.cart())


@views.put("/cart/items/{sku}", access=Require(CART_WRITE))
async def put_item(sku: Id, wanted: Quantity, page: CartPage) -> MobileCart:
    """Set how many of a variant the cart holds."""
    return await shown(page, await page.set_quantity(sku, wanted.quantity))


@views.delete("/cart/items/{sku}", access=Require(CART_WRITE))
async def delete_item(sku: Id, page: CartPage) -> MobileCart:
    """Take a variant out of the cart."""
    return await shown(page, await page.remove(sku))


async def shown(page: CartPage, cart: Cart) -> MobileCart:
    """Show a cart with pictures and prices."""
    ids = [line.product_id for line in cart.lines]
    products, prices = await gather(page.summary.many(ids), page.price.many(ids))
    return MobileCart(
        cart.count,
        [
            MobileCartLine(
                line.sku,
                product.title if product else line.sku,
                picture(product, page) if product else None,
                MobilePrice.of(price, line.sku),
                line.quantity,
            )
            for line, product, price in zip(cart.lines, products, prices, strict=True)
        ],
    )
