"""Values that many types of the schema hold.

A type here names what may be selected of a service's model; the model itself is the value, so
nothing is copied. Fields that need more than the model have a resolver, which is handed it.
"""

import strawberry

from bff_core import InvalidInput
from bff_core.graphql import Info
from bffs.compositions.display import Display
from bffs.services.values import Image


@strawberry.type(name="Money")
class WebMoney:
    """An amount in minor units (cents) of a currency (ISO 4217)."""

    amount: int
    currency: str


@strawberry.type(name="Named")
class WebNamed:
    """A thing that is shown by its name."""

    id: strawberry.ID
    name: str


def get_url(image: strawberry.Parent[Image], info: Info, width: int | None = None) -> str:
    """Return the smallest size that is wide enough."""
    return image.url(width or info.context.wired(Display).width)


@strawberry.type(name="Image")
class WebImage:
    """A picture in several sizes; without a `width` in pixels the one that fits the display."""

    alt: str
    url: str = strawberry.field(resolver=get_url)


def at_most(most: int, first: int) -> int:
    """Return how many the client wants; refuse none and too many."""
    if not 1 <= first <= most:
        raise InvalidInput(f"first must be 1 to {most}, not {first}.")
    return first
