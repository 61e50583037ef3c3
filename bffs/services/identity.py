"""Authentication of the shop's users, for each kind of client."""

from bff_core import Settings
from bff_core.auth import Authenticator, BearerAuthenticator, Issuer
from bffs.scopes import CUSTOMER

SCOPE = ("openid", "profile", "email", "offline_access", *CUSTOMER)
"""What the web gateway requests when a browser signs in."""


def mobile_apps(settings: Settings) -> Authenticator:
    """Return the authenticator for phone apps, which send their own access tokens."""
    return _native(settings, "https://mobile.shop.example")


def desktop_apps(settings: Settings) -> Authenticator:
    """Return the authenticator for desktop apps, which send their own access tokens."""
    return _native(settings, "https://desktop.shop.example")


def _native(settings: Settings, audience: str) -> Authenticator:
    return BearerAuthenticator(Issuer(issuer=settings.issuer, audience=(audience,), keys="/jwks"))
