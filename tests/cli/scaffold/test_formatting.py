"""Generated code is formatted by the ruff of the project, whichever `bff` wrote it."""

import sys
from pathlib import Path

import pytest

from bff_core.cli.scaffold.formatting import format_advice, formatted

RUFF = Path(sys.executable).with_name("ruff")
LONG = "values = call(" + ", ".join(f"argument_{number}" for number in range(9)) + ")\n"


@pytest.fixture(autouse=True)
def bff_of_another_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run with the Python of an environment that has no ruff."""
    monkeypatch.setattr(sys, "executable", str(tmp_path / "other" / "bin" / "python"))
    monkeypatch.setenv("PATH", str(tmp_path / "other" / "bin"))


def test_the_ruff_of_the_project_formats(tmp_path: Path) -> None:
    """The command of another environment writes code that passes `make check`."""
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "ruff").symlink_to(RUFF)

    assert max(map(len, formatted(tmp_path, "bffs/a.py", LONG).splitlines())) <= 88
    assert format_advice(tmp_path) == []


def test_without_ruff_the_next_command_is_make_format(tmp_path: Path) -> None:
    """Code stays as it was rendered, and the user learns how to format it."""
    assert formatted(tmp_path, "bffs/a.py", LONG) == LONG
    assert format_advice(tmp_path) == ["make format"]
