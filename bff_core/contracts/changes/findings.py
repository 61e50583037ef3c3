"""`Finding`: a difference of two operations, before the fields that it reaches are known."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from bff_core.contracts.change import Change
from bff_core.contracts.changes.reached import DifferencePlaces
from bff_core.contracts.changes.rules import OPENAPI_RULES
from bff_core.contracts.changes.schemas import Comparison
from bff_core.contracts.document import HttpOperation

Place = Literal["operation", "parameter", "request", "response", "security"]


@dataclass(frozen=True, slots=True)
class Finding:
    """A difference with its rule and its sentence; or `types`, the comparison of two types.

    `within` is the path before that of the field: the name of a parameter or of a header.
    """

    rule: str = ""
    text: str = ""
    place: Place = "operation"
    within: tuple[str, ...] = ()
    status: str = ""
    types: Comparison | None = None


def reported(
    finding: Finding, operation: HttpOperation | None, places: DifferencePlaces
) -> Iterator[Change]:
    """Yield the changes that a finding stands for."""
    if finding.types is None:
        yield _change(finding, operation)
        return
    for found in places.find(finding.types):
        one = found.difference
        change = _change(replace(finding, rule=one.rule, text=one.text), operation)
        yield replace(
            change,
            field=(*finding.within, *found.path),
            loops=tuple((len(finding.within) + at, steps) for at, steps in found.loops),
        )


def _change(finding: Finding, operation: HttpOperation | None) -> Change:
    return Change(
        rule=finding.rule,
        level=OPENAPI_RULES[finding.rule].level,
        text=finding.text,
        operation=operation.name if operation else "",
        place=finding.place,
        field=finding.within,
        status=finding.status,
        pointer=operation.pointer if operation else "",
    )
