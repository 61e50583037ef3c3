"""Fixtures for tests with processes, signals and sockets."""

from collections.abc import Iterator

import pytest

from tests.processes.process import ForkServer
from tests.processes.site import Site


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Return the place where processes are started."""
    fork_server = ForkServer()
    yield Site(fork_server, tmp_path_factory.mktemp("policies"))
    fork_server.close()
