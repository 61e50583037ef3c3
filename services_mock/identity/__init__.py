"""The identity service: a mock OpenID provider, where anyone signs in as any user."""

import os
import time
from collections.abc import Callable

from fastapi import FastAPI

from services_mock.identity import authorize, controls, leave, metadata, token
from services_mock.identity.book import Book
from services_mock.identity.clients import seeded
from services_mock.identity.routes import router
from services_mock.service import assemble

__all__ = ["authorize", "controls", "create_app", "leave", "metadata", "token"]


def create_app(issuer: str = "", web: str = "", wall: Callable[[], float] = time.time) -> FastAPI:
    """Return the identity service; the environment has the defaults.

    `issuer` is where browsers and gateways find it (SERVICES_ISSUER), `web` the origin of the web
    gateway (SERVICES_WEB_URL).
    """
    issuer = issuer or os.environ.get("SERVICES_ISSUER") or "http://localhost:9010"
    web = web or os.environ.get("SERVICES_WEB_URL") or "http://localhost:8001"
    lifetime = float(os.environ.get("SERVICES_TOKEN_LIFETIME") or 300)
    return assemble(
        "identity",
        router,
        summary="A mock OpenID provider: any user, no password",
        cache_control="no-store",
        store=Book(issuer.rstrip("/"), seeded(web.rstrip("/")), lifetime=lifetime, wall=wall),
    )
