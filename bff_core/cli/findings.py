"""What `bff doctor` finds: a state, a sentence, and what to do."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from rich.table import Table
from rich.text import Text

State = Literal["ok", "note", "fail"]

GLYPHS: Final[dict[State, tuple[str, str]]] = {
    "ok": ("✓", "green"),
    "note": ("!", "yellow"),
    "fail": ("✗", "red"),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One result of a check of an `area`, such as a gateway; `advice` says what to do."""

    area: str
    state: State
    what: str
    advice: str = ""


def ok(area: str, what: str) -> Finding:
    """Return a finding that needs no action."""
    return Finding(area, "ok", what)


def note(area: str, what: str, advice: str) -> Finding:
    """Return a finding that does not prevent work now."""
    return Finding(area, "note", what, advice)


def fail(area: str, what: str, advice: str) -> Finding:
    """Return a finding that has to be mended."""
    return Finding(area, "fail", what, advice)


def tables_of(findings: Sequence[Finding], *, is_utf8: bool) -> list[Text | Table]:
    """Return the findings by area: a heading, and a table whose long lines are indented."""
    found: list[Text | Table] = []
    for area in dict.fromkeys(one.area for one in findings):
        table = Table.grid(padding=(0, 1))
        for one in findings:
            if one.area == area:
                glyph, style = GLYPHS[one.state]
                table.add_row(" ", Text(glyph if is_utf8 else one.state, style), Text(one.what))
                if one.advice:
                    table.add_row("", "", Text(one.advice, "dim"))
        found += [Text(area, "bold"), table]
    return found
