"""The configuration of the pages: whom they call, which customers and services there are."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Final, Literal, Self

from bff_core import Settings

SERVICES: Final = (
    "users",
    "catalog",
    "pricing",
    "inventory",
    "orders",
    "cart",
    "payments",
    "reviews",
    "recommendations",
    "identity",
)
"""The services behind the gateways, in the order of their ports."""


MAX_PORT: Final = 65_535

_HOST: Final = r"(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])"

_url: Final = re.compile(
    rf"\s*(?P<origin>https?://{_HOST}(?::(?P<port>[0-9]{{1,5}}))?)(?:/[^\s]*)?\s*", re.IGNORECASE
).fullmatch


@dataclass(frozen=True, slots=True)
class DemoCustomer:
    """A customer of the mock services; `note` says what is special about this one."""

    id: str
    name: str
    note: str


CUSTOMERS: Final = (
    DemoCustomer("1", "Rémi Guérin", "gold member"),
    DemoCustomer("3", "Jonas Hofmann", "new member"),
    DemoCustomer("9", "Bohdan Lysenko", "staff, may change prices"),
)


@dataclass(frozen=True, slots=True)
class ShopConfiguration:
    """What scripts read as `/shop.json`; an address is an origin, None where there is none.

    `auth` is "session" (browsers sign in) or "demo" (bearer tokens by customer number). `console`
    is the console of `bff dev`, which can stop services.
    """

    auth: Literal["session", "demo"]
    mobile: str | None
    desktop: str | None
    identity: str | None
    console: str | None
    customers: tuple[DemoCustomer, ...] = CUSTOMERS
    services: tuple[str, ...] = SERVICES

    @classmethod
    def of(cls, settings: Settings, environ: Mapping[str, str]) -> Self:
        """Read the environment: SHOP_MOBILE_URL, SHOP_DESKTOP_URL, SHOP_IDENTITY_URL."""
        is_development = settings.env == "development"
        return cls(
            auth="demo" if settings.auth == "demo" else "session",
            mobile=_origin(environ.get("SHOP_MOBILE_URL")),
            desktop=_origin(environ.get("SHOP_DESKTOP_URL")),
            identity=_origin(environ.get("SHOP_IDENTITY_URL")),
            console=_origin(environ.get("BFF_DEV_CONSOLE")) if is_development else None,
        )

    @property
    def called(self) -> tuple[str, ...]:
        """The origins that the pages call, besides their own."""
        found = (self.mobile, self.desktop, self.identity, self.console)
        return tuple(one for one in found if one is not None)

    def as_json(self) -> dict[str, object]:
        """Return it as scripts read it."""
        return asdict(self)


def _origin(url: str | None) -> str | None:
    """Return the origin of a URL; None for what is none, which a policy could not hold."""
    found = _url(url or "")
    if found is None or not 0 < int(found["port"] or 80) <= MAX_PORT:
        return None
    return found["origin"].lower()
