"""Lists of products: searched, browsed, page by page."""

from typing import Annotated

from fastapi import Query

from bff_core import critical
from bffs.compositions.shelf import Shelf
from bffs.services.catalog import Summary
from bffs.services.values import Page


class ProductList(Shelf):
    """A page of the products that match; empty filters match all."""

    q: Annotated[str, Query(max_length=100)] = ""
    category: Annotated[str, Query(max_length=50)] = ""
    cursor: Annotated[str, Query(max_length=500)] = ""
    limit: Annotated[int, Query(ge=1, le=50)] = 20

    @critical
    async def page(self) -> Page[Summary]:
        """Products that match, most popular first; empty filters match all."""
        return await self.catalog.search(
            q=self.q,
            category=self.category,
            cursor=self.cursor,
            limit=self.limit,
            locale=self.locale.code,
        )
