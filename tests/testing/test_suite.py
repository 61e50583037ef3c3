"""The suite's own rules: leaked tasks fail, missing programs are named, skips can be forbidden."""

import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

CONFTEST = Path(__file__).parent.parent / "conftest.py"
Suite = Callable[..., str]


@pytest.fixture
def suite(tmp_path: Path) -> Suite:
    """Run the given tests in a fresh process, under this suite's conftest."""

    def run(source: str, **environment: str) -> str:
        (tmp_path / "conftest.py").write_text(CONFTEST.read_text())
        (tmp_path / "test_it.py").write_text("import asyncio, pytest\n" + textwrap.dedent(source))
        known = {key: value for key, value in os.environ.items() if key != "BFF_REQUIRE_ALL"}
        command = [sys.executable, "-m", "pytest", "-q", "-rA", "-p", "no:cacheprovider", tmp_path]
        ended = subprocess.run(  # noqa: PLW1510 # failing is what some of these tests are for
            command, cwd=CONFTEST.parent.parent, env=known | environment, capture_output=True
        )
        return ended.stdout.decode()

    return run


def test_a_task_left_behind_fails_the_test_that_started_it(suite: Suite) -> None:
    """A leak is named by its coroutine."""
    output = suite(
        """
        async def forever():
            await asyncio.sleep(1000)

        async def test_leaks():
            globals()["kept"] = asyncio.create_task(forever())

        def test_next():
            pass
        """
    )

    assert "the test left tasks behind: forever" in output
    assert "1 failed, 1 passed" in output


MISSING = """
@pytest.mark.needs("python3", "no-such-program")
async def test_needy():
    assert False
"""


def test_a_missing_program_skips_visibly(suite: Suite) -> None:
    """The report names the program that a test wants."""
    output = suite(MISSING)

    assert "needs no-such-program, which is not installed" in output
    assert "1 skipped" in output


def test_a_skip_is_a_failure_where_all_tests_are_required(suite: Suite) -> None:
    """With BFF_REQUIRE_ALL=1 a missing program fails the suite."""
    output = suite(MISSING, BFF_REQUIRE_ALL="1")

    assert "needs no-such-program, which is not installed (BFF_REQUIRE_ALL=1" in output
    assert "1 error" in output


def test_a_skipped_module_is_a_failure_where_all_tests_are_required(suite: Suite) -> None:
    """With BFF_REQUIRE_ALL=1 a module cannot leave the suite, either."""
    output = suite('pytest.importorskip("no_such_module")', BFF_REQUIRE_ALL="1")

    assert "could not import 'no_such_module'" in output
    assert "1 error" in output


def test_properties_may_be_asynchronous(suite: Suite) -> None:
    """Under hypothesis each example gets a loop of its own, and a failing one is found."""
    output = suite(
        """
        from hypothesis import given, settings, strategies

        @pytest.mark.virtual_time
        @settings(database=None)
        @given(number=strategies.integers(0, 5000))
        async def test_property(number):
            await asyncio.sleep(number)
            assert number < 1000
        """
    )

    assert "number=1000" in output
    assert "1 failed" in output
