"""The table `[tool.bff]` of a project."""

from pathlib import Path

import pytest

from bff_core.cli.errors import CannotRun
from bff_core.cli.project import find_project
from bff_core_cli.completion import gateways


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
        (
            "[tool.bff.gateways.web]\nport = 1\n",
            "line 1, [tool.bff.gateways.web]: the key 'app' is missing",
        ),
        ("[tool.bff.gateways.web]\napp = 1\nport = 1\n", "Expected `str`, got `int`"),
        ("[tool.bff.services.web]\nprot = 1\n", "unknown key 'prot' (did you mean port?)"),
        ("[tool.bff\n", "can't be read"),
        ("tool = 1\n", "tool is no table: write [tool.bff.gateways.NAME]"),
        ("tool = []\n", "tool is no table"),
        ("[tool]\nbff = 1\n", "Expected `object`, got `int`"),
        (
            '[tool.bff.gateways.web]\napp = "a:b"\nport = -5\n',
            "[tool.bff.gateways.web]: -5 is no port: give a number from 1 to 65535",
        ),
        ("[tool.bff.services.web]\nport = 70000\n", "[tool.bff.services.web]: 70000 is no port"),
    ],
)
def test_a_wrong_table_is_refused(tmp_path: Path, text: str, complaint: str) -> None:
    """The error names the file and what is wrong in it."""
    (tmp_path / "pyproject.toml").write_text(text)

    with pytest.raises(CannotRun) as refused:
        find_project(tmp_path)

    assert str(tmp_path / "pyproject.toml") in str(refused.value)
    assert complaint in str(refused.value)


def test_a_package_inside_a_project_may_have_a_file_of_its_own(tmp_path: Path) -> None:
    """The nearest pyproject.toml with [tool.bff] counts."""
    (tmp_path / "pyproject.toml").write_text(
        '[tool.bff.gateways.mobile]\napp = "bffs.mobile.app:app"\nport = 8002\n'
    )
    inside = tmp_path / "packages" / "money"
    inside.mkdir(parents=True)
    (inside / "pyproject.toml").write_text('[project]\nname = "money"\n')

    assert find_project(inside).root == tmp_path


@pytest.mark.parametrize("text", ["tool = 1\n", "[tool]\nbff = []\n", "[tool.bff]\ngateways = 1\n"])
def test_completion_knows_nothing_of_a_wrong_table(tmp_path, monkeypatch, text) -> None:
    """A key press never ends in a traceback."""
    (tmp_path / "pyproject.toml").write_text(text)
    monkeypatch.chdir(tmp_path)

    assert gateways("") == []


def test_the_known_gateways_are_named(tmp_path: Path) -> None:
    """Someone who mistypes a gateway reads which there are."""
    (tmp_path / "pyproject.toml").write_text(
        '[tool.bff.gateways.mobile]\napp = "bffs.mobile.app:app"\nport = 8002\n'
    )

    with pytest.raises(CannotRun, match=r"no gateway 'mobil' .* it has mobile"):
        find_project(tmp_path).gateway("mobil")


def test_contracts_are_keys_of_the_table(tmp_path: Path) -> None:
    """A service has the contract it was written against, a gateway those of its last release."""
    (tmp_path / "pyproject.toml").write_text(
        '[tool.bff.gateways.web]\napp = "bffs.web.app:app"\nport = 8001\n'
        'contract = "contracts/web.openapi.json"\ngraphql_contract = "contracts/web.graphql"\n'
        "[tool.bff.services.ratings]\nport = 9001\n"
        'contract = "bffs/services/ratings/openapi.json"\ncontract_url = "/openapi.json"\n'
    )

    project = find_project(tmp_path)

    assert project.gateway("web").contract == "contracts/web.openapi.json"
    assert project.gateway("web").graphql_contract == "contracts/web.graphql"
    assert project.services["ratings"].contract == "bffs/services/ratings/openapi.json"
    assert project.services["ratings"].contract_url == "/openapi.json"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (
            '[tool.bff.services.ratings]\nport = 9001\ncontract_ur = "x"\n',
            ", line 3, [tool.bff.services.ratings]: unknown key 'contract_ur' (did you mean contr",
        ),
        (
            '[tool.bff.services.ratings]\ncommand = "x"\n\n[tool.bff.services."other"]\nzzz = 1\n',
            ", line 5, [tool.bff.services.other]: unknown key 'zzz' (it has command, port, url",
        ),
        (
            '[tool.bff.gateways.web]\napp = "a:b"\nport = "x"\n',
            ", line 3, [tool.bff.gateways.web], port: Expected `int`, got `str`",
        ),
        (
            '[tool.bff.gatewys.web]\napp = "a:b"\n',
            ", [tool.bff]: unknown key 'gatewys' (did you mean gateways?)",
        ),
    ],
)
def test_a_mistake_is_named_with_its_line(tmp_path: Path, text: str, complaint: str) -> None:
    """The error has the line, the table by its name, the key, and the one that is meant."""
    (tmp_path / "pyproject.toml").write_text(text)

    with pytest.raises(CannotRun) as refused:
        find_project(tmp_path)

    assert complaint in str(refused.value)
