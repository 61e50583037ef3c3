"""The shop's pictures: SVG documents, drawn from what stands in their paths.

Paths, without a leading slash (`<width>` is one of `WIDTHS`, in pixels):

- `products/<category>/<colour>/<product>-<n>/<width>w.svg`: 120 by 150 units; `<n>` from 1;
  `<colour>` is an id of the catalogue such as `RST`.
- `categories/<category>/<width>w.svg`: a banner, 240 by 120.
- `reviews/<category>/<colour>/<product>-<review>-<n>/<width>w.svg`: 120 by 90.
- `avatars/<initials>/<user>/<width>w.svg`: 120 by 120; initials are one to three letters.

A document has no style, script, id or reference, so it is safe under `default-src 'none'`.
The same path always gives the same bytes.

To add a symbol for a leaf category, put a file into `symbols/`, whose folders are the category
tree: `symbols/<root>/<middle>/<leaf>.svg`. It is an SVG of 120 by 120 units, drawn between 12 and
108, with `<g>`, `<path>`, `<rect>`, `<circle>` and `<ellipse>`, and with classes for colours:

- fills `a` (body), `b` (shade), `c` (dark details), `hi` (highlight), `x` (accent, by product),
  `m` and `n` (light and dark metal), `k` (rubber, nearly black), `glow` (light), `sh` (shadow);
- lines `st` (colour c), `hs` (hi) and `as`, `bs`, `xs`, `ms`, `ns`, `ks`; `stroke-width` overrides
  their width;
- `<g class="v1">`, `v2`, `v3`: details of which a product shows one.

With `class="upright"` on its `<svg>` a symbol is never turned; those with a shadow need it. Keep
a symbol below 1,600 bytes: some pictures show it twice. `symbols/<root>.svg` is shown for the
categories above the leaves.
A new colour is a line in `tones.py`. `pytest tests/services_mock/test_pictures.py` checks both.
"""

import re
from functools import lru_cache

from services_mock.pictures import scenes
from services_mock.pictures.symbol_files import SYMBOLS
from services_mock.pictures.tones import TONES

WIDTHS = (160, 320, 640, 1280, 2048)
"""The widths of pictures, in pixels."""

CACHE_SIZE = 1024
"""How many documents are cached; each has at most 6 KB."""

_ID = r"[1-9][0-9]{0,8}"
_WIDTH = rf"(?P<width>{'|'.join(map(str, WIDTHS))})w\.svg"
_KIND = r"(?P<category>[a-z]+(?:-[a-z]+)*)"
_COLOUR = r"(?P<colour>[A-Z]+)"
_PRODUCT = re.compile(rf"products/{_KIND}/{_COLOUR}/(?P<id>{_ID})-(?P<n>[1-9][0-9]?)/{_WIDTH}")
_REVIEW = re.compile(rf"reviews/{_KIND}/{_COLOUR}/(?P<id>{_ID}-{_ID}-[1-9][0-9]?)/{_WIDTH}")
_CATEGORY = re.compile(rf"categories/{_KIND}/{_WIDTH}")
_AVATAR = re.compile(rf"avatars/(?P<initials>[^\W\d_]{{1,3}})/(?P<id>{_ID})/{_WIDTH}")


@lru_cache(CACHE_SIZE)
def picture_of(path: str) -> bytes | None:
    """Return the picture at a path as an SVG document in UTF-8, `None` if there is none."""
    if found := _PRODUCT.fullmatch(path) or _REVIEW.fullmatch(path):
        return _of_product(found)
    if found := _CATEGORY.fullmatch(path):
        category = found["category"]
        known = category in SYMBOLS
        return scenes.banner(category, int(found["width"])) if known else None
    if found := _AVATAR.fullmatch(path):
        return scenes.avatar(found["initials"], found["id"], int(found["width"]))
    return None


def _of_product(found: re.Match[str]) -> bytes | None:
    category, tone, width = found["category"], TONES.get(found["colour"]), int(found["width"])
    if category not in SYMBOLS or tone is None:
        return None
    if found.re is _REVIEW:
        return scenes.review(category, tone, found["id"], width)
    return scenes.product(category, tone, found["id"], int(found["n"]), width)
