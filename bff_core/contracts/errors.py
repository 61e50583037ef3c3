"""`ContractError`: why a contract can't be read."""

from collections.abc import Sequence
from typing import Final

MAX_SHOWN_FAULTS: Final = 20


def printable(text: str) -> str:
    """Return one line of a text of others: control characters and marks of direction escaped."""
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )


class ContractError(Exception):
    """A contract can't be read. `faults` has a line for each reason; the message shows 20."""

    def __init__(self, source: str, faults: Sequence[str]) -> None:
        self.source = source
        self.faults = tuple(map(printable, faults))
        shown = self.faults[:MAX_SHOWN_FAULTS]
        lines = [f"{source or 'the document'} can't be read:"] if len(shown) > 1 else []
        lines += shown if lines else [f"{source}: {fault}" if source else fault for fault in shown]
        if len(self.faults) > len(shown):
            lines.append(f"… and {len(self.faults) - len(shown)} more")
        super().__init__("\n".join(lines))
