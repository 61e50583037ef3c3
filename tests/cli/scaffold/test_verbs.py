"""The verbs of the scaffold as they are typed."""

import json
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bff_core.cli.scaffold.render import TEMPLATES
from bff_core_cli import app
from tests.cli.scaffold.projects import Scaffold

with_gateways = pytest.mark.skipif(
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


@with_gateways
def test_a_project_grows_by_one_command_each(run) -> None:
    """A project, a further gateway, and the same again."""
    added = run("new", "tv", "--client", "web", "--graphql", "--port", "8010")
    again = run("new", "tv")

    assert added.exit_code == 0, added.output
    assert "The gateway tv for web clients, at port 8010" in added.output
    assert "make test" in added.output
    assert (again.exit_code, "nothing changed" in again.output) == (0, True)


@with_gateways
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


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["new"], "name a gateway, or --area NAME"),
        (["new", "tv", "--area", "cart"], "it goes with --gateway and --owner only"),
        (["new", "--area", "cart", "--client", "web"], "it goes with --gateway and --owner only"),
        (["new", "tv", "--owner", "@shop/cart"], "--gateway and --owner go with it only"),
        (["new", "tv", "--port", "0"], "greater than or equal to 1"),
        (["init"], "Missing argument"),
        (["init", "shop", "--graphq"], "No such option"),
        (["add", "view"], "Missing argument"),
    ],
)
def test_options_that_do_not_go_together_are_refused(words: list[str], message: str) -> None:
    """Wrong arguments have the status 2, and the message says what goes together."""
    refused = CliRunner().invoke(app, words, env={"COLUMNS": "200"})

    assert refused.exit_code == 2
    assert message in refused.output


@pytest.mark.parametrize(
    "words", [["init"], ["new"], ["add", "screen"], ["add", "view"], ["update"]]
)
def test_each_verb_has_help(words: list[str]) -> None:
    """Every option has a sentence."""
    shown = CliRunner().invoke(app, [*words, "--help"], env={"COLUMNS": "200"})

    assert shown.exit_code == 0
    options = [line for line in shown.output.splitlines() if " --" in line and "Usage" not in line]
    assert options
    assert all(line.rstrip(" │").endswith((".", ")", "]")) for line in options), options


WITHOUT = """
import sys
sys.modules["jinja2"] = None
from bff_core_cli import main
sys.argv = ["bff", "new", "tv", "--client", "web"]
main()
"""


def test_the_missing_extra_is_named() -> None:
    """Someone who has installed the base only reads what to install."""
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT], capture_output=True, text=True, check=False
    )

    assert done.returncode == 2
    assert done.stderr == (
        "bff: this verb needs an extra that is not installed: "
        f"pip install 'wheels/bff_core-{version('bff-core')}-py3-none-any.whl[scaffold]'\n"
    )


def run_verb(*words: str) -> str:
    """Return what a verb prints, errors included."""
    result = CliRunner().invoke(app, [*words])
    return " ".join(result.output.replace("│", " ").split())


def test_messages_have_no_words_of_the_validator() -> None:
    """A wrong word is refused without the prefix of the library that checks it."""
    shown = run_verb("client", "kotlin")

    assert "'kotlin' is not one of 'ts'" in shown
    assert "Value error" not in shown


def test_help_has_no_types_of_python() -> None:
    """An option that may be repeated, and a number with limits, have plain types."""
    shown = run_verb("add", "screen", "--help") + run_verb("init", "--help")

    assert "--part <str>" in shown
    assert "--port <int> [1<=x<=65535]" in shown
    assert "list[" not in shown
