"""The provider's clients: a gateway for browsers, two native apps, two services."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from services_mock.data import users

WEB_SECRET = "web-secret-for-the-mock-only"  # noqa: S105 - of a mock, and says so
JOBS_SECRET = "jobs-secret-for-the-mock-only"  # noqa: S105 - of a mock, and says so

SCOPES = frozenset(
    [
        "openid",
        "profile",
        "email",
        "offline_access",
        "profile:read",
        "orders:read",
        "orders:write",
        "cart:read",
        "cart:write",
        "payments:read",
        "recommendations:read",
        "prices:write",
    ]
)

ACRS = ("1", "2")
"""Authentication classes (`acr`), the weakest first; the mock believes its users."""

FOR_CUSTOMERS = SCOPES - {"prices:write"}

STAFF = frozenset({str(users.STAFF)})
"""The shop's staff, with scopes that customers do not have."""


@dataclass(frozen=True, slots=True)
class Client:
    """An application; a public one has no secret. `audience` is whom its tokens are meant for.

    `scopes` are those that it can be granted, for a user who has them.
    """

    id: str
    secret: str = ""
    redirects: tuple[str, ...] = ()
    farewells: tuple[str, ...] = ()
    backchannel: str = ""
    audience: str = ""
    is_opaque: bool = False
    scopes: frozenset[str] = FOR_CUSTOMERS

    def redirects_to(self, uri: str) -> bool:
        """Whether a redirect URI is allowed; native apps listen on any port (RFC 8252, 7.3)."""
        if uri in self.redirects:
            return True
        parts = urlsplit(uri)
        if parts.hostname not in {"127.0.0.1", "::1"} or self.secret or parts.query:
            return False
        return f"{parts.scheme}://{parts.hostname}{parts.path}" in self.redirects


def granted(client: Client, subject: str, requested: frozenset[str]) -> frozenset[str]:
    """Return which of the requested scopes a client is granted for a user (RFC 6749, 3.3)."""
    of_user = SCOPES if subject in STAFF else FOR_CUSTOMERS
    return requested & client.scopes & of_user


def seeded(web: str) -> Mapping[str, Client]:
    """Return all clients; `web` is the origin of the web gateway."""
    loopback = "http://127.0.0.1/callback"
    clients = (
        Client(
            "web",
            WEB_SECRET,
            (f"{web}/bff/callback",),
            (f"{web}/",),
            f"{web}/bff/backchannel-logout",
            "https://api.shop.example",
        ),
        Client(
            "mobile",
            redirects=("com.example.shop:/callback", loopback),
            audience="https://mobile.shop.example",
        ),
        Client(
            "desktop", redirects=(loopback,), audience="https://desktop.shop.example", scopes=SCOPES
        ),
        Client("jobs", JOBS_SECRET, audience="https://api.shop.example"),
        Client("opaque", JOBS_SECRET, audience="https://api.shop.example", is_opaque=True),
    )
    return {client.id: client for client in clients}
