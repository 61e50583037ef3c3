"""The identity service: a mock OpenID provider, where anyone signs in as any user."""

import os
import time
from collections.abc import Callable
from urllib.parse import urlsplit

from fastapi import FastAPI

from services_mock.identity import authorize, controls, demo, leave, metadata, token
from services_mock.identity.book import Book
from services_mock.identity.clients import seeded
from services_mock.identity.routes import router
from services_mock.service import assemble

__all__ = ["authorize", "controls", "create_app", "demo", "leave", "metadata", "token"]


def create_app(issuer: str = "", web: str = "", wall: Callable[[], float] = time.time) -> FastAPI:
    """Return the identity service; the environment has the defaults.

    `issuer` is where browsers and gateways find it (SERVICES_ISSUER), `web` the origin of the web
    gateway (SERVICES_WEB_URL).
    """
    issuer = issuer or os.environ.get("SERVICES_ISSUER") or "http://localhost:9010"
    web = web or os.environ.get("SERVICES_WEB_URL") or "http://localhost:8001"
    web = web.rstrip("/")
    lifetime = float(os.environ.get("SERVICES_TOKEN_LIFETIME") or 300)
    return assemble(
        "identity",
        router,
        summary="A mock OpenID provider: any user, no password",
        cache_control="no-store",
        store=Book(
            issuer.rstrip("/"),
            seeded(web),
            lifetime=lifetime,
            wall=wall,
            page_origins=origins_of(web),
        ),
    )


def origins_of(web: str) -> frozenset[str]:
    """Return the origins of the web gateway's pages; this machine has two names."""
    parts = urlsplit(web)
    names = ("localhost", "127.0.0.1")
    if parts.hostname not in names:
        return frozenset({f"{parts.scheme}://{parts.netloc}"})
    port = f":{parts.port}" if parts.port else ""
    return frozenset(f"{parts.scheme}://{name}{port}" for name in names)
