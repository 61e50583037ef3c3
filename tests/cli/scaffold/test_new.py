"""`bff new`: a further gateway, wired into the files of a project."""

import shutil
import tomllib
from concurrent.futures import ThreadPoolExecutor
from difflib import ndiff
from pathlib import Path
from threading import Barrier

import pytest
import yaml

from bff_core.cli.errors import CannotRun
from bff_core.cli.scaffold.clients import Answers
from bff_core.cli.scaffold.init import NewProject, init_project
from bff_core.cli.scaffold.operations import add_operations
from bff_core.cli.scaffold.pyproject import add_import_layer, add_program
from bff_core.cli.scaffold.record import PATH
from bff_core.cli.scaffold.render import TEMPLATES
from bff_core.cli.scaffold.text_files import add_service, add_variables
from tests.cli.scaffold.projects import Scaffold, contents

BLOCK = "  web:\n    image: shop\n"


def test_a_gateway_is_wired_into_the_project(scaffold: Scaffold) -> None:
    """The settings, Compose and the example of the environment have it, beside the first one."""
    root = scaffold.init()

    outcome = scaffold.new(root, "web", client="web")

    gateways = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["bff"]["gateways"]
    containers = yaml.safe_load((root / "docker-compose.yml").read_text())["services"]
    assert {name: one["port"] for name, one in gateways.items()} == {"mobile": 8001, "web": 8002}
    assert containers["web"]["environment"]["PORT"] == "8002"
    assert "# WEB_URL=" in (root / ".env.example").read_text()
    assert outcome.created == [
        "bffs/web/__init__.py",
        "bffs/web/app.py",
        "bffs/web/home.py",
        "tests/web/test_home.py",
    ]
    assert outcome.changed == [".env.example", "docker-compose.yml", "pyproject.toml"]


def test_prometheus_scrapes_a_new_gateway_after_the_command_that_is_named(
    scaffold: Scaffold,
) -> None:
    """The first command of a project with files for operators, and `bff update` between."""
    root = scaffold.init()
    add_operations(start=root)

    outcome = scaffold.new(root, "web", client="web")
    scaffold.update(root)

    assert outcome.next == ["make test", "make run", "bff add operations"]
    assert add_operations(start=root).changed == ["operations/prometheus/prometheus.yml"]
    text = (root / "operations/prometheus/prometheus.yml").read_text()
    assert 'targets: ["mobile:9464", "web:9464"]' in text


def test_the_second_run_changes_nothing(scaffold: Scaffold) -> None:
    """A command that is typed twice does no harm, with and without its options."""
    root = scaffold.init()
    scaffold.new(root, "web", client="web", auth="bearer")
    before = contents(root)

    for options in ({}, {"client": "web", "auth": "bearer"}, {"port": 8002}):
        assert "nothing changed" in scaffold.new(root, "web", **options).summary
    assert contents(root) == before


def test_edits_stay_when_options_change(scaffold: Scaffold) -> None:
    """A gateway that gets GraphQL later has what was written by hand since."""
    root = scaffold.init()
    scaffold.new(root, "web", client="web")
    app = root / "bffs" / "web" / "app.py"
    app.write_text(app.read_text().replace("TIMEOUT = 5", "TIMEOUT = 9"))

    outcome = scaffold.new(root, "web", graphql=True, auth="bearer")

    assert outcome.status == 0
    assert "TIMEOUT = 9" in app.read_text()
    assert "authenticator=bearer()" in app.read_text()
    assert (root / "bffs" / "web" / "schema.py").is_file()
    table = tomllib.loads((root / "pyproject.toml").read_text())
    assert table["tool"]["bff"]["gateways"]["web"]["env"] == {"BFF_AUTH": "demo"}
    assert table["project"]["dependencies"][0].startswith("bff-core[auth,graphql] @ ")


def test_tests_of_a_gateway_that_gets_an_authenticator_need_a_viewer(scaffold: Scaffold) -> None:
    """Views were for all callers before: the verb says what their tests need, and says it once."""
    root = scaffold.init()
    scaffold.new(root, "web", client="web")

    outcome = scaffold.new(root, "web", auth="bearer")
    assert 'viewer=Viewer("1")' in outcome.notes[-1]
    assert scaffold.new(root, "web", auth="key").notes == []


