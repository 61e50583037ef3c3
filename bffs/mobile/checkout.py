"""Buying on the phone: what it costs and how to pay, then the purchase itself."""

from collections.abc import Sequence
from dataclasses import dataclass

from bff_core import Require, Views, gather
from bffs.compositions.checkout import Checkout
from bffs.compositions.checkout_page import CheckoutPage
from bffs.mobile.orders import MobileOrder
from bffs.scopes import CART_READ, ORDERS_WRITE
from bffs.services.values import Money


@dataclass(frozen=True, slots=True)
class MobilePaymentMethod:
    """A stored way to pay, as it may be shown."""

    id: str
    label: str
    is_default: bool


@dataclass(frozen=True, slots=True)
class MobileCheckout:
    """The screen before buying; the sums are null when they are unavailable or the cart is empty."""

    count: int
    goods: Money | None
    shipping: Money | None
    total: Money | None
    methods: Sequence[MobilePaymentMethod]


views = Views(prefix="/v1", tags=["checkout"])


@views.get("/checkout", access=Require(CART_READ))
async def get_checkout(page: CheckoutPage) -> MobileCheckout:
    """Show what the cart costs with shipping, and the ways to pay."""
    cart, totals, methods = await gather(page.cart(), page.totals(), page.payment_methods())
    return MobileCheckout(
        count=cart.count,
        goods=totals.subtotal if totals else None,
        shipping=totals.shipping if totals else None,
        total=totals.total if totals else None,
        methods=[MobilePaymentMethod(one.id, one.label, one.is_default) for one in methods],
    )


@views.post("/checkout", status=201, criticality="critical_plus", access=Require(ORDERS_WRITE))
async def post_checkout(checkout: Checkout) -> MobileOrder:
    """Buy what lies in the viewer's cart."""
    await checkout.run()
    return MobileOrder.of(await checkout.place())
