"""The page of one product."""

from collections.abc import Sequence

from bff_core import critical, optional
from bffs.compositions.ids import Id
from bffs.compositions.shelf import Shelf
from bffs.services.catalog import Product, Summary
from bffs.services.reviews import Review


class ProductPage(Shelf):
    """A product, what people say of it, and what goes with it."""

    product_id: Id

    @critical
    async def product(self) -> Product:
        """The product itself."""
        return await self.catalog.product(self.product_id, self.locale.code)

    @optional(fallback=(), timeout=0.8)
    async def reviews(self, first: int = 3) -> Sequence[Review]:
        """The most helpful reviews."""
        return await self.reviews_service.of(self.product_id, first)

    @optional(fallback=(), timeout=1.5)
    async def related(self, first: int = 12) -> Sequence[Summary]:
        """Products that go with it."""
        product = await self.product()
        found = await self.summary.many(product.related[:first])
        return tuple(one for one in found if one is not None)
