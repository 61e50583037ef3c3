"""A short chaos run in every run of the suite; `make chaos` starts longer ones."""

from tests.chaos.__main__ import run
from tests.chaos.invariants import INVARIANTS, NOT_YET
from tests.chaos.run import Plan


def test_invariants_hold_during_failures(tmp_path):
    """Whatever fails, no answer is wrong or late, and all resources are freed."""
    plan = Plan(seed=20, seconds=0.0, calm=0.6, storm=3.5)
    report = run(plan, tmp_path)

    assert report.is_good, f"\n{report.text()}\nmake chaos SEED={plan.seed} MINUTES=0.1"
    assert set(report.checked) == set(INVARIANTS) - set(NOT_YET)
    assert report.counts["failures"] >= 5
    assert report.counts["complete"] > 100
    assert report.counts["degraded"] + report.counts["stale"] > 10
