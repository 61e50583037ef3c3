"""Fixtures for tests with processes, signals and sockets."""

import pytest

from tests.processes.process import ForkServer
from tests.processes.site import Site


@pytest.fixture(scope="session")
def site(fork_server: ForkServer, tmp_path_factory: pytest.TempPathFactory) -> Site:
    """Return the place where processes are started."""
    return Site(fork_server, tmp_path_factory.mktemp("policies"))
