"""Fixtures of the scaffold."""

from pathlib import Path

import pytest

from tests.cli.scaffold.projects import Scaffold, make_scaffold


@pytest.fixture
def scaffold(tmp_path: Path) -> Scaffold:
    """Return the verbs, over the project template and a small gateway template."""
    return make_scaffold(tmp_path)
