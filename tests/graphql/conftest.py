"""Makes the GraphQL shop of these tests importable, and open."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from graph_shop import open_shop  # found by the line above


@pytest.fixture
def shop():
    """Open a shop; to be entered in the test, on its loop."""
    return open_shop
