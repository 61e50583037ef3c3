"""Collects what a reader could not represent."""

from collections.abc import Iterator

from bff_core.contracts.errors import printable


class Notes:
    """Lines of `Document.notes`, each once, in the order in which they came up."""

    def __init__(self) -> None:
        self._lines: dict[str, None] = {}

    def add(self, pointer: str, text: str) -> None:
        """Note something about a place."""
        self._lines[printable(f"{pointer}: {text}")] = None

    def __iter__(self) -> Iterator[str]:
        """Yield the lines."""
        return iter(self._lines)
