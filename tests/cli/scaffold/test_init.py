"""`bff init`: the files of a new project, and what is refused."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from bff_core.cli.errors import CannotRun
from bff_core.cli.scaffold.clients import Answers
from bff_core.cli.scaffold.init import NewProject, init_project
from bff_core.cli.scaffold.names import check_project_name
from bff_core.cli.scaffold.operations import METRICS_PORT
from bff_core.cli.scaffold.wheel import find_wheel, installed_from
from tests.cli.scaffold.projects import (
    WHEEL,
    Scaffold,
    contents,
    make_scaffold,
    write_wheel,
)


def test_a_project_has_all_that_a_team_needs(scaffold: Scaffold) -> None:
    """A gateway, a service, a screen, a mock, tests, and the settings of the usual tools."""
    root = scaffold.init()

    assert contents(root).keys() >= {
        ".dockerignore",
        ".editorconfig",
        ".env.example",
        ".github/workflows/ci.yml",
        ".gitignore",
        ".pre-commit-config.yaml",
        ".vscode/settings.json",
        "Dockerfile",
        "Makefile",
        "README.md",
        "bffs/compositions/home.py",
        "bffs/mobile/app.py",
        "bffs/services/catalog.py",
        "docker-compose.yml",
        "mocks/catalog.py",
        "pyproject.toml",
        "tests/mobile/test_home.py",
        f"wheels/{WHEEL}",
    }


def test_the_files_of_a_project_can_be_read(scaffold: Scaffold) -> None:
    """Each file is valid in its language, and nothing of the template language is left."""
    root = scaffold.init()
    files = {path: text for path, text in contents(root).items() if not path.endswith(".whl")}

    for path, text in files.items():
        assert re.search(rb"\{\{ |\{% ", text) is None, path
        if path.endswith((".yml", ".yaml")):
            assert yaml.safe_load(text), path
        elif path.endswith(".json"):
            assert json.loads(text), path
        elif path.endswith(".toml"):
            assert tomllib.loads(text.decode()), path
        elif path.endswith(".py"):
            compile(text, path, "exec")


def test_the_gateway_is_in_the_settings_of_the_project(scaffold: Scaffold) -> None:
    """`bff dev` and Compose know the gateway and the service, each at a port of its own."""
    root = scaffold.init(client="web")

    table = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["bff"]
    containers = yaml.safe_load((root / "docker-compose.yml").read_text())["services"]
    assert table["gateways"] == {"web": {"app": "bffs.web.app:app", "port": 8001}}
    assert table["services"]["catalog"]["port"] == 9001
    assert set(containers) == {"catalog", "web"}
    assert containers["web"]["depends_on"] == ["catalog"]
    assert containers["web"]["environment"]["BFF_METRICS_PORT"] == str(METRICS_PORT)
    assert containers["web"]["environment"]["BFF_METRICS_HOST"] == "0.0.0.0"


EXISTING = ("ratings=https://ratings.example/v2/", "user_profiles=http://localhost:7001")


@pytest.fixture(scope="module")
def existing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a project over services that exist already."""
    scaffold = make_scaffold(tmp_path_factory.mktemp("existing"))
    wanted = NewProject("shop", scaffold.folder / "shop", wheels=scaffold.wheels, services=EXISTING)
    init_project(wanted)
    return scaffold.folder / "shop"


def test_services_that_exist_take_the_place_of_the_sample(existing: Path) -> None:
    """Nothing of the sample is left in any file, and each program gets the addresses."""
    table = tomllib.loads((existing / "pyproject.toml").read_text())["tool"]["bff"]
    compose = yaml.safe_load((existing / "docker-compose.yml").read_text())
    files = {path: text for path, text in contents(existing).items() if ".whl" not in path}

    assert table["services"] == {
        "ratings": {"url": "https://ratings.example/v2"},
        "user_profiles": {"url": "http://localhost:7001"},
    }
    assert list(compose["services"]) == ["api"]
    assert "depends_on" not in compose["services"]["api"]
    environment = compose["services"]["api"]["environment"]
    address = "${BFF_UPSTREAM_USER_PROFILES:-http://localhost:7001}"
    assert environment["BFF_UPSTREAM_USER_PROFILES"] == address
    assert (
        "# BFF_UPSTREAM_RATINGS=https://ratings.example/v2\n"
        in (existing / ".env.example").read_text()
    )
    assert [path for path, text in files.items() if b"catalog" in text.lower()] == []
    assert [path for path, text in files.items() if b"mock" in text.lower()] == []
    assert [path for path in files if path.startswith(("mocks", "bffs/compositions/home"))] == []


