"""Inventory: what is there, and how soon it can be delivered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bff_core import Policy, Upstream
from bffs.services.carts import CartLine
from bffs.services.values import Money, Page


@dataclass(frozen=True, slots=True)
class SkuStock:
    """How much of one variant there is."""

    sku: str
    status: str
    available: int


@dataclass(frozen=True, slots=True)
class Delivery:
    """A way to get a product, in working days: `method` is standard, express or pickup."""

    method: str
    min_days: int
    max_days: int
    price: Money


@dataclass(frozen=True, slots=True)
class Stock:
    """How much of a product there is: `status` is in_stock, low or out_of_stock."""

    product_id: str
    status: str
    available: int
    skus: tuple[SkuStock, ...]
    delivery: tuple[Delivery, ...]


@dataclass(frozen=True, slots=True)
class Reservation:
    """Stock that is held for somebody, up to an instant."""

    id: str
    expires_at: str


class Inventory(Upstream):
    """Stock, the same for everybody."""

    policy = Policy(timeout=1.0, public=True)  # never cached: purchases depend on it

    async def stock(self, ids: tuple[str, ...]) -> Mapping[str, Stock]:
        """Return the stock of those products that have one, by product id."""
        page = await self.get("/stock", Page[Stock], query={"ids": ",".join(ids)})
        return {stock.product_id: stock for stock in page.items}

    async def reserve(self, customer_id: str, lines: Sequence[CartLine]) -> Reservation:
        """Hold stock for a quarter of an hour: all lines or none."""
        wanted = [{"sku": line.sku, "quantity": line.quantity} for line in lines]
        return await self.post(
            "/reservations", Reservation, json={"customer_id": customer_id, "lines": wanted}
        )

    async def release(self, reservation_id: str) -> None:
        """Put held stock back; what has expired is back already."""
        await self.delete("/reservations/{id}", None, id=reservation_id)
