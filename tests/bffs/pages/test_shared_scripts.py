"""The modules of the shop's pages that draw nothing, in node."""

from pathlib import Path

import pytest

from tests.console.npm import ROOT, run

CASES = sorted(str(one) for one in Path(__file__).parent.glob("*.test.mjs"))


@pytest.mark.needs("node")
def test_the_scripts_do_what_their_tests_say():
    """`node --test` runs the cases beside this file."""
    report = run("node", "--test", "--test-reporter=tap", *CASES, cwd=ROOT)

    assert "# fail 0" in report
    assert "# pass 0" not in report
