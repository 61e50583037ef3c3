"""The locks under `requirements/`: made for every platform, held to `pyproject.toml` offline."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

HASHES = r"(\nmsgspec==\S+) \\\n(    --hash=\S+( \\)?\n)+"


class Copy:
    """A copy of what the locks are made of, to be changed and checked."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for name in ("scripts", "requirements"):
            shutil.copytree(ROOT / name, root / name)
        shutil.copy(ROOT / "pyproject.toml", root)

    def change(self, file: str, pattern: str, replacement: str) -> None:
        """Replace the first place in a file that fits a pattern; there has to be one."""
        path = self.root / file
        changed, count = re.subn(pattern, replacement, path.read_text(), count=1)
        assert count == 1
        path.write_text(changed)

    def check(self) -> tuple[int, list[str]]:
        """Check the locks; return the exit status and the complaints."""
        command = (sys.executable, "scripts/lock.py", "check")
        done = subprocess.run(command, cwd=self.root, capture_output=True, text=True, check=False)
        return done.returncode, done.stderr.splitlines()


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    """Copy the locks and what they are made from."""
    return Copy(tmp_path)


def test_the_locks_are_fresh_hashed_and_name_no_address(copy):
    """What is committed passes the check."""
    assert copy.check() == (0, [])


def test_a_new_dependency_makes_the_locks_old(copy):
    """A dependency that was added without `make lock` is reported, for each lock."""
    copy.change("pyproject.toml", r"\ndependencies = \[", '\ndependencies = [\n    "six>=1",')

    status, complaints = copy.check()

    assert status == 1
    assert complaints == [
        f"requirements/{name}.txt: older than pyproject.toml; run `make lock`"
        for name in ("dev", "runtime", "build")
    ]


def test_tool_settings_do_not_make_the_locks_old(copy):
    """Another line length is no reason to resolve anything again."""
    copy.change("pyproject.toml", r"line-length = \d+", "line-length = 90")

    assert copy.check() == (0, [])


@pytest.mark.parametrize(
    ("file", "pattern", "replacement", "complaint"),
    [
        (
            "dev",
            HASHES,
            r"\1\n",
            "has no hash for msgspec",
        ),
        ("dev", r"\nmsgspec==", "\n--index-url https://x\nmsgspec==", "names an address"),
        (
            "runtime",
            r"\nmsgspec==\S+",
            r"\nmsgspec==0.0.1",
            "differs from dev.txt in msgspec==0.0.1",
        ),
    ],
)
def test_a_lock_that_was_edited_is_refused(copy, file, pattern, replacement, complaint):
    """A pin without hash, an address or a version of its own does not get through."""
    copy.change(f"requirements/{file}.txt", pattern, replacement)

    assert copy.check() == (1, [f"requirements/{file}.txt: {complaint}"])


@pytest.mark.parametrize("member", ["resolved", "url"])
def test_a_lock_of_npm_names_no_address(copy, member):
    """Each machine installs from the registry that it is configured for."""
    folder = copy.root / "tests" / "peer"
    folder.mkdir(parents=True)
    (folder / "package-lock.json").write_text(f'{{"{member}": "https://x/y.tgz"}}')

    assert copy.check() == (1, ["tests/peer/package-lock.json: names an address"])


@pytest.fixture
def make() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run `make` in the project."""
    # `make test` runs this suite: what it hands down to a make below is not what a user starts.
    outer = {"MAKEFLAGS", "MAKELEVEL", "MFLAGS", "PYTHON", "VENV"}
    environ = {key: value for key, value in os.environ.items() if key not in outer}

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ("make", *words), cwd=ROOT, env=environ, capture_output=True, text=True, check=False
        )

    return run


def test_make_lists_its_commands(make):
    """Bare `make` starts nothing; it lists the commands, one a line with a sentence each."""
    listed = [line.split()[:2] for line in make().stdout.splitlines()]

    assert [["make", name] for name in ("run", "test-fast", "test", "check")] == listed[1:5]


def test_an_old_python_is_refused_in_one_line(make, tmp_path):
    """A Python that is too old is named with its version before anything is created."""
    old = tmp_path / "python3.8"
    old.write_text('#!/bin/sh\ncase "$2" in *exit*) exit 1;; *) echo 3.8;; esac\n')
    old.chmod(0o755)

    done = make("test", f"PYTHON={old}")

    assert done.returncode == 2
    assert done.stderr.splitlines()[0] == (
        f"make: {old} is 3.8; Python 3.11 or newer is needed (make … PYTHON=python3.13)"
    )
    assert not (ROOT / ".venv-3.8").exists()


def test_what_has_no_hash_is_not_installed(copy, tmp_path):
    """The environment is made from hashes only; a failure says why and is not taken for done."""
    copy.change("requirements/dev.txt", r"(?s)\A.*\Z", "msgspec==0.22.0\n")
    venv = tmp_path / "venv"
    command = (sys.executable, "scripts/environment.py", str(venv), "dev")

    first, second = (
        subprocess.run(command, cwd=copy.root, capture_output=True, text=True, check=False)
        for _ in range(2)
    )

    assert (first.returncode, second.returncode) == (1, 1)
    assert "could not install the locked packages" in first.stderr
    assert "--require-hashes" in first.stderr
    assert not list(venv.glob("lib/*/site-packages/msgspec"))
