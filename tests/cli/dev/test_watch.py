"""Which programs a saved file concerns."""

from pathlib import Path

import pytest

from bff_core.cli.dev.program import Program
from bff_core.cli.dev.watch import Owners, is_read
from bff_core.cli.ports import Port
from tests.reference_project import programs

ROOT = Path(__file__).parents[3]
ALL = {"web", "mobile", "desktop"}
MOCKS = programs().keys() - ALL


@pytest.mark.parametrize(
    ("path", "concerned"),
    [
        ("bffs/mobile/home.py", {"mobile"}),
        ("bffs/web/page/page.js", {"web"}),
        ("bffs/compositions/home.py", ALL),
        ("bffs/scopes.py", ALL),
        ("settings/policies.toml", ALL),
        ("services_mock/cart.py", {"cart"}),
        ("services_mock/identity/token.py", {"identity"}),
        ("services_mock/answers.py", MOCKS),
        ("services_mock/stores/cart_shelf.py", MOCKS),
    ],
)
def test_a_file_concerns_the_programs_that_use_it(path, concerned):
    """A gateway's own folder that gateway, shared code all gateways, mocks only themselves."""
    assert Owners(list(programs().values())).concerned([ROOT / path]) == concerned


def program(root: Path, name: str, *, app: str = "", command: tuple[str, ...] = ()) -> Program:
    return Program(name=name, port=Port(1, "P"), ready="/", root=root, app=app, command=command)


def test_gateways_in_one_folder_own_their_modules(tmp_path):
    """Two apps beside each other share everything else of the folder."""
    for name in ("web", "mobile", "shared"):
        (tmp_path / f"{name}.py").touch()
    owners = Owners([program(tmp_path, name, app=f"{name}:app") for name in ("web", "mobile")])

    assert owners.concerned([tmp_path / "web.py"]) == {"web"}
    assert owners.concerned([tmp_path / "shared.py"]) == {"web", "mobile"}


def test_a_service_in_another_language_is_found_by_its_file(tmp_path):
    """`node mocks/stock.js` is started again when that file is saved; no gateway is."""
    (tmp_path / "mocks").mkdir()
    (tmp_path / "mocks" / "stock.js").touch()
    owners = Owners(
        [
            program(tmp_path, "web", app="web:app"),
            program(tmp_path, "stock", command=("node", "mocks/stock.js", "9001")),
        ]
    )

    assert owners.concerned([tmp_path / "mocks" / "stock.js"]) == {"stock"}


@pytest.mark.parametrize(
    ("path", "is_wanted"),
    [
        ("bffs/mobile/home.py", True),
        ("shop.py", True),
        (".env", True),
        ("pyproject.toml", True),
        ("bff-journal.sqlite3", False),
        ("bffs/mobile/home.py.swp", False),
        ("tests/test_home.py", False),
        ("node_modules/a/index.js", False),
        (".venv/lib/a.py", False),
    ],
)
def test_only_files_that_a_program_reads_are_watched(tmp_path, path, is_wanted):
    """A test, a database or a package restarts nothing."""
    assert is_read(tmp_path / path, tmp_path) is is_wanted


def test_an_environment_of_any_name_is_not_watched(tmp_path):
    """It is known by its `pyvenv.cfg`."""
    (tmp_path / "env311").mkdir()
    (tmp_path / "env311" / "pyvenv.cfg").touch()

    assert not is_read(tmp_path / "env311" / "a.py", tmp_path)
