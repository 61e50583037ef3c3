"""The gateway that tests run with real providers and browsers: `tests.real.shop:app`."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends

from bff_core import Composition, Settings, Viewer, Views, compose, gateway
from bff_core.auth.oidc.config import OpenIDProvider
from bff_core.auth.session.authenticator import SessionAuthenticator

views = Views(prefix="/v1")


class Me(Composition):
    """Who looks."""

    viewer: Viewer


@dataclass
class Caller:
    """The caller as the gateway authenticated it."""

    subject: str


@views.get("/me")
async def get_me(me: Annotated[Me, Depends(compose(Me))]) -> Caller:
    """Show who looks."""
    return Caller(me.viewer.subject)


def browsers(settings: Settings) -> SessionAuthenticator:
    """Return an authenticator by sessions, for the provider of the environment."""
    return SessionAuthenticator(
        OpenIDProvider(
            issuer=settings.issuer,
            client_id="web",
            client_secret=settings.client_secret.get_secret_value(),
        )
    )


app = gateway("shop", faces=[views], authenticator=browsers)
