"""Which failures get a second try in CI, and what becomes of them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

CONFTEST = """
import os
from tests.second_try import SecondTry

def pytest_configure(config):
    config.addinivalue_line("markers", "slow: one that may get a second try")
    if os.environ.get("SECOND_TRY") == "1":
        config.pluginmanager.register(SecondTry())
"""

TESTS = """
from pathlib import Path
import pytest

def fail_once(name):
    earlier = Path(name)
    is_second = earlier.exists()
    earlier.touch()
    assert is_second

@pytest.mark.slow
def test_slow_once(): fail_once("slow")

@pytest.mark.slow
@pytest.mark.parametrize("number", range(4))
def test_many(number): fail_once(f"many-{number}")

@pytest.mark.slow
def test_always(): assert not "wrong"

def test_quick_once(): fail_once("quick")
"""


@pytest.fixture
def run(tmp_path):
    """Return what runs tests by name in a folder of their own."""
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "test_it.py").write_text(TESTS)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")

    def run_tests(*names: str) -> subprocess.CompletedProcess[str]:
        environ = {**os.environ, "PYTHONPATH": str(ROOT), "SECOND_TRY": "1"}
        command = [sys.executable, "-m", "pytest", "-n", "1", "-k", " or ".join(names)]
        return subprocess.run(
            command, check=False, cwd=tmp_path, env=environ, capture_output=True, text=True
        )

    return run_tests


def test_a_test_that_holds_sometimes_is_named(run):
    """The run passes, and says which test it was."""
    ended = run("slow_once")

    assert ended.returncode == 0, ended.stdout
    assert "UNSTEADY: test_it.py::test_slow_once failed" in ended.stdout


@pytest.mark.parametrize(
    "names",
    [("always",), ("quick_once",), ("slow_once", "quick_once"), ("many",), ("slow_once", "always")],
    ids="+".join,
)
def test_other_failures_stand(run, names):
    """One that fails twice, one without real processes, four at once."""
    ended = run(*names)

    assert ended.returncode == 1, ended.stdout
    assert "UNSTEADY" not in ended.stdout
