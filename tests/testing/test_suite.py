"""The suite's own rules: leaked tasks fail, missing programs are named, skips can be forbidden."""

import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.conftest import ALONE, SLOW

CONFTEST = Path(__file__).parent.parent / "conftest.py"

TESTS = """
import asyncio, pytest
from hypothesis import given, settings, strategies

async def forever():
    await asyncio.sleep(1000)

async def test_leaks():
    globals()["leaked"] = asyncio.create_task(forever())

async def test_cleans_up():
    task = asyncio.create_task(forever())
    await asyncio.sleep(0)
    task.cancel()

@pytest.mark.needs("python3", "no-such-program")
async def test_needy():
    pass

@pytest.mark.virtual_time
@settings(database=None)
@given(number=strategies.integers(0, 5000))
async def test_property(number):
    await asyncio.sleep(number)
    assert number < 1000
"""


COUNTS = """
from hypothesis import given, settings, strategies

drawn = []

@settings(database=None)
@given(number=strategies.integers(0, 5000))
def test_draw(number):
    drawn.append(number)

def test_count():
    print(f"{len(drawn)} examples")
"""

TABLE = """
import pytest

@pytest.mark.mostly_slow
@pytest.mark.parametrize("case", range(10))
def test_case(case):
    pass

@pytest.mark.alone
def test_alone():
    pass
"""


def run_suite(folder: Path, *options: str, tests: str = TESTS, **environment: str) -> str:
    """Run tests in a fresh process, under this suite's conftest; return its report."""
    (folder / "conftest.py").write_text(CONFTEST.read_text())
    (folder / "test_it.py").write_text(textwrap.dedent(tests))
    (folder / "test_module.py").write_text('import pytest; pytest.importorskip("no_such_module")')
    known = {key: value for key, value in os.environ.items() if key != "BFF_REQUIRE_ALL"}
    usual = ["-q", "-rA", "-p", "no:cacheprovider", "--continue-on-collection-errors"]
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", *usual, *options, folder],
        cwd=CONFTEST.parent.parent,
        env=known | environment,
        capture_output=True,
        check=False,
    )
    return ended.stdout.decode()


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the report of a developer's run."""
    return run_suite(tmp_path_factory.mktemp("suite"))


@pytest.fixture(scope="module")
def strict_report(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the report where every test has to run."""
    return run_suite(tmp_path_factory.mktemp("strict"), BFF_REQUIRE_ALL="1")


def test_a_task_left_behind_fails_the_test_that_started_it(report: str) -> None:
    """The leak is named by its coroutine; a task that is ending does not count."""
    assert "the test left tasks behind: forever" in report
    assert "FAILED" in line_of(report, "::test_leaks")
    assert "PASSED" in line_of(report, "::test_cleans_up")


def line_of(report: str, test: str) -> str:
    """Return the summary's line on a test."""
    return next(line for line in reversed(report.splitlines()) if test in line)


def test_properties_may_be_asynchronous(report: str) -> None:
    """Under hypothesis each example gets a loop of its own, and a failing one is found."""
    assert "number=1000" in report
    assert "FAILED" in line_of(report, "::test_property")


def test_a_missing_program_skips_visibly(report: str) -> None:
    """The report names the program that a test needs, or the module that a file needs."""
    assert "needs no-such-program, which is not installed" in report
    assert "could not import 'no_such_module'" in report
    assert "2 failed, 1 passed, 2 skipped" in report


def test_a_skip_is_a_failure_where_all_tests_are_required(strict_report: str) -> None:
    """With BFF_REQUIRE_ALL=1 a missing program fails the suite, and so does a missing module."""
    required = "(BFF_REQUIRE_ALL=1 makes a skip a failure)"

    assert f"needs no-such-program, which is not installed {required}" in strict_report
    assert "test_module.py: Skipped: could not import 'no_such_module'" in strict_report
    assert "skipped" not in strict_report.splitlines()[-1]


@pytest.mark.parametrize(("chosen", "examples"), [("not slow", 20), ("not alone", 100)])
def test_fast_tests_draw_fewer_examples(tmp_path: Path, chosen: str, examples: int) -> None:
    """A property is tried out in the fast tests, and searched in the whole suite."""
    report = run_suite(tmp_path, "-m", chosen, tests=COUNTS)

    assert f"{examples} examples" in report


def test_of_a_long_table_each_fifth_case_is_fast(tmp_path: Path) -> None:
    """A rule that holds for many forms is tried out with some; what runs alone is slow."""
    report = run_suite(tmp_path, "-m", "not slow", tests=TABLE)

    assert "2 passed, 1 skipped, 9 deselected" in report
    assert "PASSED" in line_of(report, "test_case[0]")
    assert "PASSED" in line_of(report, "test_case[5]")


def fast_cases() -> list[str]:
    """Return what pytest lists of the fast tests."""
    options = ["--collect-only", "-q", "-m", "not slow"]
    listed = subprocess.run(
        [sys.executable, "-m", "pytest", *options],
        cwd=CONFTEST.parent.parent,
        capture_output=True,
        check=True,
    )
    return listed.stdout.decode().splitlines()


@pytest.fixture(scope="module")
def fast() -> list[str]:
    """Return the fast tests as one process lists them."""
    return fast_cases()


def test_most_cases_are_fast(fast: list[str]) -> None:
    """`make test-fast` runs four fifths of the suite at least."""
    [counts] = re.findall(r"^(\d+)/(\d+) tests collected", fast[-1])

    assert int(counts[0]) >= 0.8 * int(counts[1])


def test_each_case_has_a_name_of_its_own(fast: list[str]) -> None:
    """pytest-xdist runs only one of two cases with the same name."""
    cases = [line for line in fast if "::" in line]

    assert len(set(cases)) == len(cases) > 10_000


def test_each_process_finds_the_same_cases(fast: list[str]) -> None:
    """No name depends on the time, or on the order of a set: pytest-xdist compares them."""
    assert [line for line in fast_cases() if "::" in line] == [one for one in fast if "::" in one]


@pytest.mark.parametrize("name", [*ALONE, *SLOW])
def test_a_place_that_is_marked_exists(name: str) -> None:
    """A file that is renamed does not lose its mark unnoticed."""
    assert (CONFTEST.parent / name).exists()