@pytest.mark.slow
@pytest.mark.parametrize(
    "tool",
    [
        ["ruff", "check", "."],
        ["ruff", "format", "--check", "."],
        ["mypy"],
        ["bff_core", "check", "--offline"],
        ["pytest", "-q"],
    ],
)
def test_a_project_without_the_sample_is_sound(existing: Path, tool: list[str]) -> None:
    """`make check` and `make test` pass at once."""
    done = subprocess.run(
        [sys.executable, "-m", *tool], cwd=existing, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr


def test_a_later_gateway_says_that_its_screen_is_to_be_replaced(
    scaffold: Scaffold, existing: Path
) -> None:
    """In a project with screens of its own, a new gateway has no screen that surprises."""
    root = shutil.copytree(existing, scaffold.folder / "copy")

    first, second = scaffold.new(root, "tablet", client="ios"), scaffold.new(root, "web")
    assert "bffs/tablet/home.py has a small screen that calls no service" in first.notes[-1]
    assert "bff add view SCREEN --gateway web" in second.notes[-1]
    assert scaffold.new(root, "empty", client="blank").notes == []


@pytest.mark.parametrize(
    ("service", "message"),
    [
        ("ratings", "write NAME=URL, as in ratings=https://ratings.example"),
        ("ratings=localhost:7001", "write NAME=URL"),
        ('ratings=https://x.example/"', "write NAME=URL"),
        ("ratings=https://${HOST}", "write NAME=URL"),
        ("Ratings=https://ratings.example", "can't be the name of a service.*such as ratings$"),
        ("mobile=https://mobile.example", "'mobile' is a service of the project"),
    ],
)
def test_a_wrong_service_is_refused(scaffold: Scaffold, service: str, message: str) -> None:
    """The error says how a service is written, and no file is written."""
    answers = Answers(client="mobile")
    wanted = NewProject("shop", scaffold.folder / "shop", None, answers, services=(service,))

    with pytest.raises(CannotRun, match=message):
        init_project(wanted)

    assert not (scaffold.folder / "shop").exists()


def test_the_framework_is_required_by_its_wheel(scaffold: Scaffold) -> None:
    """The project names the file and the hash, so that no index can offer another package."""
    root = scaffold.init()

    digest = hashlib.sha256((root / "wheels" / WHEEL).read_bytes()).hexdigest()
    table = tomllib.loads((root / "pyproject.toml").read_text())
    project, uv = table["project"], table["tool"]["uv"]
    named = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    framework = [one for one in named if re.match(r"bff[-_.]core", one)]
    reference = f" @ {{root:uri}}/wheels/{WHEEL}#sha256={digest}"
    assert [one.partition(" @ ")[0] for one in framework] == [
        "bff-core",
        "bff-core[openapi,scaffold]",
    ]
    assert all(one.endswith(reference) for one in framework)
    assert uv["sources"] == {"bff-core": {"path": f"wheels/{WHEEL}"}}


def test_the_settings_of_git_and_docker_let_the_wheel_in(scaffold: Scaffold) -> None:
    """A clone of the project and its image have the wheel."""
    root = scaffold.init()

    assert "!wheels" in (root / ".dockerignore").read_text().splitlines()
    assert not any("whee" in line or ".bff" in line for line in _lines(root / ".gitignore"))
    assert "*.whl binary" in _lines(root / ".gitattributes")


@pytest.mark.parametrize(
    ("options", "extras"),
    [
        ({"graphql": True}, "[graphql]"),
        ({"auth": "bearer", "graphql": True}, "[auth,graphql]"),
        ({"auth": "session"}, "[auth]"),
        ({"auth": "none"}, ""),
    ],
)
def test_the_extras_of_the_gateway_are_required(
    scaffold: Scaffold, options: dict[str, object], extras: str
) -> None:
    """GraphQL and tokens need libraries that a project without them does not install."""
    root = scaffold.init(**options)

    (framework,) = tomllib.loads((root / "pyproject.toml").read_text())["project"]["dependencies"]
    assert framework.partition(" @ ")[0] == f"bff-core{extras}"


PYTHON = """#!/bin/sh
if [ "$1" = -c ]; then exec {python} "$@"; fi
echo "$2" >> ran
mkdir -p .venv/bin && cp "$0" .venv/bin/.new && mv .venv/bin/.new .venv/bin/python
"""


@pytest.fixture
def make_test(scaffold: Scaffold) -> Callable[..., list[str]]:
    """Return a function that edits pyproject.toml, runs `make test`, and returns what it ran."""
    root = scaffold.init()
    python = scaffold.folder / "python"
    python.write_text(PYTHON.format(python=sys.executable))
    python.chmod(0o755)

    def run(old: str = "", new: str = "") -> list[str]:
        path = root / "pyproject.toml"
        path.write_text(path.read_text().replace(old, new, 1) if old else path.read_text())
        (root / "ran").unlink(missing_ok=True)
        later = path.stat().st_mtime_ns + 10**10
        os.utime(path, ns=(later, later))
        command = ["make", "test", f"PYTHON={python}"]
        done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
        return (root / "ran").read_text().split() if done.returncode == 0 else [done.stderr]

    return run


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("[tool.mypy]", "# strict\n[tool.mypy]"),
        ("line-length = 100", "line-length = 90"),
        ("[tool.bff.services.catalog]", "[tool.bff.services.x]\n\n[tool.bff.services.catalog]"),
    ],
)
def test_an_edit_of_settings_installs_nothing(
    make_test: Callable[..., list[str]], old: str, new: str
) -> None:
    """The first command installs; after that, settings may change without a wait."""
    assert make_test() == ["venv", "pip", "pytest"]
    assert make_test(old, new) == ["pytest"]
    assert make_test() == ["pytest"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"bff-core @', '"bff-core[redis] @'),
        ('"mypy>=1.18",', '"mypy>=1.18",\n    "hypothesis>=6",'),
        ('["bffs"]', '["bffs", "shared"]'),
    ],
)
def test_other_dependencies_are_installed(
    make_test: Callable[..., list[str]], old: str, new: str
) -> None:
    """The next command after the edit installs them, once."""
    assert make_test() == ["venv", "pip", "pytest"]
    assert make_test(old, new) == ["venv", "pip", "pytest"]
    assert make_test() == ["pytest"]


