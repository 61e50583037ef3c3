"""The cart: what lies in it."""

from bff_core.graphql import ShapeOf, part
from bffs.compositions.cart import CartPage
from bffs.compositions.shelf import Shelf
from bffs.services.carts import Cart, CartLine
from bffs.web.orders import WebTotals
from bffs.web.shelf import WebCard


class WebCartLine(ShapeOf[CartLine], name="CartLine"):
    """How many of a variant lie in the cart."""

    sku: str
    quantity: int
    product: WebCard | None = part(Shelf.summary, WebCard.of, key="product_id")


class WebCart(ShapeOf[Cart], name="Cart"):
    """The viewer's cart; `count` is the sum of the quantities.

    `totals` are those of an order placed now, null for an empty cart.
    """

    count: int
    currency: str
    lines: list[WebCartLine]
    totals: WebTotals | None = part(CartPage.totals, WebTotals.of, key="lines")
