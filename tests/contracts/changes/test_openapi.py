"""Changes of OpenAPI documents: their rules and levels, beside those of oasdiff."""

import pytest

from bff_core.contracts.changes import openapi_changes
from bff_core.contracts.changes.rules import OPENAPI_RULES
from bff_core.contracts.openapi import parse
from tests.contracts.changes.cases import CASES, DIFFERENT_FROM_OASDIFF
from tests.contracts.changes.oasdiff import recorded
from tests.contracts.changes.shop import SHOP, edited

SEVERITY = ["info", "warning", "breaking"]
BY_NAME = {case.name: case for case in CASES}
OASDIFF = recorded()


def changes_of(case):
    """Return what changes in a case."""
    before = edited(SHOP, case.first)
    return openapi_changes(parse(before), parse(edited(before, case.edits)))


def worst(levels):
    """Return the most severe level; what is not reported needs no action."""
    return max(levels, key=SEVERITY.index, default="info")


@pytest.mark.parametrize("name", BY_NAME)
def test_a_change_has_its_rules_and_no_other(name):
    """One change of a document is found, once, and nothing else is reported."""
    case = BY_NAME[name]

    changes = changes_of(case)

    assert {one.rule for one in changes} == case.rules
    assert len(changes) == len(set(changes))
    assert all(one.level == OPENAPI_RULES[one.rule].level for one in changes)
    assert all(one.text for one in changes)


@pytest.mark.parametrize("name", BY_NAME)
def test_a_change_is_as_severe_as_oasdiff_says(name):
    """The level is that of oasdiff, except where a reason is given."""
    ours = worst(one.level for one in changes_of(BY_NAME[name]))
    theirs = worst(OASDIFF[name].values())

    assert (ours == theirs) is (name not in DIFFERENT_FROM_OASDIFF), (ours, theirs)


def test_all_cases_are_recorded_once():
    """The record of oasdiff belongs to these cases; exceptions name cases."""
    assert len(BY_NAME) == len(CASES)
    assert list(OASDIFF) == list(BY_NAME)
    assert set(DIFFERENT_FROM_OASDIFF) <= set(BY_NAME)
    assert sum(bool(classes) for classes in OASDIFF.values()) >= 30


def test_a_document_does_not_differ_from_itself():
    """Two readings of one document are the same."""
    assert openapi_changes(parse(SHOP), parse(SHOP)) == []
