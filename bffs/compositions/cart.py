"""The cart: what lies in it, what it costs, how it can be paid, and changing it."""

from collections.abc import Mapping, Sequence

from bff_core import Viewer, critical, loader, optional
from bffs.compositions.shelf import Shelf
from bffs.scopes import CART_READ, CART_WRITE, PAYMENTS_READ
from bffs.services.carts import Cart, CartLine, Carts
from bffs.services.catalog import Product
from bffs.services.orders import Orders, Totals
from bffs.services.payments import Method, Payments


class CartPage(Shelf):
    """The viewer's cart."""

    carts: Carts
    orders_service: Orders
    payments_service: Payments
    viewer: Viewer

    @critical
    async def cart(self) -> Cart:
        """What lies in it now."""
        return await self.carts.cart(self.viewer.require(CART_READ).subject)

    @loader(missing=None, fallback=None, timeout=1.0)
    async def details(self, ids: tuple[str, ...]) -> Mapping[str, Product]:
        """The products with their variants, which have the words for a line."""
        return await self.catalog.products(ids, self.locale.code)

    @loader(missing=None, fallback=None, timeout=1.0)
    async def totals(
        self, carts: tuple[tuple[CartLine, ...], ...]
    ) -> Mapping[tuple[CartLine, ...], Totals]:
        """What an order of the lines would cost now; null for an empty cart."""
        return {lines: await self.orders_service.quote(lines) for lines in carts if lines}

    @optional(fallback=(), timeout=0.8)
    async def payment_methods(self) -> Sequence[Method]:
        """How the viewer can pay, the default first."""
        subject = self.viewer.require(PAYMENTS_READ).subject
        return await self.payments_service.methods(subject)

    async def set_quantity(self, sku: str, quantity: int) -> Cart:
        """Set how many of a variant it holds, and return it as it is then."""
        subject = self.viewer.require(CART_WRITE).subject
        return await self.carts.set_quantity(subject, sku, quantity)

    async def remove(self, sku: str) -> Cart:
        """Take a variant out of it, and return it as it is then."""
        return await self.carts.remove(self.viewer.require(CART_WRITE).subject, sku)
