"""The processes of the shop, for tests that kill them."""

from pathlib import Path

import pytest

from tests.processes.process import ForkServer
from tests.processes.site import Site


@pytest.fixture
def site(fork_server: ForkServer, tmp_path: Path) -> Site:
    """Where processes are started and found again."""
    return Site(fork_server, tmp_path)
