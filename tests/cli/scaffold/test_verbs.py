"""The verbs of the scaffold as they are typed."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bff_core.cli.scaffold.render import TEMPLATES
from bff_core_cli import app
from tests.cli.scaffold.projects import Scaffold

pytestmark = pytest.mark.skipif(
    not (TEMPLATES / "gateway").is_dir(), reason="the templates of gateways are not there"
)


@pytest.fixture
def run(scaffold: Scaffold, monkeypatch: pytest.MonkeyPatch):
    """Return a function that runs a command line in the project `shop`, made by `bff init`."""
    runner = CliRunner()
    monkeypatch.chdir(scaffold.folder)
    made = runner.invoke(app, ["init", "shop", "--wheels", str(scaffold.wheels), "--json"])
    assert made.exit_code == 0, made.output
    assert "bffs/mobile/app.py" in json.loads(made.output)["created"]
    monkeypatch.chdir(scaffold.folder / "shop")
    return lambda *words: runner.invoke(app, words)


def test_a_project_grows_by_one_command_each(run) -> None:
    """A project, a further gateway, and the same again."""
    added = run("new", "tv", "--client", "web", "--graphql", "--port", "8010")
    again = run("new", "tv")

    assert added.exit_code == 0, added.output
    assert "The gateway tv for web clients, at port 8010" in added.output
    assert "make test" in added.output
    assert (again.exit_code, "nothing changed" in again.output) == (0, True)


def test_the_status_of_an_update_shows_conflicts(run) -> None:
    """A script distinguishes a clean update (0) from one with conflicts (1)."""
    clean = run("update", "--dry-run")
    base = Path(".bff/base/bffs/mobile/app.py")
    base.write_text(base.read_text().replace("gateway(", "make("))
    mine = Path("bffs/mobile/app.py")
    mine.write_text(mine.read_text().replace("gateway(", "mine("))

    conflict = run("update", "--json")

    assert (clean.exit_code, "up to date" in clean.output) == (0, True)
    assert conflict.exit_code == 1, conflict.output
    assert json.loads(conflict.output)["conflicts"] == ["bffs/mobile/app.py"]
