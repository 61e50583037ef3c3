"""Statuses that several files decide by are named in one file."""

import ast
from pathlib import Path

import pytest

from bff_core import http_statuses as statuses

ROOT = Path(statuses.__file__).parent


def sets_of_statuses(path: Path) -> list[str]:
    """Return the module-level frozensets in which two or more statuses are written out."""
    found = []
    for node in ast.parse(path.read_text()).body:
        value = getattr(node, "value", None)
        if isinstance(value, ast.Call) and ast.unparse(value.func) == "frozenset":
            numbers = [
                one.value
                for one in ast.walk(value)
                if isinstance(one, ast.Constant) and isinstance(one.value, int)
            ]
            if len([number for number in numbers if 100 <= number <= 599]) > 1:
                found.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    return found


def test_sets_of_statuses_stand_in_one_file():
    """A reader finds what is retried, stored or passed through in one place."""
    # Generated clients don't have the framework.
    paths = set(ROOT.rglob("*.py")) - set(ROOT.glob("codegen/python_client/runtime/*.py"))

    found = [where for path in paths for where in sets_of_statuses(path)]

    assert {where.partition(":")[0] for where in found} == {"http_statuses.py"}


MEMBERS = {
    "WITHOUT_CONTENT": {204, 205, 304},
    "WITH_LOCATION": {201, 202, 303},
    "RETRYABLE": {429, 500, 502, 503, 504},
    "STALE_IF_ERROR": {500, 502, 503, 504},
    "TRY_LATER": {408, 425, 429},
    "DECIDED_IN_JSON": {400, 402, 404, 409, 410, 422},
    "PASSES_THROUGH": {402, 404, 409, 410, 412, 422, 423},
}


@pytest.mark.parametrize("name", MEMBERS)
def test_a_set_has_its_members_and_no_others(name):
    """Nothing slips into a set that decides about writes, by way of another set."""
    assert getattr(statuses, name) == MEMBERS[name]
