"""A gateway that is served, and its generated client."""

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from bff_core.cli.client import document_of, options_of
from bff_core.cli.gateways import LoadedGateway
from bff_core.codegen.python_client import generate
from tests.codegen.python_client.kiosk_gateway import app
from tests.codegen.python_client.serving import imported, served, written


@pytest.fixture(scope="session")
def kiosk_url() -> Iterator[str]:
    """Serve the gateway, and return its URL."""
    with served(app) as url:
        yield url


@pytest.fixture(scope="session")
def kiosk_files() -> dict[str, str]:
    """Generate the client of the gateway."""
    loaded = LoadedGateway("kiosk", app, None, {})
    return generate(document_of(loaded), options_of("bff client python", loaded))


@pytest.fixture(scope="session")
def kiosk_folder(kiosk_files: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the client, and return the folder that a program would install."""
    return written(kiosk_files, tmp_path_factory.mktemp("client")) / "kiosk-client"


@pytest.fixture(scope="session")
def kiosk(kiosk_folder: Path) -> ModuleType:
    """Import the client."""
    return imported("kiosk_client", kiosk_folder)
