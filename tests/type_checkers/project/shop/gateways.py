"""The gateways of the shop."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request, Response
from starlette.responses import JSONResponse

from bff_core import (
    BFFError,
    CorsOptions,
    EdgeOptions,
    FirstOf,
    Gateway,
    Limit,
    NotAllowed,
    RequestContext,
    Scope,
    Settings,
    Viewer,
    gateway,
)
from bff_core.auth import (
    ApiKeyAuthenticator,
    Authenticator,
    BearerAuthenticator,
    Issuer,
    SessionAuthenticator,
)
from bff_core.events import AnyEvent, Events, Sink
from bff_core.policy import Criticality
from shop.screens import Rename
from shop.services import Catalog, Reviews
from shop.views import views

URGENT: Criticality = "critical_plus"


class Partner:
    """An authenticator of one's own."""

    challenge = "Partner"

    async def authenticate(self, scope: Scope, /) -> Viewer | None:
        """Return the partner."""
        return Viewer("partner") if scope.field(b"x-partner") else None


class Maintenance:
    """A concern of one's own."""

    def check(self, context: RequestContext, /) -> Response | None:
        """Refuse everything but the status."""
        if context.scope.path == "/status":
            return None
        raise NotAllowed("The shop is closed.")


def count(event: AnyEvent) -> None:
    """Count an event."""
    del event


sink: Sink = count


def tokens(settings: Settings) -> Authenticator:
    """Make an authenticator of the settings."""
    return BearerAuthenticator(Issuer(issuer=settings.issuer, audience=("shop",)))


async def on_error(request: Request, error: BFFError) -> Response:
    """Render an error."""
    return JSONResponse({"path": request.url.path, "code": error.code}, error.status)


@asynccontextmanager
async def opened(app: Gateway) -> AsyncGenerator[None]:
    """Run beside the gateway."""
    assert app.services[Catalog]
    yield


def mobile() -> Gateway:
    """Return the gateway for phones."""
    return gateway(
        "mobile",
        services=[Catalog, Reviews],
        faces=[views],
        sagas=[Rename],
        limits=[Limit(quota=600)],
        authenticator=FirstOf(SessionAuthenticator, ApiKeyAuthenticator(), Partner()),
        edge=[Maintenance()],
        options=EdgeOptions(cors=CorsOptions(origins=("https://shop.example",))),
        events=Events(sink),
        lifespan=opened,
        version="1.2.3",
        docs_url=None,
        exception_handlers={BFFError: on_error},
        responses={500: {"description": "a bug"}},
    )


def desktop() -> FastAPI:
    """Return the gateway for desktops."""
    return gateway("desktop", services=[Catalog], authenticator=tokens)


def partners() -> Gateway:
    """Return the gateway for partners."""
    return gateway("partners", services=[Catalog], authenticator=Partner)
