"""Carts: what customers are about to buy."""

from dataclasses import dataclass

from bff_core import Cache, Policy, Upstream


@dataclass(frozen=True, slots=True)
class CartLine:
    """One position of a cart."""

    sku: str
    product_id: str
    quantity: int


@dataclass(frozen=True, slots=True)
class Cart:
    """A customer's cart; `count` is the sum of the quantities."""

    count: int
    currency: str
    lines: tuple[CartLine, ...]


class Carts(Upstream):
    """One cart per customer."""

    name = "cart"
    # The service sends no-cache; while it fails, the last good reply is better than none.
    policy = Policy(timeout=1.5, cache=Cache(force_stale=True, error=60, tags=("cart:{id}",)))

    async def cart(self, customer_id: str) -> Cart:
        """Return a customer's cart, perhaps empty."""
        return await self.get("/carts/{id}", Cart, id=customer_id)

    async def set_quantity(self, customer_id: str, sku: str, quantity: int) -> Cart:
        """Set how many of a variant the cart holds, and return the cart."""
        return await self.put(
            "/carts/{id}/items/{sku}",
            Cart,
            id=customer_id,
            sku=sku,
            json={"quantity": quantity},
            purges=("cart:{id}",),
        )

    async def clear(self, customer_id: str) -> Cart:
        """Empty the cart, and return it."""
        return await self.delete("/carts/{id}", Cart, id=customer_id, purges=("cart:{id}",))

    async def remove(self, customer_id: str, sku: str) -> Cart:
        """Take a variant out of the cart, and return the cart."""
        return await self.delete(
            "/carts/{id}/items/{sku}", Cart, id=customer_id, sku=sku, purges=("cart:{id}",)
        )
