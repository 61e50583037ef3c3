"""All carts: the seeded ones, and changes since."""

from collections.abc import Sequence
from dataclasses import replace

from services_mock.data import carts, goods, seed, stock, users
from services_mock.data.carts import Cart, CartLine
from services_mock.problems import Problem, not_found


class CartShelf:
    """One cart per customer."""

    def __init__(self) -> None:
        self._carts: dict[str, Cart] = {}

    def find(self, customer_id: str) -> Cart | None:
        """Return a customer's cart, `None` if there is no such customer."""
        if not users.exists(customer_id):
            return None
        if customer_id not in self._carts:
            self._carts[customer_id] = carts.cart(customer_id)
        return self._carts[customer_id]

    def get(self, customer_id: str) -> Cart:
        """Return a customer's cart or raise the problem 404."""
        found = self.find(customer_id)
        if found is None:
            raise not_found("cart of customer", customer_id)
        return found

    def put(self, customer_id: str, sku: str, quantity: int, *, gift: bool | None) -> Cart:
        """Set one line; an existing line stays in its place, with its age."""
        cart = self.get(customer_id)
        _check(sku, quantity)
        known = {line.sku: line for line in cart.lines}
        fresh = CartLine(sku, sku.partition("-")[0], quantity, seed.now(), gift=False)
        line = replace(known.get(sku, fresh), quantity=quantity)
        known[sku] = line if gift is None else replace(line, gift=gift)
        return self._save(cart, list(known.values()))

    def remove(self, customer_id: str, sku: str) -> Cart:
        """Remove one line."""
        cart = self.get(customer_id)
        left = [line for line in cart.lines if line.sku != sku]
        if len(left) == len(cart.lines):
            raise Problem(404, "not_in_cart", f"{sku!r} is not in the cart.", sku=sku)
        return self._save(cart, left)

    def clear(self, customer_id: str) -> Cart:
        """Remove all lines."""
        return self._save(self.get(customer_id), [])

    def _save(self, cart: Cart, lines: Sequence[CartLine]) -> Cart:
        changed = replace(
            cart,
            version=cart.version + 1,
            count=sum(line.quantity for line in lines),
            lines=tuple(lines),
            updated_at=seed.now(),
        )
        self._carts[cart.customer_id] = changed
        return changed


def _check(sku: str, quantity: int) -> None:
    if goods.product_of(sku) is None:
        raise Problem(404, "unknown_sku", f"There is no SKU {sku!r}.", sku=sku)
    left = stock.available(sku)
    if quantity > left:
        detail = f"Only {left} of {sku!r} are left." if left else f"{sku!r} is sold out."
        raise Problem(409, "out_of_stock", detail, sku=sku, requested=quantity, available=left)
