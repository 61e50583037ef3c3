"""The categories of the shop."""

from collections.abc import Sequence

from bff_core import Composition, critical
from bffs.compositions.display import Display
from bffs.compositions.locale import ShopLocale
from bffs.services.catalog import Catalog, Category


class CategoryList(Composition):
    """All categories, in the viewer's language."""

    catalog: Catalog
    locale: ShopLocale
    display: Display

    @critical
    async def categories(self) -> Sequence[Category]:
        """The roots, each with all that is below it."""
        return await self.catalog.categories(self.locale.code)
