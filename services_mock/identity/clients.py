"""The clients that the provider knows: a gateway for browsers, two native apps, two services."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

WEB_SECRET = "web-secret-for-the-mock-only"  # noqa: S105 - of a mock, and says so
JOBS_SECRET = "jobs-secret-for-the-mock-only"  # noqa: S105 - of a mock, and says so

SCOPES = frozenset(
    ("openid", "profile", "email", "offline_access", "orders:read", "orders:write", "cart")
)

ACRS = ("1", "2")
"""Authentication classes (`acr`), the weakest first; a mock takes its users at their word."""


@dataclass(frozen=True, slots=True)
class Client:
    """An application; a public one has no secret. `audience` is whom its tokens are meant for."""

    id: str
    secret: str = ""
    redirects: tuple[str, ...] = ()
    farewells: tuple[str, ...] = ()
    backchannel: str = ""
    audience: str = ""
    is_opaque: bool = False

    def redirects_to(self, uri: str) -> bool:
        """Whether a code may be sent there; native apps listen on any port (RFC 8252, 7.3)."""
        if uri in self.redirects:
            return True
        parts = urlsplit(uri)
        if parts.hostname not in {"127.0.0.1", "::1"} or self.secret or parts.query:
            return False
        return f"{parts.scheme}://{parts.hostname}{parts.path}" in self.redirects


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
        Client("desktop", redirects=(loopback,), audience="https://desktop.shop.example"),
        Client("jobs", JOBS_SECRET, audience="https://api.shop.example"),
        Client("opaque", JOBS_SECRET, audience="https://api.shop.example", is_opaque=True),
    )
    return {client.id: client for client in clients}
