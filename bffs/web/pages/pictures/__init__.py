"""The pictures of the shop, drawn as SVG."""

import re
from typing import Final

_path: Final = re.compile(
    r"(products|categories|avatars|reviews)(/[A-Za-z0-9][A-Za-z0-9-]*){1,3}/[0-9]{2,4}w\.svg"
).fullmatch

_PLACEHOLDER: Final = (
    b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 120 120">'
    b'<rect width="120" height="120" fill="#d9d6cf"/></svg>'
)


def picture_of(path: str) -> bytes | None:
    """Return the SVG at a path below `/pictures/`; None if there is no such picture."""
    return _PLACEHOLDER if _path(path) else None
