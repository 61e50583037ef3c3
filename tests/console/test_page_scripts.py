"""The parts of the pages that draw nothing, in node."""

import pytest

from tests.console.npm import SOURCES, run


@pytest.mark.needs("node")
def test_the_scripts_do_what_their_tests_say():
    """`node --test` runs the cases of console/test."""
    report = run("node", "--test", "--test-reporter=tap", "test", cwd=SOURCES)

    assert "# fail 0" in report
    assert "# pass 0" not in report
