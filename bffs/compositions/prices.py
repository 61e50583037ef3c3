"""Prices, and changing many of them at once."""

from bff_core import Composition, ResponseCache, Viewer, bulk
from bffs.scopes import PRICES_WRITE
from bffs.services.pricing import Price, PriceChange, Pricing


class PriceList(Composition):
    """Prices, for the staff that sets them."""

    pricing: Pricing
    cache: ResponseCache
    viewer: Viewer

    @bulk(key=lambda change: change.sku, most=200)
    async def change(self, wanted: PriceChange) -> Price:
        """Set what a variant costs, and return what its product costs then."""
        self.viewer.require(PRICES_WRITE)
        price = await self.pricing.change(wanted)
        await self.cache.purge(f"price:{price.product_id}")  # only the reply says which product
        return price
