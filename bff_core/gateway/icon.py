"""The icon of the pages of a gateway: its console, its sign-in page and its index."""

from typing import Final
from urllib.parse import quote

from starlette.responses import Response

ICON_PATH: Final = "/favicon.ico"
"""Where browsers look for an icon if a page, such as one of JSON, names none."""

_ICON: Final = (
    "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 20 20'>"
    "<g fill='none' stroke='#7F8996' stroke-width='1.8' stroke-linecap='round'>"
    "<path d='M2 3h3c4 0 4 7 8 7M2 10h11M2 17h3c4 0 4-7 8-7'/></g>"
    "<rect x='12.5' y='6' width='6' height='8' rx='1.6' fill='#7F8996'/></svg>"
)

ICON_DATA: Final = "data:image/svg+xml," + quote(_ICON, safe=" '=/:.-")
"""The icon as an address, for `<link rel="icon">`."""


def icon_response() -> Response:
    """Return the icon."""
    headers = {"cache-control": "max-age=86400", "x-content-type-options": "nosniff"}
    return Response(_ICON, headers=headers, media_type="image/svg+xml")
