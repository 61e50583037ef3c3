"""Inventory: what is there, and how soon it can be delivered."""

from collections.abc import Mapping
from dataclasses import dataclass

from bff_core import Policy, Upstream
from bffs.services.values import Page


@dataclass(frozen=True, slots=True)
class SkuStock:
    """How much of one variant there is."""

    sku: str
    status: str
    available: int


@dataclass(frozen=True, slots=True)
class Stock:
    """How much of a product there is: `status` is in_stock, low or out_of_stock."""

    product_id: str
    status: str
    available: int
    skus: tuple[SkuStock, ...]


class Inventory(Upstream):
    """Stock, the same for everybody."""

    policy = Policy(timeout=1.0, public=True)

    async def stock(self, ids: tuple[str, ...]) -> Mapping[str, Stock]:
        """Return the stock of those products that have one, by product id."""
        page = await self.get("/stock", Page[Stock], query={"ids": ",".join(ids)})
        return {stock.product_id: stock for stock in page.items}
