"""The processes of the shop, for tests that kill them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes.process import ForkServer
from tests.processes.site import Site


@pytest.fixture(scope="session")
def fork_server() -> Iterator[ForkServer]:
    """Fork processes, and end them with the session."""
    fork_server = ForkServer()
    yield fork_server
    fork_server.close()


@pytest.fixture
def site(fork_server: ForkServer, tmp_path: Path) -> Site:
    """Where processes are started and found again."""
    return Site(fork_server, tmp_path)
