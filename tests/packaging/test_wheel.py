"""The wheel: what is in it, and how much it brings along."""

import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import Distribution, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
DESIGN_CARD = {"fastapi", "httpx", "strawberry-graphql", "tenacity", "cachetools"}
MB = 1_000_000


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """Build the wheel as a release does."""
    folder = tmp_path_factory.mktemp("wheel")
    build = ("wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder))
    subprocess.run([sys.executable, "-m", "pip", *build, str(ROOT)], check=True)
    (found,) = folder.glob("*.whl")
    return zipfile.ZipFile(found)


def test_the_wheel_has_what_users_need(wheel: zipfile.ZipFile):
    """The framework, its types, the command, the pytest plugin, mock services, their data."""
    names = set(wheel.namelist())

    assert {
        "bff_core/py.typed",
        "bff_core/__main__.py",
        "bff_core_cli/__init__.py",
        "bff_core_pytest/__init__.py",
        "services_mock/__main__.py",
        "services_mock/identity/signing.py",
    } <= names
    assert {path.relative_to(ROOT).as_posix() for path in data_files()} <= names


def test_the_wheel_has_nothing_else(wheel: zipfile.ZipFile):
    """No tests, no reference application, no caches."""
    tops = {name.partition("/")[0] for name in wheel.namelist()}
    version = PROJECT["version"]

    assert tops == {
        "bff_core",
        "bff_core_cli",
        "bff_core_pytest",
        "services_mock",
        f"bff_core-{version}.dist-info",
    }
    assert not [name for name in wheel.namelist() if name.endswith(".pyc")]


def data_files() -> list[Path]:
    """Return the files of the packages that are no modules."""
    packages = ("bff_core", "services_mock")
    files = [path for package in packages for path in (ROOT / package).rglob("*")]
    return [path for path in files if path.is_file() and path.suffix not in {".py", ".pyc"}]


def test_the_base_installation_is_small():
    """At most 14 direct dependencies, and 70 MB with all that they need."""
    installed: dict[str, int] = {}
    for requirement in PROJECT["dependencies"]:
        add(installed, Requirement(requirement))
    own = sum(path.stat().st_size for path in (ROOT / "bff_core").rglob("*.py"))

    assert len(PROJECT["dependencies"]) <= 14
    # Python compiles each module into a file of about its size.
    assert sum(installed.values()) + 2 * own < 70 * MB


def add(installed: dict[str, int], requirement: Requirement) -> None:
    """Add the bytes of a requirement, and of what it requires, as pip installs them."""
    if requirement.name in installed:
        return
    found = distribution(requirement.name)
    installed[requirement.name] = size(found)
    for line in found.requires or ():
        needed = Requirement(line)
        extras = ("", *requirement.extras)
        if needed.marker is None or any(needed.marker.evaluate({"extra": one}) for one in extras):
            add(installed, needed)


def size(found: Distribution) -> int:
    """Return the bytes of an installed distribution, its modules counted twice for their caches."""
    paths = [Path(str(found.locate_file(file))) for file in found.files or ()]
    files = [path for path in paths if path.suffix != ".pyc" and path.is_file()]
    return sum(path.stat().st_size * (2 if path.suffix == ".py" else 1) for path in files)


def test_the_packages_of_the_design_are_declared_and_locked():
    """Extras move what some gateways do not need; `make run` installs all of it."""
    extras = [line for lines in PROJECT["optional-dependencies"].values() for line in lines]
    declared = {Requirement(line).name for line in (*PROJECT["dependencies"], *extras)}
    locked = (ROOT / "requirements" / "runtime.txt").read_text()

    assert declared >= DESIGN_CARD
    assert {
        name for name in declared if f"\n{name}==" not in locked.replace("[hiredis]", "")
    } == set()
