"""When keys expire: found in order, without looking at those that don't."""

from heapq import heappop, heappush
from math import ceil, frexp, ldexp
from typing import Final

LONGEST: Final = 2.0**31
"""Seconds; what is stored for longer is stored for so long (RFC 9111, section 1.2.2)."""


class Expiries:
    """Keys in cells of time that are the wider the further away they are.

    A key is in the first cell that ends after its instant; the cell is at most a quarter wider
    than the time until then, or a second. So there are a few hundred cells at most, whatever is
    stored for however long, and adding and removing cost the same at any number of keys: a heap
    of all keys would be full of removed ones, and putting it in order would stop the loop.
    """

    __slots__ = ("_cells", "_ends")

    def __init__(self) -> None:
        self._cells: dict[float, set[str]] = {}
        self._ends: list[float] = []

    def add(self, key: str, now: float, until: float) -> float:
        """Note when a key expires; return its cell, which takes it out again."""
        end = _end_of_cell(now, until)
        cell = self._cells.get(end)
        if cell is None:
            cell = self._cells[end] = set()
            heappush(self._ends, end)
        cell.add(key)
        return end

    def discard(self, key: str, end: float) -> None:
        """Take a key out of its cell."""
        self._cells[end].discard(key)

    def due(self, now: float) -> str | None:
        """Return a key that has expired, which is still in its cell; None if there is none."""
        while self._ends and self._ends[0] <= now:
            cell = self._cells[self._ends[0]]
            if cell:
                return next(iter(cell))
            del self._cells[heappop(self._ends)]
        return None


def _end_of_cell(now: float, until: float) -> float:
    left = min(max(until - now, 0.0), LONGEST)
    width = ldexp(1.0, max(0, frexp(left / 8.0)[1]))
    return ceil((now + left) / width) * width
