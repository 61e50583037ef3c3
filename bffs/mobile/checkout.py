"""Buying on the phone: what it costs and how to pay, then the purchase."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from bff_core import Require, Views, gather
from bffs.compositions.cart import CartPage
from bffs.compositions.checkout import Checkout
from bffs.mobile.cart import MobileCart, shown
from bffs.mobile.orders import MobileOrder
from bffs.scopes import CART_READ, ORDERS_WRITE
from bffs.services.orders import Totals
from bffs.services.payments import Method


@dataclass(frozen=True, slots=True)
class MobileMethod:
    """A way to pay; `id` is what the purchase takes."""

    id: str
    label: str
    is_default: bool

    @classmethod
    def of(cls, method: Method) -> Self:
        """Show a stored way to pay."""
        return cls(method.id, method.label, method.is_default)


@dataclass(frozen=True, slots=True)
class MobileCheckout:
    """What would be bought now; `totals` is null for an empty cart and when unavailable."""

    cart: MobileCart
    totals: Totals | None
    payment_methods: Sequence[MobileMethod]


views = Views(prefix="/v1", tags=["checkout"])


@views.get("/checkout", access=Require(CART_READ))
async def get_checkout(page: CartPage) -> MobileCheckout:
    """Show what lies in the cart, what it costs and how it can be paid."""
    cart = await page.cart()
    totals, methods, lines = await gather(
        page.totals(cart.lines), page.payment_methods(), shown(page, cart)
    )
    return MobileCheckout(lines, totals, [MobileMethod.of(method) for method in methods])


@views.post("/checkout", status=201, criticality="critical_plus", access=Require(ORDERS_WRITE))
async def post_checkout(checkout: Checkout) -> MobileOrder:
    """Buy what lies in the viewer's cart."""
    await checkout.run()
    await checkout.empty_cart()
    return MobileOrder.of(await checkout.place())
