"""The page about the cache: its decision table is what the code decides."""

from decision_table import POLICIES, decision_rows
from markdown_pages import DOCS, page, table

PAGE = page(DOCS / "how-to/caching.md")


def test_the_decision_table_is_what_the_code_decides():
    """Row by row: what a service says, and what becomes of it under each policy."""
    assert table(PAGE.section("Cacheability and freshness")) == decision_rows()


def test_the_decision_table_names_its_policies():
    """The columns are the policies that the rows were made with."""
    (head,) = [line for line in PAGE.text.splitlines() if line.startswith("| the service sends")]

    assert [cell.strip() for cell in head.strip("|").split("|")[1:]] == [*POLICIES]
