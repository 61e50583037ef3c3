"""Orders: what customers bought."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from bff_core import Cache, Policy, Upstream
from bffs.services.carts import CartLine
from bffs.services.values import Money, Page


@dataclass(frozen=True, slots=True)
class OrderLine:
    """One position of an order."""

    product_id: str
    sku: str
    title: str
    quantity: int
    unit_price: Money
    total: Money


@dataclass(frozen=True, slots=True)
class Totals:
    """The sums of an order."""

    subtotal: Money
    shipping: Money
    tax: Money
    total: Money


@dataclass(frozen=True, slots=True)
class Order:
    """An order of one customer."""

    id: str
    number: str
    customer_id: str
    status: str
    placed_at: str
    payment_id: str | None
    lines: tuple[OrderLine, ...]
    totals: Totals


class Orders(Upstream):
    """Orders, each of one customer."""

    # The service sends no-cache; while it fails, the last good reply is better than none.
    policy = Policy(timeout=2.0, cache=Cache(force_stale=True, error=600))

    async def of(self, customer_id: str, *, first: int, cursor: str = "") -> Page[Order]:
        """Return a page of a customer's orders, newest first."""
        query = {"customer_id": customer_id, "limit": first, "cursor": cursor or None}
        return await self.get("/orders", Page[Order], query=query)

    async def order(self, order_id: str) -> Order | None:
        """Return one order of any customer, or None."""
        return await self.get("/orders/{id}", Order | None, id=order_id)

    async def quote(self, lines: Sequence[CartLine]) -> Totals:
        """Return what an order of these lines would cost now."""
        return await self.post("/quotes", Totals, json={"lines": _wanted(lines)})

    async def place(
        self, customer_id: str, lines: Sequence[CartLine], *, payment_id: str, reservation_id: str
    ) -> Order:
        """Place an order that is paid, of stock that is held."""
        wanted = {
            "customer_id": customer_id,
            "lines": _wanted(lines),
            "payment_id": payment_id,
            "reservation_id": reservation_id,
        }
        return await self.post("/orders", Order, json=wanted)

    def export(self, customer_id: str) -> AsyncIterator[Order]:
        """Yield all of a customer's orders as they come, newest first."""
        return self.ndjson("/orders/export", Order, query={"customer_id": customer_id})


def _wanted(lines: Sequence[CartLine]) -> list[dict[str, object]]:
    return [{"sku": line.sku, "quantity": line.quantity} for line in lines]
