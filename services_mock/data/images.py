"""Images: one picture in five sizes, at the address that `SERVICES_PICTURES_URL` names.

The catalog serves them below `/pictures`, and the web gateway of the reference application at the
same paths: an address says what is shown, as in `products/tents/OLV/42-1/640w.svg` (category,
colour, product and number).
"""

import os
from dataclasses import dataclass

WIDTHS = (160, 320, 640, 1280, 2048)
BASE = (os.environ.get("SERVICES_PICTURES_URL") or "https://images.shop.example").rstrip("/")


@dataclass(frozen=True, slots=True)
class Source:
    """One size of an image."""

    width: int
    height: int
    url: str


@dataclass(frozen=True, slots=True)
class Image:
    """One picture: what it shows, and where its sizes are, small to large."""

    alt: str
    sources: tuple[Source, ...]


def picture(path: str, alt: str, *, ratio: float = 1.0) -> Image:
    """Return the sizes of the picture at `path`; `ratio` is height over width."""
    sources = (
        Source(width, round(width * ratio), f"{BASE}/{path}/{width}w.svg") for width in WIDTHS
    )
    return Image(alt, tuple(sources))
