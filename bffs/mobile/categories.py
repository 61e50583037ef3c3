"""Categories on the phone: where browsing starts."""

from collections.abc import Sequence
from dataclasses import dataclass

from bff_core import ANYONE, Views
from bffs.compositions.categories import CategoryList


@dataclass(frozen=True, slots=True)
class MobileCategory:
    """A category at the root; `/v1/products?category=` takes its id."""

    id: str
    name: str
    image: str


@dataclass(frozen=True, slots=True)
class MobileCategories:
    """The categories at the root."""

    items: Sequence[MobileCategory]


views = Views(prefix="/v1", tags=["products"], access=ANYONE)


@views.get("/categories", public=True)
async def get_categories(shop: CategoryList) -> MobileCategories:
    """List where to browse."""
    width = shop.display.width
    found = await shop.categories()
    return MobileCategories(
        [MobileCategory(one.id, one.name, one.image.url(width)) for one in found]
    )
