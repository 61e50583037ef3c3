"""Makes the mock of a service from its contract."""

from importlib.resources.abc import Traversable
from pathlib import Path

from bff_core.contracts.openapi import load
from bff_core.mocks.service import MockService


def mock_service(
    contract: str | Path | Traversable,
    *,
    seed: int = 0,
    needs_credentials: bool = True,
    refuses_with: int = 0,
) -> MockService:
    """Return an ASGI app that answers like the service of an OpenAPI document.

    `contract` is the file of the document. Made-up values depend on `seed`. With
    `needs_credentials=False` operations that need credentials do without. `refuses_with` is the
    status for wrong values, such as 422; with 0 it is the one that the contract documents.
    """
    document = load(str(contract))
    return MockService(
        document, seed=seed, needs_credentials=needs_credentials, refuses_with=refuses_with
    )