def test_a_broken_pyproject_is_an_error(make_test: Callable[..., list[str]]) -> None:
    """`make` does not take an environment for good that it could not check."""
    assert "TOMLDecodeError" in make_test("[tool.mypy]", "[tool.mypy")[0]


def test_containers_run_as_an_ordinary_user_with_a_health_check(scaffold: Scaffold) -> None:
    """The image serves the gateway in production, without rights that it does not need."""
    root = scaffold.init(client="web")

    stage = (root / "Dockerfile").read_text().rpartition("AS program")[2]
    containers = yaml.safe_load((root / "docker-compose.yml").read_text())["services"]
    assert "USER 10001" in stage
    assert "HEALTHCHECK" in stage
    assert 'CMD ["bff", "serve", "bffs.web.app:app"' in stage
    assert all(one["read_only"] and one["cap_drop"] == ["ALL"] for one in containers.values())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("schema", "path"),
    [
        ("vendor.compose-spec", "docker-compose.yml"),
        ("vendor.github-workflows", ".github/workflows/ci.yml"),
    ],
)
def test_files_of_other_tools_fit_their_schemas(scaffold: Scaffold, schema: str, path: str) -> None:
    """Compose and GitHub accept what is generated for them."""
    root = scaffold.init()
    scaffold.new(root, "web")
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema]

    done = subprocess.run([*command, path], cwd=root, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr


def test_a_folder_with_files_is_refused(scaffold: Scaffold) -> None:
    """No file of a user is overwritten; the error names one that is there."""
    folder = scaffold.folder / "shop"
    folder.mkdir()
    (folder / "notes.txt").write_text("mine")

    with pytest.raises(CannotRun, match=r"shop is not empty \(it has notes.txt\)"):
        scaffold.init()

    assert contents(folder) == {"notes.txt": b"mine"}


def test_a_new_repository_becomes_a_project(scaffold: Scaffold) -> None:
    """A folder with nothing but `.git` counts as empty."""
    folder = scaffold.folder / "clone"
    (folder / ".git").mkdir(parents=True)

    scaffold.init("shop", folder)

    assert (folder / "pyproject.toml").is_file()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("My Shop!", "'My Shop!' .*: bff init my-shop$"),
        ("-shop", "bff init shop$"),
        ("teams/shop", "bff init shop --directory teams/shop$"),
        ("Müller", "bff init m-ller$"),
        ("***", "use letters, digits and -$"),
        ("", "use letters, digits and -$"),
        ("a" * 65, "can't be the name"),
        ("pytest", "a package that the project installs.*pytest-bff"),
        ("FastAPI", "a package that the project installs"),
        ("bff_core", "a package that the project installs"),
        *((name, f"{name}-bff$") for name in ("anyio", "click", "pip", "hiredis", "pydantic_core")),
        ("a" * 65, "at most 64 characters: bff init a{64}$"),
    ],
)
def test_a_wrong_name_is_refused_with_a_suggestion(name: str, message: str) -> None:
    """Someone who types a wrong name reads what to type."""
    with pytest.raises(CannotRun, match=message):
        check_project_name(name)


