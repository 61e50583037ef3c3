"""The client's display: how wide the pictures should be."""

from dataclasses import dataclass
from typing import Self
from urllib.parse import parse_qs

from bff_core import Scope

USUAL, NARROWEST, WIDEST = 640, 160, 4096


@dataclass(frozen=True, slots=True)
class Display:
    """The width in pixels that a client declares.

    From `?width=`, else `Sec-CH-Viewport-Width` (or its older name); 640 where none is sent.
    """

    width: int = USUAL

    @classmethod
    def from_scope(cls, scope: Scope) -> Self:
        """Read a request; the answer varies by the header."""
        query = parse_qs(scope.query.decode("latin-1")).get("width", [""])[0]
        hinted = scope.header("sec-ch-viewport-width") or scope.header("viewport-width")
        return cls(_pixels(query) or _pixels(hinted or "") or USUAL)


def _pixels(text: str) -> int | None:
    if not text.isascii() or not text.isdigit() or len(text) > len(str(WIDEST)):
        return None
    return min(max(int(text), NARROWEST), WIDEST)
