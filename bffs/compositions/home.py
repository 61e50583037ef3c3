"""The home screen of a customer, on every client."""

from collections.abc import Sequence

from bff_core import Viewer, critical, optional
from bffs.compositions.shelf import Shelf
from bffs.scopes import (
    CART_READ,
    ORDERS_READ,
    PAYMENTS_READ,
    PROFILE_READ,
    RECOMMENDATIONS_READ,
)
from bffs.services.carts import Cart, Carts
from bffs.services.orders import Order, Orders
from bffs.services.payments import Method, Payments
from bffs.services.pricing import Deal
from bffs.services.recommendations import Recommendation, Recommendations
from bffs.services.users import User, Users


class Home(Shelf):
    """Who you are, what you bought, what lies in your cart, and what you may like."""

    users: Users
    orders_service: Orders
    carts: Carts
    payments_service: Payments
    recommendations: Recommendations
    viewer: Viewer

    @critical
    async def profile(self) -> User:
        """The customer who is signed in."""
        return await self.users.profile(self.viewer.require(PROFILE_READ).subject)

    @optional(fallback=(), timeout=1.0)
    async def orders(self, first: int = 3) -> Sequence[Order]:
        """The latest orders."""
        subject = self.viewer.require(ORDERS_READ).subject
        return (await self.orders_service.of(subject, first=first)).items

    @optional(timeout=0.8)
    async def cart(self) -> Cart:
        """What lies in the cart."""
        return await self.carts.cart(self.viewer.require(CART_READ).subject)

    @optional(fallback=(), timeout=0.8)
    async def picks(self, first: int = 10) -> Sequence[Recommendation]:
        """What the customer may like."""
        subject = self.viewer.require(RECOMMENDATIONS_READ).subject
        return await self.recommendations.for_customer(subject, first)

    @optional(fallback=(), timeout=0.6)
    async def deals(self, first: int = 5) -> Sequence[Deal]:
        """What is cheaper for a while."""
        return await self.pricing.deals(first)

    @optional(fallback=(), timeout=0.8)
    async def payment_methods(self) -> Sequence[Method]:
        """How the customer can pay."""
        subject = self.viewer.require(PAYMENTS_READ).subject
        return await self.payments_service.methods(subject)
