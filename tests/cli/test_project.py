"""The table `[tool.bff]` of a project."""

from pathlib import Path

import pytest

from bff_core.cli.errors import CannotRun
from bff_core.cli.project import find_project


def test_a_project_is_found_from_a_folder_inside(tmp_path: Path) -> None:
    """A verb works in every folder of a project."""
    (tmp_path / "pyproject.toml").write_text(
        '[tool.bff.gateways.mobile]\napp = "bffs.mobile.app:app"\nport = 8002\n'
    )
    inside = tmp_path / "bffs" / "mobile"
    inside.mkdir(parents=True)

    project = find_project(inside)

    assert project.root == tmp_path
    assert project.gateway("mobile").port == 8002


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[project]\nname = 'shop'\n", "no table [tool.bff.gateways.NAME]"),
        ("[tool.bff.gateways.web]\nport = 1\n", "missing required field `app`"),
        ("[tool.bff.gateways.web]\napp = 1\nport = 1\n", "Expected `str`, got `int`"),
        ("[tool.bff.services.web]\nprot = 1\n", "unknown field `prot`"),
        ("[tool.bff\n", "can't be read"),
    ],
)
def test_a_wrong_table_is_refused(tmp_path: Path, text: str, complaint: str) -> None:
    """The error names the file and what is wrong in it."""
    (tmp_path / "pyproject.toml").write_text(text)

    with pytest.raises(CannotRun) as refused:
        find_project(tmp_path)

    assert str(tmp_path / "pyproject.toml") in str(refused.value)
    assert complaint in str(refused.value)


def test_the_known_gateways_are_named(tmp_path: Path) -> None:
    """Someone who mistypes a gateway reads which there are."""
    (tmp_path / "pyproject.toml").write_text(
        '[tool.bff.gateways.mobile]\napp = "bffs.mobile.app:app"\nport = 8002\n'
    )

    with pytest.raises(CannotRun, match=r"no gateway 'mobil' .* it has mobile"):
        find_project(tmp_path).gateway("mobil")
