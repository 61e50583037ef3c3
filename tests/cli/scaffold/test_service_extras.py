"""`bff add service` where the libraries for its contract are not installed."""

import subprocess
import sys
from pathlib import Path

from tests.cli.scaffold.projects import Scaffold

WITHOUT = """
import importlib.util, sys
find = importlib.util.find_spec
absent = {"strawberry", "graphql"}
importlib.util.find_spec = lambda name, *_: None if name in absent else find(name)
sys.modules["graphql"] = None
from bff_core_cli import main
main(["add", "service", "library", "--graphql", "../library.graphql", *sys.argv[1:]])
"""
"""A program that runs the verb as in an installation without the extra `graphql`."""


def test_the_extra_is_added_to_the_project(scaffold: Scaffold) -> None:
    """The first run adds it to pyproject.toml, and says how to install it."""
    root = scaffold.init()
    (root.parent / "library.graphql").write_text("type Query { now: String }\n")
    done = run(root)

    assert done.returncode == 2
    assert "pyproject.toml has it now. Run make test, then this command again" in done.stderr
    assert '"bff-core[graphql,openapi] @' in (root / "pyproject.toml").read_text()
    assert not (root / "bffs" / "services" / "library").exists()


def run(root: Path) -> subprocess.CompletedProcess[str]:
    """Run the verb in a project without GraphQL's libraries."""
    return subprocess.run(
        [sys.executable, "-c", WITHOUT],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
