"""A change of routes that makes them fail is taken back, and any other one stays."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bff_core.policy.edge.rollback import AnswerCount, RollbackGuard


def reasons(before: AnswerCount, statuses: list[int], seconds_apart: float = 0.1) -> list[str]:
    """Return why a change was taken back, with these answers after it."""
    found: list[str] = []
    guard = RollbackGuard(before, ends=100.0 + 30.0, roll_back=found.append)
    for number, status in enumerate(statuses):
        guard.count(status, 100.0 + number * seconds_apart)
    return found


@pytest.mark.parametrize(
    ("before", "statuses"),
    [
        (AnswerCount(1000, 0), [502] * 20),
        (AnswerCount(0, 0), [200] * 100 + [500] * 20),
        (AnswerCount(1000, 100), [502] * 50 + [200] * 50),
        (AnswerCount(1000, 10), [502] * 20 + [200] * 200),
    ],
    ids=["all fail", "a new route", "five times a tenth", "early"],
)
def test_a_change_that_makes_routes_fail_is_taken_back(before, statuses):
    """It is taken back once."""
    assert len(reasons(before, statuses)) == 1


@pytest.mark.parametrize(
    ("before", "statuses", "seconds_apart"),
    [
        (AnswerCount(1000, 0), [502] * 19, 0.1),
        (AnswerCount(1000, 250), [502] * 100 + [200] * 10, 0.1),
        (AnswerCount(1000, 0), [200] * 3000 + [502] * 20, 0.001),
        (AnswerCount(1000, 0), [404, 429, 499] * 100, 0.1),
        (AnswerCount(1000, 0), [502] * 40, 1.6),
    ],
    ids=["19 failures", "it failed before", "few of many", "answers to clients", "too slowly"],
)
def test_any_other_change_stays(before, statuses, seconds_apart):
    """What failed before, fails rarely or fails later is no reason."""
    assert reasons(before, statuses, seconds_apart) == []


def test_the_reason_has_the_figures():
    """An operator reads in the log how much worse it was."""
    (reason,) = reasons(AnswerCount(1000, 10), [200] * 20 + [503] * 20)

    assert reason == "20 of 40 answers failed (50%, before 1%)"


@given(statuses=st.lists(st.sampled_from([200, 302, 404, 500, 502, 504]), max_size=300))
def test_it_is_never_taken_back_twice(statuses):
    """Whatever comes after."""
    assert len(reasons(AnswerCount(500, 3), statuses, 0.01)) <= 1


def test_counts_are_about_the_last_answers():
    """A day without failures does not hide an hour with many."""
    answers = AnswerCount()
    for _ in range(200_000):
        answers.count(200)
    for _ in range(20_000):
        answers.count(503)

    assert answers.ratio > 0.75
    assert answers.total <= 10_000
