"""Drawing endpoints at random, each by its share."""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import Generic

from bff_core.clock import Chance
from bff_core.policy.upstream.algorithms.interface import C


class Draw(Generic[C]):
    """Draws one of some endpoints in O(log n), or two that differ."""

    __slots__ = ("_ends", "_last", "_members", "_total")

    def __init__(self, members: Sequence[C]) -> None:
        self._members = members
        self._ends = list(accumulate(member.share for member in members))
        self._total = self._ends[-1]
        self._last = len(members) - 1

    def one(self, chance: Chance) -> C:
        """Draw an endpoint by its share."""
        return self._members[self._index(chance() * self._total)]

    def two(self, chance: Chance) -> tuple[C, C]:
        """Draw an endpoint by its share, and another one by its share of the rest."""
        first = self._index(chance() * self._total)
        begin = self._ends[first - 1] if first else 0.0
        size = self._ends[first] - begin
        point = chance() * (self._total - size)
        second = self._index(point if point < begin else point + size)
        if second == first:  # by rounding
            second = first - 1 if first == self._last else first + 1
        return self._members[first], self._members[second]

    def _index(self, point: float) -> int:
        return min(bisect_right(self._ends, point), self._last)