def test_the_first_container_follows_its_heading() -> None:
    """A file without services gets the first one without an empty line before it."""
    assert add_service("services:\n", "web", BLOCK) == f"services:\n{BLOCK}"
    assert add_service("services:", "web", BLOCK) == f"services:\n{BLOCK}"
    assert add_service("services:\n  db: {}\n", "web", BLOCK) == (
        f"services:\n  db: {{}}\n\n{BLOCK}"
    )


def test_other_lines_stay_as_they_were(scaffold: Scaffold) -> None:
    """Comments, order and layout of shared files are those of the user, byte for byte."""
    root = scaffold.init()
    shared = [root / "pyproject.toml", root / "docker-compose.yml", root / ".env.example"]
    for path in shared:
        path.write_text(path.read_text() + "\n#  my   comment\n")
    before = {path: path.read_text().splitlines() for path in shared}

    scaffold.new(root, "web", client="web")

    for path in shared:
        changes = list(ndiff(before[path], path.read_text().splitlines()))
        assert [line for line in changes if line.startswith("- ")] == []
        assert any(line.startswith("+ ") for line in changes)


def test_windows_line_ends_stay(scaffold: Scaffold) -> None:
    """What is inserted has the line ends of the file."""
    root = scaffold.init()
    shared = [root / "pyproject.toml", root / "docker-compose.yml", root / ".env.example"]
    for path in shared:
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))

    scaffold.new(root, "web", client="web")

    for path in shared:
        assert b"web" in path.read_bytes().lower()
        assert b"\n" not in path.read_bytes().replace(b"\r\n", b"")


def test_a_free_port_is_chosen(scaffold: Scaffold) -> None:
    """No two programs of a project listen at one port, those of Compose included."""
    root = scaffold.init(port=8002)
    compose = root / "docker-compose.yml"
    compose.write_text(compose.read_text() + '  cache:\n    ports: ["127.0.0.1:8001:6379"]\n')

    scaffold.new(root, "web", client="web")

    gateways = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["bff"]["gateways"]
    assert gateways["web"]["port"] == 8003


def delete_table(root: Path, name: str) -> None:
    """Delete the table of a gateway, as users do by hand."""
    path = root / "pyproject.toml"
    before, header, rest = path.read_text().partition(f"[tool.bff.gateways.{name}]\n")
    assert header
    path.write_text(before + rest[rest.index("\n[") + 1 :])


@pytest.mark.parametrize("options", [{}, {"auth": "bearer", "port": 8007}])
def test_a_deleted_gateway_can_be_made_again(
    scaffold: Scaffold, options: dict[str, object]
) -> None:
    """Who deletes a gateway by hand may change their mind, and choose other options."""
    root = scaffold.init()
    scaffold.new(root, "web")
    for folder in ("bffs", "tests"):
        shutil.rmtree(root / folder / "web")
    delete_table(root, "web")

    outcome = scaffold.new(root, "web", **options)

    gateways = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["bff"]["gateways"]
    assert "bffs/web/app.py" in outcome.created
    assert gateways["web"]["port"] == options.get("port", 8002)
    assert scaffold.update(root).conflicts == []


def test_a_gateway_written_by_hand_is_no_renamed_one(scaffold: Scaffold) -> None:
    """Who deletes a generated gateway may have one of their own, which is not touched."""
    root = scaffold.init()
    scaffold.new(root, "web")
    (root / "bffs/mine").mkdir()
    (root / "bffs/mine/app.py").write_text("from fastapi import FastAPI\n\napp = FastAPI()\n")
    table = root / "pyproject.toml"
    table.write_text(f'{table.read_text()}\n[tool.bff.gateways.mine]\napp = "m:a"\nport = 7001\n')
    for folder in ("bffs", "tests"):
        shutil.rmtree(root / folder / "web")
    delete_table(root, "web")

    scaffold.new(root, "web")

    units = tomllib.loads((root / PATH).read_text())["units"]
    assert [one["name"] for one in units] == ["shop", "mobile", "web"]


