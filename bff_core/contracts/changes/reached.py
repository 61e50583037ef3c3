"""At which fields of a body the differences of named types are."""

from collections import Counter, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from bff_core.contracts.changes.schemas import Comparison, Difference, Pair, Path

MAX_PLACES: Final = 40
"""How many places of a type in one body are listed each; if there are more, one stands for all."""


ANY_STEPS: Final = "**"
"""At the end of the steps of a loop: any steps follow."""

Loop: TypeAlias = "tuple[int, Path]"


@dataclass(frozen=True, slots=True)
class ReachedDifference:
    """A difference and the path of its field in a body, with loops as in `Change`."""

    difference: Difference
    path: Path
    loops: tuple[Loop, ...]


@dataclass(slots=True)
class _Occurrence:
    """A pair of types at one place of a body; `above` is where it was reached from."""

    comparison: Comparison
    path: Path
    pair: Pair | None = None
    above: "_Occurrence | None" = None
    loops: set[Path] = field(default_factory=set)

    def closes_loop(self, pair: Pair, path: Path) -> bool:
        """Whether this occurrence is within one of the pair; if so, note how the loop begins."""
        one: _Occurrence | None = self
        below = (*self.path, *path)
        is_direct = True
        while one is not None:
            if one.pair == pair:
                steps = below[len(one.path) :]
                one.loops.add(steps if is_direct and steps else (*steps, ANY_STEPS))
                return True
            below, is_direct, one = one.path, False, one.above
        return False

    def all_loops(self) -> Iterator[Loop]:
        """Yield the loops of this occurrence and of those that it is within."""
        one: _Occurrence | None = self
        while one is not None:
            for steps in one.loops:
                yield len(one.path), steps
            one = one.above


@dataclass(slots=True)
class DifferencePlaces:
    """Finds the places of differences. `pairs` are the comparisons of all named types."""

    pairs: Mapping[Pair, Comparison]
    _changed: frozenset[Pair] = field(init=False)

    def __post_init__(self) -> None:
        self._changed = _changed_pairs(self.pairs)

    def find(self, root: Comparison) -> list[ReachedDifference]:
        """Return all differences below a comparison, the shortest paths first."""
        places, crowded = self._occurrences(root)
        unlisted = self._below(crowded)
        found: dict[tuple[Path, Difference], set[Loop]] = {}
        for place in places:
            loops = set(place.all_loops())
            if place.pair in unlisted:
                loops.add((0, (ANY_STEPS,)))
                unlisted.discard(place.pair)
            for one in place.comparison.differences:
                found.setdefault(((*place.path, *one.path), one), set()).update(loops)
        return [
            ReachedDifference(one, path, tuple(sorted(loops)))
            for (path, one), loops in found.items()
        ]

    def _occurrences(self, root: Comparison) -> tuple[list[_Occurrence], set[Pair]]:
        """Walk breadth-first; also return the pairs that have more places than are listed."""
        places = [_Occurrence(root, ())]
        queue, visits, crowded = deque(places), Counter[Pair](), set[Pair]()
        while queue:
            here = queue.popleft()
            for path, pair in here.comparison.references:
                if pair not in self._changed:
                    continue
                if here.closes_loop(pair, path):
                    continue
                visits[pair] += 1
                if visits[pair] > MAX_PLACES:
                    crowded.add(pair)
                    continue
                place = _Occurrence(self.pairs[pair], (*here.path, *path), pair, here)
                places.append(place)
                queue.append(place)
        return places, crowded

    def _below(self, pairs: set[Pair]) -> set[Pair]:
        found, queue = set(pairs), list(pairs)
        while queue:
            for _, pair in self.pairs[queue.pop()].references:
                if pair in self._changed and pair not in found:
                    found.add(pair)
                    queue.append(pair)
        return found


def _changed_pairs(pairs: Mapping[Pair, Comparison]) -> frozenset[Pair]:
    """Return the pairs that have a difference themselves or below them."""
    users: dict[Pair, list[Pair]] = {}
    for pair, comparison in pairs.items():
        for _, below in comparison.references:
            users.setdefault(below, []).append(pair)
    queue = [pair for pair, comparison in pairs.items() if comparison.differences]
    found = set(queue)
    while queue:
        for user in users.get(queue.pop(), ()):
            if user not in found:
                found.add(user)
                queue.append(user)
    return frozenset(found)
