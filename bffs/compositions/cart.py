"""The cart: what lies in it, and changing it."""

from bff_core import Viewer, critical
from bffs.compositions.shelf import Shelf
from bffs.scopes import CART_READ, CART_WRITE
from bffs.services.carts import Cart, Carts


class CartPage(Shelf):
    """The viewer's cart."""

    carts: Carts
    viewer: Viewer

    @critical
    async def cart(self) -> Cart:
        """What lies in it now."""
        return await self.carts.cart(self.viewer.require(CART_READ).subject)

    async def set_quantity(self, sku: str, quantity: int) -> Cart:
        """Set how many of a variant it holds, and return it as it is then."""
        subject = self.viewer.require(CART_WRITE).subject
        return await self.carts.set_quantity(subject, sku, quantity)

    async def remove(self, sku: str) -> Cart:
        """Take a variant out of it, and return it as it is then."""
        return await self.carts.remove(self.viewer.require(CART_WRITE).subject, sku)
