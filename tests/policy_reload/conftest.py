"""Processes for what only signals and sockets can show."""

from collections.abc import Iterator

import pytest

from tests.processes.process import Nursery
from tests.processes.site import Site


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Where processes are started and found again."""
    nursery = Nursery()
    yield Site(nursery, tmp_path_factory.mktemp("policies"))
    nursery.close()