def test_half_a_gateway_is_refused(scaffold: Scaffold) -> None:
    """If only its folder or only its table is gone, the error says which half is missing."""
    root = scaffold.init()
    scaffold.new(root, "web")
    shutil.move(root / "bffs/web", root / "away")
    with pytest.raises(CannotRun, match="bffs/web is gone: restore it, or delete both"):
        scaffold.new(root, "web", auth="bearer")

    shutil.move(root / "away", root / "bffs/web")
    delete_table(root, "web")
    with pytest.raises(CannotRun, match=r"pyproject\.toml is gone: restore it, or delete both"):
        scaffold.new(root, "web", auth="bearer")


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("tablet", {}, r"which client is tablet for\? bff new tablet --client web\|mobile"),
        ("Tablet", {"client": "ios"}, "such as tablet$"),
        ("my-tablet", {"client": "ios"}, "such as my_tablet$"),
        ("class", {"client": "ios"}, "such as class_$"),
        ("2d", {"client": "ios"}, "such as d$"),
        ("bff", {"client": "ios"}, "variables that begin with BFF_ are settings"),
        ("bff_web", {"client": "ios"}, "variables that begin with BFF_ are settings"),
        ("a" * 65, {"client": "ios"}, "at most 64 characters"),
        ("services", {"client": "ios"}, "is a folder of the project"),
        ("catalog", {"client": "ios"}, "'catalog' is a service of the project"),
        ("tablet", {"client": "tablet"}, "--client 'tablet' is not one of web, mobile"),
        ("tablet", {"client": "ios", "port": 9001}, "port 9001 is used by another program"),
    ],
)
def test_a_wrong_gateway_is_refused(
    scaffold: Scaffold, name: str, options: dict[str, object], message: str
) -> None:
    """The error says what to type, and nothing is written."""
    root = scaffold.init()
    before = contents(root)

    with pytest.raises(CannotRun, match=message):
        scaffold.new(root, name, **options)

    assert contents(root) == before


@pytest.mark.parametrize(
    ("gateway", "answers", "message"),
    [
        ("mobile", {"port": 9001}, "port 9001 is used by another program"),
        ("mobile", {"port": 9010, "auth": "session"}, "port 9010 is used by another program"),
        ("identity", {"auth": "session", "client": "web"}, "'identity' is a service"),
    ],
)
def test_the_first_gateway_is_no_other_program(
    tmp_path: Path, scaffold: Scaffold, gateway: str, answers: dict[str, object], message: str
) -> None:
    """Name and port of the first gateway are not those of a mock, and nothing is written."""
    wanted = NewProject(
        "shop", tmp_path / "shop", gateway, Answers(**answers), wheels=scaffold.wheels
    )

    with pytest.raises(CannotRun, match=message):
        init_project(wanted)

    assert not (tmp_path / "shop").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"port": 9001}, "port 9001 is used by another program"),
        ({"port": 8002}, "port 8002 is used by another program"),
        ({"auth": "session"}, "port 9010 is used by another program"),
        ({"auth": "session", "port": 9010}, "port 9010 is used by another program"),
    ],
)
def test_a_port_that_is_taken_is_no_new_option(
    tmp_path: Path, scaffold: Scaffold, options: dict[str, object], message: str
) -> None:
    """A gateway does not get the port of another one, nor does the mock that it needs."""
    scaffold = Scaffold(tmp_path, TEMPLATES, scaffold.wheels)
    root = scaffold.init()
    scaffold.new(root, "web", port=8002)
    scaffold.new(root, "ios", port=9010)
    before = contents(root)

    with pytest.raises(CannotRun, match=message):
        scaffold.new(root, "mobile", **options)

    assert contents(root) == before


@pytest.mark.parametrize(
    "text",
    [
        'project = "x"\n',
        "[project]\ndependencies = [1]\n",
        '[project]\ndependencies = "bff-core"\n',
    ],
)
@pytest.mark.parametrize(
    "tool", ["importlinter = 3\n", "[tool.importlinter]\ncontracts = [1]\n", ""]
)
def test_tables_of_other_tools_may_have_any_shape(scaffold: Scaffold, text: str, tool: str) -> None:
    """What other tools refuse is no error here."""
    root = scaffold.init()
    tool = tool.replace("importlinter =", "[tool]\nimportlinter =")
    (root / "pyproject.toml").write_text(f"{text}\n{tool}\n[tool.bff.services]\n")

    scaffold.new(root, "web")

    table = tomllib.loads((root / "pyproject.toml").read_text())
    assert table["tool"]["bff"]["gateways"]["web"]["port"] == 8002


