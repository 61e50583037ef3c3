"""Errors for JSON that can't be decoded: they say what is wrong, and where."""

import re
from typing import Final

from bff_core.edge.problem_details import Members, malformed, place, pointer_to
from bff_core.edge.strict_json import JSONRefused, read_json
from bff_core.errors import InvalidInput

_STEP: Final = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]")


class Unreadable(InvalidInput):
    """A text is not JSON, or does not fit; `errors` of the problem details shows `fault`."""

    def __init__(
        self, fault: Members, *, expected: str = "", status: int = InvalidInput.status
    ) -> None:
        detail = str(fault["detail"])
        super().__init__(f"Expected {expected}: {detail}" if expected else detail)
        self.status = status
        self._fault = fault

    @property
    def members(self) -> Members:
        """The member `errors` of the problem details."""
        return {"errors": [self._fault]}


def unreadable(
    text: bytes,
    error: Exception,
    *,
    where: str = "body",
    prefix: str = "",
    expected: str = "",
    status: int = InvalidInput.status,
) -> Unreadable:
    """Return the error to raise for a text that msgspec refused with `error`.

    `prefix` is the JSON pointer to the text, `expected` an example of a right one.
    """
    try:
        read_json(text)
    except JSONRefused as refused:
        fault = _fault(refused, where, prefix)
    else:
        message, _, path = str(error).partition(" - at `")
        steps = [name or index for name, index in _STEP.findall(path.rstrip("`"))]
        fault = place(where, prefix + pointer_to(steps), message, "invalid")
    return Unreadable(fault, expected=expected, status=status)


def _fault(refused: JSONRefused, where: str, prefix: str) -> Members:
    fault = refused.fault
    if fault.position is None:
        return place(where, prefix + pointer_to(fault.path), fault.message, fault.type)
    members = malformed(where, fault.message, fault.position, refused.text)
    return members | {"pointer": prefix}
