"""Which programs a saved file concerns, and how it is named."""

from pathlib import Path

import pytest

from bff_core.cli.dev.program import Program
from bff_core.cli.dev.saved_files import SavedFiles
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
        ("bffs/web/pages/store/index.html", {"web"}),
        ("bffs/compositions/home.py", ALL),
        ("bffs/scopes.py", ALL),
        ("bffs/services/prices.json", ALL),
        ("settings/policies.toml", ALL),
        ("settings/other.toml", set()),
        ("docker-compose.yml", set()),
        ("api/ratings/1.json", set()),
        ("services_mock/cart.py", {"cart"}),
        ("services_mock/identity/token.py", {"identity"}),
        ("services_mock/answers.py", MOCKS),
        ("services_mock/stores/cart_shelf.py", MOCKS),
    ],
)
def test_a_file_concerns_the_programs_that_use_it(path, concerned):
    """A gateway's own folder that gateway, shared code all gateways, mocks only themselves."""
    environ = {"BFF_POLICIES": "settings/policies.toml", "TERM": "xterm"}

    assert Owners(list(programs().values()), environ).concerned([ROOT / path]) == concerned


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


def test_a_gateway_that_was_just_added_concerns_none_that_runs(tmp_path):
    """`bff new` writes the files of a gateway before `bff dev` is started again."""
    for name in ("web", "tablet", "compositions"):
        (tmp_path / "bffs" / name).mkdir(parents=True)
    for name in ("web", "tablet"):
        (tmp_path / "bffs" / name / "app.py").touch()
    owners = Owners([program(tmp_path, "web", app="bffs.web.app:app")])

    assert owners.concerned([tmp_path / "bffs/tablet/app.py"]) == set()
    assert owners.concerned([tmp_path / "bffs/tablet/home.py"]) == set()
    assert owners.concerned([tmp_path / "bffs/web/home.py"]) == {"web"}
    assert owners.concerned([tmp_path / "bffs/compositions/home.py"]) == {"web"}


def test_code_that_mocks_share_restarts_the_mocks(tmp_path):
    """A module beside those that services run is theirs."""
    (tmp_path / "mocks").mkdir()
    for name in ("stock", "prices", "answers"):
        (tmp_path / "mocks" / f"{name}.py").touch()
    owners = Owners(
        [
            program(tmp_path, "web", app="bffs.web.app:app"),
            program(tmp_path, "stock", command=("python", "-m", "mocks.stock")),
            program(tmp_path, "prices", command=("python", "-m", "mocks.prices")),
        ]
    )

    assert owners.concerned([tmp_path / "mocks/answers.py"]) == {"stock", "prices"}
    assert owners.concerned([tmp_path / "mocks/stock.py"]) == {"stock"}


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


def test_the_file_that_broke_is_named(tmp_path):
    """Of files that were saved together, the error names the one to mend."""
    for name in ("app.py", "home.py"):
        (tmp_path / name).touch()
    saved = SavedFiles(tmp_path)
    saved.add("web", [tmp_path / "app.py"])
    saved.add("web", [tmp_path / "home.py", tmp_path / "old.py"])
    paths = saved.taken("web")

    assert saved.described(paths) == "app.py, home.py saved, old.py deleted"
    assert saved.blamed(paths, ["bff: a:b: home.py, line 2: SyntaxError"]) == [tmp_path / "home.py"]
    assert saved.blamed(paths, ["KeyError"]) == paths
    assert saved.taken("web") == set()


def test_a_message_names_a_few_of_many_saved_files(tmp_path):
    """A branch that is checked out changes thousands."""
    files = [tmp_path / f"m{number:04}.py" for number in range(3000)]
    for one in files:
        one.touch()

    text = SavedFiles(tmp_path).described([*files, tmp_path / "gone.py"])

    assert text == "m0000.py, m0001.py, m0002.py and 2,997 more saved, gone.py deleted"
