"""The golden files and how each is made, in order: later ones look at what earlier ones left."""

from collections.abc import Callable
from pathlib import Path

from tests.wire import shop_requests
from tests.wire.exchange import as_text
from tests.wire.house import House

GOLDEN = Path(__file__).parent / "golden"

DOCUMENTS: dict[str, Callable[[House], str]] = {
    "http-mobile.json": lambda house: as_text(shop_requests.mobile(house)),
    "http-desktop.json": lambda house: as_text(shop_requests.desktop(house)),
    "http-web.json": lambda house: as_text(shop_requests.web(house)),
}
