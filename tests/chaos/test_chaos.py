"""A short storm in every run of the suite; `make chaos` raises longer ones."""

from tests.chaos.__main__ import run
from tests.chaos.invariants import INVARIANTS, NOT_YET
from tests.chaos.run import Plan


def test_invariants_hold_in_a_storm(tmp_path):
    """Whatever fails, no answer is wrong, none is late, and nothing is left behind."""
    plan = Plan(seed=20, seconds=0.0, calm=0.6, storm=3.5)
    verdict = run(plan, tmp_path)

    assert verdict.is_good, f"\n{verdict.report()}\nmake chaos SEED={plan.seed} MINUTES=0.1"
    assert set(verdict.checked) == set(INVARIANTS) - set(NOT_YET)
    assert verdict.counts["troubles"] >= 5
    assert verdict.counts["complete"] > 100
    assert verdict.counts["degraded"] + verdict.counts["stale"] > 10