@pytest.mark.parametrize("name", ["shop", "Shop2", "my-shop", "my_shop", "my.shop", "s"])
def test_names_of_distributions_are_accepted(name: str) -> None:
    """All names that a package index accepts are good."""
    assert check_project_name(name) == name


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"client": "moblie"}, r"--client 'moblie' .* \(did you mean mobile\?\)"),
        ({"auth": "sesion"}, r"--auth 'sesion' .* \(did you mean session\?\)"),
        ({"auth": "kerberos"}, "not one of session, bearer, key, none$"),
    ],
)
def test_an_unknown_option_makes_no_project(
    scaffold: Scaffold, options: dict[str, object], message: str
) -> None:
    """A mistyped option is refused before anything is written."""
    with pytest.raises(CannotRun, match=message):
        scaffold.init(**options)

    assert not (scaffold.folder / "shop").exists()


@pytest.mark.parametrize("link", ["{}", "file://{}", "https://wheels.example.com /nowhere {}"])
def test_the_wheel_is_found_where_pip_looks(
    scaffold: Scaffold, monkeypatch: pytest.MonkeyPatch, link: str
) -> None:
    """Someone who has set PIP_FIND_LINKS needs no option."""
    monkeypatch.setenv("PIP_FIND_LINKS", link.format(scaffold.wheels))

    assert find_wheel(None).name == WHEEL


@pytest.mark.parametrize(
    ("direct_url", "folders"),
    [
        ("file:///opt/my%20wheels/bff_core-0.1.0-py3-none-any.whl", ["/opt/my wheels"]),
        ("file:///home/ann/bff-core", []),
        ("https://example.com/bff_core-0.1.0-py3-none-any.whl", []),
        ("", []),
    ],
)
def test_the_wheel_of_the_own_installation_is_found(direct_url: str, folders: list[str]) -> None:
    """Someone who has installed the framework from a wheel needs no option either."""
    assert [str(one) for one in installed_from(direct_url)] == folders


def test_the_wheel_for_all_platforms_is_preferred(scaffold: Scaffold) -> None:
    """A project is cloned to other machines."""
    write_wheel(scaffold.wheels / WHEEL.replace("py3-none-any", "cp311-cp311-linux_x86_64"))

    assert find_wheel(scaffold.wheels).name == WHEEL


def test_without_the_wheel_nothing_is_written(
    scaffold: Scaffold, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error says which file is needed, where it was looked for, and what to do."""
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    (scaffold.wheels / WHEEL).rename(scaffold.wheels / "bff_core-0.0.1-py3-none-any.whl")

    with pytest.raises(CannotRun) as refused:
        scaffold.init()

    for part in (WHEEL.partition("-py3")[0], str(scaffold.wheels), "--wheels DIR"):
        assert part in str(refused.value)
    assert not (scaffold.folder / "shop").exists()


def test_a_broken_wheel_is_refused(scaffold: Scaffold) -> None:
    """A file that is no wheel of bff-core is not copied into a project."""
    (scaffold.wheels / WHEEL).write_bytes(b"no archive")

    with pytest.raises(CannotRun, match="is not a wheel of bff-core"):
        find_wheel(scaffold.wheels)


@pytest.mark.parametrize("lacking", ["RECORD", "bff_core/__init__.py"])
def test_a_wheel_with_parts_missing_is_refused(scaffold: Scaffold, lacking: str) -> None:
    """An archive that pip can't install, or that lacks the framework, is no wheel of it."""
    path = scaffold.wheels / WHEEL
    with zipfile.ZipFile(path) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            if not name.endswith(lacking):
                archive.writestr(name, content)

    with pytest.raises(CannotRun, match="is not a wheel of bff-core"):
        find_wheel(scaffold.wheels)


def test_a_broken_wheel_is_passed_over(scaffold: Scaffold, monkeypatch: pytest.MonkeyPatch) -> None:
    """A further folder of PIP_FIND_LINKS may have a wheel that is whole."""
    other = scaffold.folder / "other"
    other.mkdir()
    (other / WHEEL).write_bytes(b"no archive")
    monkeypatch.setenv("PIP_FIND_LINKS", f"{other} {scaffold.wheels}")

    assert find_wheel(None).content == (scaffold.wheels / WHEEL).read_bytes()


@pytest.mark.skipif(os.name == "nt", reason="symbolic links need rights there")
def test_the_folder_may_be_a_link(scaffold: Scaffold) -> None:
    """A project can be made in an empty folder that lies elsewhere."""
    elsewhere = scaffold.folder / "elsewhere"
    elsewhere.mkdir()
    (scaffold.folder / "shop").symlink_to(elsewhere)

    scaffold.init()

    assert (elsewhere / "Makefile").is_file()


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines()


def test_no_project_inside_a_project(scaffold: Scaffold) -> None:
    """The error says how to add a gateway in place of a second project."""
    root = scaffold.init()

    with pytest.raises(CannotRun, match=r"is inside the project .*bff new"):
        scaffold.init("other", root / "bffs" / "other")


def test_packages_of_node_are_ignored(scaffold: Scaffold) -> None:
    """A client for browsers may be installed in the folder of the project."""
    assert "node_modules/" in (scaffold.init() / ".gitignore").read_text().split()
