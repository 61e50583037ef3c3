"""Objectives of views: what their text may be, and which answers are good."""

import re

import pytest

from bff_core import objective
from bff_core.errors import ConfigurationError
from bff_core.objective import Objective, objective_of, parsed_objective


@pytest.mark.parametrize(
    ("text", "share", "seconds", "needs_complete"),
    [
        ("complete 99.5 %, ≤ 300 ms", 0.995, 0.3, True),
        ("complete 99.5%, <= 0.3 s", 0.995, 0.3, True),
        ("≤ 1.5s, complete 90 %", 0.9, 1.5, True),
        ("complete 99.999 %", 0.99999, None, True),
        ("≤ 300 ms", 0.99, 0.3, False),
        ("<=300ms", 0.99, 0.3, False),
    ],
)
def test_an_objective_is_a_share_a_time_or_both(text, share, seconds, needs_complete):
    """Either order, either sign, either unit."""
    assert parsed_objective(text) == Objective(text, pytest.approx(share), seconds, needs_complete)


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("", "one half of it"),
        ("complete 99.5 %,", "one half of it"),
        ("complete 99,5 %", "with a point"),
        ("99.5 %", 'write the share as "complete 99.5 %"'),
        ("complete 99.5", "add the sign"),
        ("complete 99.5 % ≤ 300 ms", "put a comma between"),
        ("complete 99.5 %; <= 0.3 s", "put a comma between"),
        ("≤ 300", "add the unit, ms or s"),
        ("< 300 ms", 'write the time as "≤ 300 ms"'),
        ("300 ms", 'write the time as "≤ 300 ms"'),
        ("p95 of 300", "no share and no time"),
        ("complete 100 %", "up to 99.999 %"),
        ("complete 0 %", "above 0 %"),
        ("≤ 0 ms", "above 0 and up to 3600 s"),
        ("≤ 3601 s", "above 0 and up to 3600 s"),
        ("complete 99 %, complete 98 %", "two shares"),
        ("≤ 1 s, ≤ 2 s", "two times"),
        (99.5, "give a text"),
    ],
)
def test_any_other_text_is_refused_with_advice(text, advice):
    """The error has the text and what to write."""
    with pytest.raises(ConfigurationError, match=re.escape(advice)) as caught:
        objective(text)
    assert repr(text) in str(caught.value)


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("complete 99 %, ≤ 300 ms", [("complete", 0.3)]),
        ("complete 99 %", [("complete", 0.3), ("complete", 0.301)]),
        ("≤ 300 ms", [("complete", 0.3), ("degraded", 0.1)]),
    ],
)
def test_an_answer_is_good_if_it_is_complete_and_in_time(text, good):
    """A failed answer never is."""
    answers = [("complete", 0.3), ("complete", 0.301), ("degraded", 0.1), ("failed", 0.1)]

    assert [one for one in answers if parsed_objective(text).is_met(*one)] == good


def test_an_objective_is_found_on_the_function_and_on_what_wraps_it():
    """A decorator between the route and the function does not hide it."""

    @objective("complete 99 %")
    async def get_home() -> str:
        return ""

    def wrapper() -> None: ...

    wrapper.__wrapped__ = get_home

    assert objective_of(get_home) == objective_of(wrapper) == parsed_objective("complete 99 %")
    assert objective_of(len) is None
