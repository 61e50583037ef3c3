"""The screen before buying: what it costs, and how the viewer can pay."""

from collections.abc import Sequence

from bff_core import Composition, Viewer, critical, optional
from bffs.scopes import CART_READ, PAYMENTS_READ
from bffs.services.carts import Cart, Carts
from bffs.services.orders import Orders, Totals
from bffs.services.payments import Method, Payments


class CheckoutPage(Composition):
    """What the viewer is about to buy."""

    carts: Carts
    orders: Orders
    payments: Payments
    viewer: Viewer

    @critical
    async def cart(self) -> Cart:
        """What lies in the cart."""
        return await self.carts.cart(self.viewer.require(CART_READ).subject)

    @optional(timeout=1.0)
    async def totals(self) -> Totals | None:
        """What the cart costs as an order, with shipping; None if it is empty."""
        lines = (await self.cart()).lines
        return await self.orders.quote(lines) if lines else None

    @optional(fallback=(), timeout=0.8)
    async def payment_methods(self) -> Sequence[Method]:
        """How the viewer can pay."""
        return await self.payments.methods(self.viewer.require(PAYMENTS_READ).subject)
