"""Generated gateways are linted, typed strictly, and pass their own tests at once.

The project has a gateway for each two options; with ALL_TEMPLATES=1 (`make test-templates`) it has
one for each combination of options.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.templates.combinations import project_of, wanted, write

pytestmark = pytest.mark.slow

CODE = ("bffs", "mocks", "tests")


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    """Return the folder of a project with all these gateways."""
    folder = tmp_path_factory.mktemp("generated") / "shop"
    write(project_of(wanted()), folder)
    return folder


def run(folder: Path, *module: str) -> str:
    """Run a Python module in a folder; its output is the error if it fails."""
    done = subprocess.run(
        [sys.executable, "-m", *module],
        cwd=folder,
        env={key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_generated_code_is_linted_and_formatted(project) -> None:
    """The rules of the project, which are nearly all of ruff's, find nothing."""
    run(project, "ruff", "check", "--no-cache", *CODE)
    run(project, "ruff", "format", "--no-cache", "--check", *CODE)


def test_generated_code_is_typed(project, pytestconfig) -> None:
    """`mypy --strict` accepts gateways, mocks and tests."""
    cache = pytestconfig.cache.mkdir("mypy-of-templates")

    run(project, "mypy", "--cache-dir", str(cache))


def test_generated_tests_pass(project) -> None:
    """The tests of each gateway are green before anything is edited."""
    output = run(project, "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist")

    tests = int(re.search(r"(\d+) passed", output)[1])
    assert tests > 5 * len(wanted())
    assert not re.search(r"skipped|warning", output)