@pytest.mark.parametrize("name", ["docker-compose.yml", "pyproject.toml"])
def test_an_unresolved_merge_comes_first(scaffold: Scaffold, name: str) -> None:
    """A gateway is not added to a file with conflict markers."""
    root = scaffold.init()
    compose = root / name
    compose.write_text(f"{compose.read_text()}<<<<<<< yours\n=======\n>>>>>>> new template\n")
    before = contents(root)

    with pytest.raises(CannotRun, match=rf"{name}.* has conflicts"):
        scaffold.new(root, "web")

    assert contents(root) == before


def test_gateways_can_be_added_at_once(scaffold: Scaffold) -> None:
    """Verbs of two terminals wait for each other; each gateway has a port and is recorded."""
    root = scaffold.init()
    names = ("web", "ios", "android", "desktop")
    at_once = Barrier(len(names))

    def add(name: str) -> None:
        at_once.wait()
        scaffold.new(root, name)

    with ThreadPoolExecutor(len(names)) as pool:
        list(pool.map(add, names))

    gateways = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["bff"]["gateways"]
    units = tomllib.loads((root / PATH).read_text())["units"]
    assert {one["name"] for one in units} == {"shop", "mobile", *names}
    assert sorted(one["port"] for one in gateways.values()) == [*range(8001, 8006)]


def test_a_gateway_of_the_user_is_not_overwritten(scaffold: Scaffold) -> None:
    """A folder that was written by hand stays as it is."""
    root = scaffold.init()
    (root / "bffs" / "web").mkdir()
    (root / "bffs" / "web" / "app.py").write_text("mine")
    before = contents(root)

    with pytest.raises(CannotRun, match="has a gateway 'web' that `bff` did not generate"):
        scaffold.new(root, "web")

    assert contents(root) == before


def test_an_error_leaves_nothing_half_written(scaffold: Scaffold) -> None:
    """If one file can't be written, those before it are as they were."""
    root = scaffold.init()
    (root / "tests" / "web").write_text("a file where the folder of the tests has to be")
    before = contents(root)

    with pytest.raises(CannotRun, match=r"nothing was changed: .*tests/web"):
        scaffold.new(root, "web")

    assert contents(root) == before
    assert not (root / "bffs" / "web").exists()


def test_a_project_without_compose_gets_a_gateway(scaffold: Scaffold) -> None:
    """Files that a team does not use need not be there."""
    root = scaffold.init()
    (root / "docker-compose.yml").unlink()
    (root / ".env.example").unlink()

    outcome = scaffold.new(root, "web")

    assert outcome.notes == []
    assert not (root / "docker-compose.yml").exists()
    assert not (root / ".env.example").exists()
    assert (root / "bffs" / "web" / "app.py").is_file()


