"""The page of promises: each row names tests that exist, each test of a fault is in a row."""

import ast
import re
from pathlib import Path

from markdown_pages import DOCS, ROOT, page, table

from tests.chaos.invariants import INVARIANTS, NOT_YET

PAGE = page(DOCS / "concepts/reliability.md")
FAULTS = ROOT / "tests" / "faults"
_TEST = re.compile(r"\[(test_\w+)\]\(([^)]+)\)")


def names_in(path: Path) -> set[str]:
    """Return the tests of a module."""
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    tree = ast.parse(path.read_text())
    return {one.name for one in tree.body if isinstance(one, functions)}


def test_every_row_is_shown_by_tests_that_exist():
    """A promise without a test, or with one that was renamed, is found out."""
    for fault, _, shown_by in table(PAGE.section("Faults")):
        named = _TEST.findall(shown_by)

        assert named, fault
        for name, link in named:
            path = (PAGE.path.parent / link).resolve()
            assert name in names_in(path), f"{fault}: {name} in {link}"


def test_every_test_of_a_fault_is_in_a_row():
    """Every fault that is tested is on the page."""
    there = {
        name
        for path in FAULTS.glob("test_*.py")
        for name in names_in(path)
        if name.startswith("test_")
    }

    assert there - {name for name, _ in _TEST.findall(PAGE.text)} == set()


def test_invariants_are_those_of_the_storms():
    """Number and wording, and which of them can't be checked yet."""
    rows = table(PAGE.section("Chaos tests"))

    assert {int(row[0]): row[1] for row in rows} == INVARIANTS
    assert {int(row[0]) for row in rows if "not checked" in row[2]} == set(NOT_YET)
