"""The golden files and how each is made, in order: later ones look at what earlier ones left."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from tests.wire import contracts, kiosk_requests, shop_requests, signing_in, troubles
from tests.wire.exchange import as_text
from tests.wire.house import House

GOLDEN = Path(__file__).parent / "golden"

Document = Callable[[House], str]


def of_requests(send: Callable[[House], list[dict[str, Any]]]) -> Document:
    """Return what makes a golden file of requests and their answers."""
    return lambda house: as_text(send(house))


def of_openapi(name: str) -> Document:
    """Return what makes a golden file of a gateway's OpenAPI document."""
    return partial(contracts.openapi, name=name)


DOCUMENTS: dict[str, Document] = {
    "http-mobile.json": of_requests(shop_requests.mobile),
    "http-desktop.json": of_requests(shop_requests.desktop),
    "http-web.json": of_requests(shop_requests.web),
    "http-kiosk.json": of_requests(kiosk_requests.kiosk),
    "http-browser.json": of_requests(signing_in.browser),
    "http-native.json": of_requests(signing_in.native),
    "http-writes-under-way.json": of_requests(troubles.writes),
    "openapi-web.json": of_openapi("web"),
    "openapi-mobile.json": of_openapi("mobile"),
    "openapi-desktop.json": of_openapi("desktop"),
    "schema-web.graphql": contracts.sdl,
    "settings.json": contracts.settings,
    "public-names.json": contracts.public_names,
    "event-fields.json": contracts.event_fields,
    "redis-keys.json": contracts.redis_keys,
    "sqlite-schemas.json": contracts.sqlite_schemas,
    "commands.json": contracts.commands,
    "http-browser-leaving.json": of_requests(signing_in.signed_out),
    "log-events.json": contracts.log_events,
    # Last: what is logged of an overload and an outage comes a second later, or not before the end.
    "http-overload.json": of_requests(troubles.overload),
}
