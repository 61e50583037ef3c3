"""The shop's services: their names and their ports, in order."""

import importlib
from collections.abc import Mapping

from fastapi import FastAPI

SERVICES = (
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

FIRST_PORT = 9001


def ports(first: int = FIRST_PORT) -> Mapping[str, int]:
    """Return each service's port, counted up from the first."""
    return {name: first + place for place, name in enumerate(SERVICES)}


def create_app(name: str) -> FastAPI:
    """Return one service as an app with its own state; the others are not imported."""
    module = importlib.import_module(f"services_mock.{name}")
    app: FastAPI = module.create_app()
    return app
