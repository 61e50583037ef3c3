"""The codes of problems in the client are those of the documentation."""

import re

from bff_core.codegen.typescript.runtime_source import KNOWN_STATUSES, runtime_source
from tests.docs.markdown_pages import DOCS

ONLY_ELSEWHERE = {"grant_refused", "invalid_request"}
"""Codes that no view answers: that of a log, and that of back-channel logout."""


def documented() -> dict[str, set[str]]:
    """Return the codes of the page by status, without those of GraphQL."""
    text = (DOCS / "reference/problem-codes.md").read_text(encoding="utf-8")
    own, _, rest = text.partition("## Codes of GraphQL")
    rows = re.findall(r"^\| `(\w+)` \| ([^|]+)", own, re.MULTILINE)
    rows += [
        (code, status) for status, code in re.findall(r"^\| (\d+) \| `(\w+)`", rest, re.MULTILINE)
    ]
    found: dict[str, set[str]] = {}
    for code, statuses in rows:
        for status in re.findall(r"\b\d+(?! in)\b", statuses):
            found.setdefault(status, set()).add(code)
    return found


def declared() -> dict[str, set[str]]:
    """Return the codes of the type `ProblemCodes` by status."""
    body = re.search(r"interface ProblemCodes \{(.*?)\n\}", runtime_source(), re.DOTALL)
    assert body is not None
    members = re.findall(r"readonly (\d+):([^;]+);", body.group(1))
    return {status: set(re.findall(r'"(\w+)"', codes)) for status, codes in members}


def test_the_types_have_all_codes_of_the_documentation():
    """And no others; statuses that operations do not document are left out."""
    codes = declared()

    assert codes.keys() == KNOWN_STATUSES
    for status, known in codes.items():
        assert known == documented()[status] - ONLY_ELSEWHERE, status
