"""The screens of the shop, and its writes."""

from collections.abc import Mapping, Sequence
from typing import Annotated

from fastapi import Query

from bff_core import (
    Composition,
    NotFound,
    Saga,
    SagaPolicy,
    Viewer,
    bulk,
    critical,
    gather,
    loader,
    optional,
    step,
)
from shop.services import Catalog, Product, Rating, Reviews


class ProductPage(Composition):
    """The page of one product."""

    catalog: Catalog
    reviews: Reviews
    viewer: Viewer
    product_id: str
    first: Annotated[int, Query(ge=1, le=100)] = 20

    @critical
    async def product(self) -> Product:
        """Return the product."""
        return await self.catalog.product(self.product_id)

    @optional(timeout=0.4)
    async def rating(self) -> Rating | None:
        """Return its rating."""
        return await self.reviews.rating(self.product_id)

    @loader
    async def related(self, ids: Sequence[str]) -> Mapping[str, Product]:
        """Return other products."""
        return {one.id: one for one in await self.catalog.products(ids)}

    @bulk()
    async def rename(self, title: str) -> str:
        """Rename the product."""
        await self.catalog.rename(self.product_id, title)
        return title

    async def both(self) -> tuple[Product, Rating | None]:
        """Return the product and its rating."""
        return await gather(self.product(), self.rating())


class Rename(Saga):
    """Renames a product, or not at all."""

    policy = SagaPolicy(step_timeout=3.0)

    catalog: Catalog
    product_id: str
    title: str

    @step
    async def before(self) -> Product:
        """Read the product."""
        found = await self.catalog.product(self.product_id)
        if not found.title:
            raise NotFound("The product has no title.")
        return found

    @step
    async def rename(self) -> str:
        """Rename it."""
        await self.catalog.rename(self.product_id, self.title)
        return (await self.before()).title

    @rename.compensation
    async def undo(self, title: str) -> None:
        """Give it its title back."""
        await self.catalog.rename(self.product_id, title)