def test_a_foreign_compose_file_is_left_alone(scaffold: Scaffold) -> None:
    """Without the anchors that the service needs, the user gets it to paste."""
    root = scaffold.init()
    (root / "docker-compose.yml").write_text("services:\n  db:\n    image: postgres\n")

    outcome = scaffold.new(root, "web")

    (note,) = outcome.notes
    assert "docker-compose.yml was not changed: it has no anchor &gateway" in note
    assert "<<: *gateway" in note
    assert "web" not in (root / "docker-compose.yml").read_text()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[tool.bff]\n",
        "[tool.bff.services.a]\nport = 1\n\n# about b\n[tool.b]\nx = 1\n",
        '[tool.bff.gateways.a]\napp = "a:a"\nport = 1\n\n[tool.bff.gateways.a.env]\nA = "b"\n',
        '[tool.bff.gateways]\na = { app = "a:a", port = 1 }\n\n[tool.b]\nx = 1\n',
        '[tool.bff]\ngateways = { a = { app = "a:a", port = 1 } }\n\n[tool.b]\nx = 1\n',
        '[tool.bff.gateways.a]\napp = "a:a"\nport = 1',
        '[project]\nabout = """\n[tool.bff.gateways.z]\n"""\n',
    ],
)
def test_a_gateway_is_added_to_tables_of_each_form(text: str) -> None:
    """The table of the new gateway is there, and all others are as they were."""
    entry = {"app": "w:w", "port": 2, "env": {"B": "c"}}

    edited = tomllib.loads(add_program(text, "gateways", "w", entry))

    assert edited["tool"]["bff"]["gateways"].pop("w") == entry
    expected = tomllib.loads(text)
    expected.setdefault("tool", {}).setdefault("bff", {}).setdefault("gateways", {})
    assert edited == expected


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        ('["web | mobile", "services"]', ["web | mobile | tv", "services"]),
        ('["web : mobile"]', ["web : mobile | tv"]),
        ('["web | tv"]', ["web | tv"]),
        ('["shop"]', ["shop"]),
    ],
)
def test_the_layers_of_imports_list_the_gateway(layers: str, expected: list[str]) -> None:
    """A project whose import-linter lists its gateways stays free of findings."""
    text = (
        '[tool.bff.gateways.web]\napp = "w:w"\nport = 1\n\n[[tool.importlinter.contracts]]\n'
        f'containers = ["bffs"]\nlayers = {layers}\nexhaustive = true  # all of them\n'
    )

    edited = add_import_layer(text, "tv")

    assert tomllib.loads(edited)["tool"]["importlinter"]["contracts"][0]["layers"] == expected
    assert edited.count("# all of them") == 1


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("services:\n  a:\n    image: x\n", ""),
        ("services:\n  a:\n    image: x\n    # the last line\n", "\nvolumes:\n  data:\n"),
        (
            "services: # all\n  a:\n    image: x\n",
            "\n# What follows is not a service.\nnetworks:\n",
        ),
    ],
)
def test_a_service_goes_to_the_end_of_the_services(before: str, after: str) -> None:
    """Sections behind the services, and their comments, stay where they are."""
    assert add_service(before + after, "web", BLOCK) == f"{before}\n{BLOCK}{after}"


def test_a_known_service_is_not_added_again() -> None:
    """The service of a user, of the same name, stays."""
    text = "services:\n  web:\n    image: mine\n"

    assert add_service(text, "web", BLOCK) == text


def test_a_service_has_the_indent_of_the_file() -> None:
    """A Compose file that is indented by four spaces stays valid."""
    text = "services:\n    a:\n        image: x\n"

    edited = add_service(text, "web", BLOCK)

    assert edited == f"{text}\n    web:\n        image: shop\n"
    assert add_service(edited, "web", BLOCK) == edited


@pytest.mark.parametrize("other", ["networks:\n  web:\n", "x-all:\n  web: 1\n"])
def test_a_network_of_the_same_name_is_no_service(other: str) -> None:
    """Sections beside the services may use the name of a gateway."""
    for text in (
        f"{other}services:\n  a:\n    image: x\n",
        f"services:\n  a:\n    web: 1\n{other}",
    ):
        assert yaml.safe_load(add_service(text, "web", BLOCK))["services"]["web"]


def test_known_variables_are_not_added_again() -> None:
    """Each variable stands once in the example of the environment."""
    text = "# one\nA=1\n"

    assert add_variables(text, "# other one\nA=2\n\n# new\n# B=\n") == "# one\nA=1\n\n# new\n# B=\n"


def test_a_folder_inside_the_project_is_good_enough(scaffold: Scaffold) -> None:
    """The verb finds the project from each of its folders."""
    root = scaffold.init()

    scaffold.new(root / "bffs" / "mobile", "web")

    assert (root / "bffs" / "web" / "app.py").is_file()


def test_outside_a_project_the_error_says_what_to_do(scaffold: Scaffold, tmp_path: Path) -> None:
    """Someone in the wrong folder reads how to make a project."""
    with pytest.raises(CannotRun, match="make one: bff init NAME"):
        scaffold.new(tmp_path, "web")
