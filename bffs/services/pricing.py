"""Pricing: what things cost, and what is cheaper for a while."""

from collections.abc import Mapping
from dataclasses import dataclass

from bff_core import Cache, Policy, Upstream
from bffs.services.values import Money, Page


@dataclass(frozen=True, slots=True)
class SkuPrice:
    """What one variant costs."""

    sku: str
    price: Money


@dataclass(frozen=True, slots=True)
class Price:
    """What a product costs: `price` is that of its cheapest variant.

    `list_price` is what it cost before a discount.
    """

    product_id: str
    price: Money
    list_price: Money | None
    discount_percent: int
    variants: tuple[SkuPrice, ...] = ()

    def of(self, sku: str) -> Money:
        """Return what a variant costs."""
        found = (one.price for one in self.variants if one.sku == sku)
        return next(found, self.price)


@dataclass(frozen=True, slots=True)
class Deal:
    """A product that is cheaper until a day."""

    id: str
    product_id: str
    price: Money
    list_price: Money
    discount_percent: int
    badge: str
    ends_at: str


@dataclass(frozen=True, slots=True)
class PriceChange:
    """What a variant is to cost."""

    sku: str
    price: Money


class Pricing(Upstream):
    """Prices, the same for everybody; each is known as price:7, by the product."""

    policy = Policy(timeout=1.0, public=True, cache=Cache(ttl=5, stale=60, error=600))

    async def prices(self, ids: tuple[str, ...]) -> Mapping[str, Price]:
        """Return the prices of those products that have one, by product id."""
        page = await self.get("/prices", Page[Price], query={"ids": ",".join(ids)})
        return {price.product_id: price for price in page.items}

    async def deals(self, first: int) -> tuple[Deal, ...]:
        """Return the best deals, best first."""
        return (await self.get("/deals", Page[Deal], query={"limit": first})).items

    async def change(self, wanted: PriceChange) -> Price:
        """Set what a variant costs; return what its product costs then."""
        return await self.put("/skus/{sku}/price", Price, sku=wanted.sku, json=wanted.price)
