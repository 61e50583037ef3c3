"""`OperationDifference`: how two operations differ, before it is known which fields it reaches."""

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
class OperationDifference:
    """A difference with its rule and its sentence; or `types`, the comparison of two types.

    `within` is the path before that of the field: the name of a parameter or of a header.
    `pointer` is its place in the document, that of the operation if it is empty.
    """

    rule: str = ""
    text: str = ""
    place: Place = "operation"
    within: tuple[str, ...] = ()
    status: str = ""
    types: Comparison | None = None
    pointer: str = ""


def reported(
    difference: OperationDifference, operation: HttpOperation | None, places: DifferencePlaces
) -> Iterator[Change]:
    """Yield the changes that a difference stands for."""
    if difference.types is None:
        yield _change(difference, operation)
        return
    for found in places.find(difference.types):
        one = found.difference
        change = _change(replace(difference, rule=one.rule, text=one.text), operation)
        yield replace(
            change,
            field=(*difference.within, *found.path),
            loops=tuple((len(difference.within) + at, steps) for at, steps in found.loops),
        )


def _change(difference: OperationDifference, operation: HttpOperation | None) -> Change:
    return Change(
        rule=difference.rule,
        level=OPENAPI_RULES[difference.rule].level,
        text=difference.text,
        operation=operation.name if operation else "",
        place=difference.place,
        field=difference.within,
        status=difference.status,
        pointer=difference.pointer or (operation.pointer if operation else ""),
    )
