"""The processes of the shop, for tests that kill them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes.process import Nursery
from tests.processes.site import Site


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    """Fork processes, and end them with the session."""
    nursery = Nursery()
    yield nursery
    nursery.close()


@pytest.fixture
def site(nursery: Nursery, tmp_path: Path) -> Site:
    """Where processes are started and found again."""
    return Site(nursery, tmp_path)
