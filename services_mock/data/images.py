"""Images: one picture in five sizes; the URLs are not served."""

from dataclasses import dataclass

WIDTHS = (160, 320, 640, 1280, 2048)
HOST = "https://images.shop.example"


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
        Source(width, round(width * ratio), f"{HOST}/{path}/{width}w.webp") for width in WIDTHS
    )
    return Image(alt, tuple(sources))
