"""Adds price, stock and rating to products."""

from collections.abc import Mapping

from bff_core import Composition, loader
from bffs.compositions.display import Display
from bffs.compositions.locale import ShopLocale
from bffs.services.catalog import Catalog, Summary
from bffs.services.inventory import Inventory, Stock
from bffs.services.pricing import Price, Pricing
from bffs.services.reviews import Rating, Reviews


class Shelf(Composition):
    """Products by id, with one call per service for a whole screen."""

    catalog: Catalog
    pricing: Pricing
    inventory: Inventory
    reviews_service: Reviews
    locale: ShopLocale
    display: Display

    @loader(missing=None, fallback=None, timeout=1.0)
    async def summary(self, ids: tuple[str, ...]) -> Mapping[str, Summary]:
        """The product as it is sold today; null when there is none."""
        return await self.catalog.summaries(ids, self.locale.code)

    @loader(missing=None, fallback=None, timeout=0.6)
    async def price(self, ids: tuple[str, ...]) -> Mapping[str, Price]:
        """What it costs."""
        return await self.pricing.prices(ids)

    @loader(missing=None, fallback=None, timeout=0.6)
    async def stock(self, ids: tuple[str, ...]) -> Mapping[str, Stock]:
        """How much of it there is."""
        return await self.inventory.stock(ids)

    @loader(missing=None, fallback=None, timeout=0.6)
    async def rating(self, ids: tuple[str, ...]) -> Mapping[str, Rating]:
        """What customers think of it."""
        return await self.reviews_service.ratings(ids)
