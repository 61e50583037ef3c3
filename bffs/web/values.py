"""Values that many types of the schema hold.

A type here names what may be selected of a service's model; nothing is copied.
"""

import strawberry

from bff_core.graphql import Info, ShapeOf
from bffs.compositions.display import Display
from bffs.services.values import Image, Money, Named


class WebMoney(ShapeOf[Money], name="Money"):
    """An amount in minor units (cents) of a currency (ISO 4217)."""

    amount: int
    currency: str


class WebNamed(ShapeOf[Named], name="Named"):
    """A thing that is shown by its name."""

    id: strawberry.ID
    name: str


class WebImage(ShapeOf[Image], name="Image"):
    """A picture in several sizes; without a `width` in pixels the one that fits the display."""

    alt: str

    @strawberry.field
    def url(self, info: Info, width: int | None = None) -> str:
        """Return the smallest size that is wide enough."""
        return self.source.url(width or info.context.wired(Display).width)
