"""Processes that pass web sockets on."""

import os
import resource
from collections.abc import Iterator

import pytest

from tests.server.conftest import depot

__all__ = ["depot"]


MOST = int(os.environ.get("PROXIED_SOCKETS", "1000"))
"""How many web sockets and streams a test has at once."""


@pytest.fixture
def many_descriptors() -> Iterator[None]:
    """Allow as many descriptors as the test and its processes need."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = 2 * MOST + 200
    if hard < needed:
        pytest.skip(f"{needed} descriptors are needed; the hard limit is {hard}: ulimit -Hn")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, needed), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
