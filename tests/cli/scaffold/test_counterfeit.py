"""Another package of the framework's name, on an index that pip uses, is never installed."""

import http.server
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import distribution, version
from pathlib import Path

import pytest

from tests.cli.scaffold.projects import WHEEL, Scaffold, write_wheel

COUNTERFEIT = "99.0"

BUILD = (
    "editables",
    "hatchling",
    "packaging",
    "pathspec",
    "pluggy",
    "tomlkit",
    "trove-classifiers",
)
"""What builds the project: the index of the test has the packages that are installed here."""


@dataclass(slots=True)
class Index:
    """A package index at a local address, and the paths that were requested of it."""

    folder: Path
    url: str = ""
    requested: list[str] = field(default_factory=list)

    def environ(self) -> dict[str, str]:
        """Return an environment in which pip uses this index only."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
        return {**clean, "PIP_INDEX_URL": self.url, "PIP_NO_CACHE_DIR": "1"}

    def add(self, name: str, release: str) -> None:
        """Offer a small package."""
        module = name.replace("-", "_")
        folder = self.folder / "simple" / name
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{module}-{release}-py3-none-any.whl"
        write_wheel(path, module, release, source=f"SOURCE = 'index, {release}'\n")

    def add_installed(self, name: str) -> None:
        """Offer a package that is installed here."""
        found = distribution(name)
        folder = self.folder / "simple" / name
        folder.mkdir(parents=True, exist_ok=True)
        wheel = f"{name.replace('-', '_')}-{found.version}-py3-none-any.whl"
        with zipfile.ZipFile(folder / wheel, "w") as archive:
            for file in found.files or ():
                if ".." not in file.parts and "__pycache__" not in file.parts:
                    archive.write(str(found.locate_file(file)), str(file))


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    """Serve an index with a counterfeit of the framework, of a higher version."""
    made = Index(tmp_path / "index")
    made.add("bff-core", COUNTERFEIT)
    for tool in ("mypy", "pytest", "ruff"):
        made.add(tool, "99.0")

    class Handler(http.server.SimpleHTTPRequestHandler):
        def do_GET(self) -> None:
            made.requested.append(self.path)
            super().do_GET()

        def log_message(self, *_: object) -> None:
            """Print nothing."""

    handler = partial(Handler, directory=made.folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        made.url = f"http://127.0.0.1:{server.server_port}/simple"
        threading.Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
        yield made
        server.shutdown()


def resolve(index: Index, cwd: Path, *wanted: str) -> dict[str, str]:
    """Return the addresses of the packages that pip would install, by name."""
    report = cwd / "report.json"
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    options = ["--dry-run", "--ignore-installed", "--no-build-isolation", "--report", str(report)]
    subprocess.run(
        [*pip, *options, *wanted],
        cwd=cwd,
        env=index.environ(),
        capture_output=True,
        text=True,
        check=True,
    )
    return {
        one["metadata"]["name"]: one["download_info"]["url"]
        for one in json.loads(report.read_text())["install"]
    }


def install_arguments(root: Path) -> list[str]:
    """Return what `make` has pip install."""
    (found,) = re.findall(r"pip .* install --quiet ([^\\\n]*)", (root / "Makefile").read_text())
    return found.replace("'", "").split()


def test_pip_takes_the_wheel_of_the_project(scaffold: Scaffold, index: Index) -> None:
    """The counterfeit is what its name alone would install; the project never looks for it."""
    root = scaffold.init()
    by_name = resolve(index, root, "bff-core")
    index.requested.clear()

    taken = resolve(index, root, *install_arguments(root))

    assert by_name["bff-core"].startswith(index.url)
    assert taken["bff-core"].startswith((root / "wheels" / WHEEL).as_uri())
    assert taken["mypy"].startswith(index.url)
    assert not [path for path in index.requested if "bff" in path]


def test_a_wheel_that_was_replaced_is_refused(scaffold: Scaffold, index: Index) -> None:
    """The hash in pyproject.toml is compared before anything of the wheel is installed."""
    root = scaffold.init()
    write_wheel(root / "wheels" / WHEEL, stolen="x = 1\n")

    with pytest.raises(subprocess.CalledProcessError) as refused:
        resolve(index, root, *install_arguments(root))

    assert "DO NOT MATCH THE HASHES" in refused.value.stderr


@pytest.mark.slow
@pytest.mark.needs("make")
def test_make_installs_the_wheel_of_the_project(scaffold: Scaffold, index: Index) -> None:
    """`make test` of a new project installs the framework from the folder of the project."""
    for name in BUILD:
        index.add_installed(name)
    root = scaffold.init()
    make = shutil.which("make") or "make"

    subprocess.run(
        [make, ".venv/installed", f"PYTHON={sys.executable}"],
        cwd=root,
        env=index.environ(),
        check=True,
    )

    show = "import importlib.metadata as m; print(m.version('bff-core'), m.version('mypy'))"
    printed = subprocess.run(
        [root / ".venv/bin/python", "-c", show], capture_output=True, text=True, check=True
    )
    assert printed.stdout.split() == [version("bff-core"), "99.0"]
    assert not [path for path in index.requested if "bff" in path]
