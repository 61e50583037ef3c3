"""`bff new` in this repository: a further gateway beside web, mobile and desktop."""

import shutil
import tomllib
from difflib import ndiff
from pathlib import Path

import pytest
import yaml

from tests.cli.scaffold.projects import Scaffold, contents

ROOT = Path(__file__).parents[3]
WITHOUT_TABLE = '\n[tool.bff.gateways.mobile]\napp = "bffs.mobile.app:app"\nport = 8002\n'


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Return a copy of the files that a new gateway touches."""
    root = tmp_path / "repository"
    shutil.copytree(ROOT / "bffs", root / "bffs", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "docker-compose.yml", root)
    text = (ROOT / "pyproject.toml").read_text()
    if "gateways" not in tomllib.loads(text)["tool"].get("bff", {}):
        text += WITHOUT_TABLE
    (root / "pyproject.toml").write_text(text)
    return root


def test_a_gateway_is_added_to_the_reference_application(
    scaffold: Scaffold, repository: Path
) -> None:
    """It is in the settings, in Compose and in the layers of imports; its screen is its own."""
    scaffold.new(repository, "kiosk", client="desktop")

    tool = tomllib.loads((repository / "pyproject.toml").read_text())["tool"]
    containers = yaml.safe_load((repository / "docker-compose.yml").read_text())["services"]
    (floors,) = [
        one for one in tool["importlinter"]["contracts"] if one.get("containers") == ["bffs"]
    ]
    record = tomllib.loads((repository / ".bff/scaffold.toml").read_text())
    port = tool["bff"]["gateways"]["kiosk"]["port"]
    assert "kiosk" in floors["layers"][0].split(" | ")
    assert containers["kiosk"]["ports"] == [f"127.0.0.1:{port}:{port}"]
    assert port not in {9001, 9002, 8001, 8002, 8003}
    assert record["units"][0]["values"]["has_home"] is False


def test_all_other_lines_of_the_repository_stay(scaffold: Scaffold, repository: Path) -> None:
    """Long files with many comments are edited without a change of any other line."""
    before = contents(repository)

    scaffold.new(repository, "kiosk", client="desktop")

    after = contents(repository)
    changed = sorted(path for path in before if after[path] != before[path])
    assert changed == ["docker-compose.yml", "pyproject.toml"]
    for path in changed:
        lines = ndiff(before[path].decode().splitlines(), after[path].decode().splitlines())
        removed = [line for line in lines if line.startswith("- ")]
        assert all(line.startswith("- layers = ") for line in removed)
    assert "nothing changed" in scaffold.new(repository, "kiosk").summary
    assert contents(repository) == after
