"""What `bff doctor` finds: a state, a sentence, and what to do."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

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


def lines_of(findings: Sequence[Finding], *, is_utf8: bool) -> list[Text]:
    """Return the findings as lines, by area."""
    found: list[Text] = []
    for area in dict.fromkeys(one.area for one in findings):
        found.append(Text(area, "bold"))
        for one in findings:
            if one.area == area:
                found += _lines(one, is_utf8=is_utf8)
    return found


def _lines(one: Finding, *, is_utf8: bool) -> list[Text]:
    glyph, style = GLYPHS[one.state]
    shown = glyph if is_utf8 else f"{one.state:4}"
    first, *others = one.what.splitlines()
    lines = [Text.assemble("  ", (shown, style), " ", first)]
    lines += [Text(f"    {line}") for line in others]
    if one.advice:
        lines.append(Text(f"    {one.advice}", "dim"))
    return lines
