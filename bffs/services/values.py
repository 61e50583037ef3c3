"""Values that several services use: money, images, pages of a list."""

from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in minor units (cents) of a currency (ISO 4217)."""

    amount: int
    currency: str


@dataclass(frozen=True, slots=True)
class ImageSource:
    """One size of an image; `width` in pixels."""

    width: int
    url: str


@dataclass(frozen=True, slots=True)
class Image:
    """A picture in several sizes, smallest first."""

    alt: str
    sources: tuple[ImageSource, ...]

    def url(self, width: int) -> str:
        """Return the smallest that is wide enough, else the largest."""
        fitting = (source.url for source in self.sources if source.width >= width)
        return next(fitting, self.sources[-1].url)


@dataclass(frozen=True, slots=True)
class Named:
    """A thing that is shown by its name: a brand, a category."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """A part of a list; `next_cursor` is None on the last one, `missing` the ids not found."""

    items: tuple[T, ...]
    next_cursor: str | None
    total: int
    missing: tuple[str, ...] = ()
