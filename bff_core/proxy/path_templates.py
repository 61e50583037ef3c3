"""Path templates of routes: their segments, their parameters, and how specific they are."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

_PARAMETER: Final = re.compile(r"\{([^{}:]*)(?::([^{}]*))?\}")

LITERAL: Final = 0
TYPED: Final = 1
VALUE: Final = 2
REST: Final = 3
END: Final = 4


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment of a template; one with a `:path` parameter may be several of a path.

    `literals` are the texts around its parameters, one more than parameters: "v{n}.json" has
    "v" and ".json". `types` are those of the parameters; "" is a value without one.
    """

    literals: tuple[str, ...]
    names: tuple[str, ...] = ()
    types: tuple[str, ...] = ()

    @property
    def kind(self) -> int:
        """The kind of the segment, the more specific ones first: it is that of its widest part."""
        if not self.types:
            return LITERAL
        return max(_KINDS.get(one, TYPED) for one in self.types)

    @property
    def rank(self) -> tuple[int, int]:
        """How specific the segment is, the more specific first: "v{n}" comes before "{n}"."""
        return self.kind, -sum(map(len, self.literals)) if self.types else 0


_KINDS: Final = {"": VALUE, "str": VALUE, "path": REST}


@lru_cache(maxsize=16_384)
def segments_of(template: str) -> tuple[Segment, ...]:
    """Return the segments of a template that begins with a slash."""
    return tuple(map(_segment, _split(template.removeprefix("/"))))


def parameters_of(template: str) -> tuple[str, ...]:
    """Return the names of the parameters of a template, in their order."""
    return tuple(one[1] for one in _PARAMETER.finditer(template))


def rank_of_path(segments: tuple[Segment, ...]) -> tuple[tuple[int, int], ...]:
    """Return how specific a path is, segment by segment; the more specific one sorts first."""
    # The end comes after all kinds: of two paths with `:path` the longer one is more specific.
    return (*(one.rank for one in segments), (END, 0))


def can_overlap(one: tuple[Segment, ...], other: tuple[Segment, ...]) -> bool:
    """Whether a path may match two templates of equal rank; types of values may overlap."""
    return (
        len(one) == len(other)
        and _meet(one, other, _heads_meet)
        and _meet(one[::-1], other[::-1], _tails_meet)
    )


def _meet(
    one: tuple[Segment, ...],
    other: tuple[Segment, ...],
    compare: Callable[[Segment, Segment], bool],
) -> bool:
    """Compare segments up to the first with a `:path`, behind which places may differ."""
    for left, right in zip(one, other, strict=True):
        if not compare(left, right):
            return False
        if REST in (left.kind, right.kind):
            return True
    return True


def _split(path: str) -> Iterator[str]:
    """Yield the texts between slashes; a slash within braces is none."""
    start = depth = 0
    for place, character in enumerate(path):
        depth += (character == "{") - (character == "}")
        if character == "/" and depth <= 0:
            yield path[start:place]
            start = place + 1
    yield path[start:]


def _segment(text: str) -> Segment:
    found = list(_PARAMETER.finditer(text))
    ends = [0, *(one.end() for one in found)]
    starts = [*(one.start() for one in found), len(text)]
    literals = tuple(text[end:start] for end, start in zip(ends, starts, strict=True))
    return Segment(literals, tuple(one[1] for one in found), tuple(one[2] or "" for one in found))


def _heads_meet(one: Segment, other: Segment) -> bool:
    if not one.types and not other.types:
        return one.literals == other.literals
    left, right = one.literals[0], other.literals[0]
    return left.startswith(right) or right.startswith(left)


def _tails_meet(one: Segment, other: Segment) -> bool:
    if not one.types and not other.types:
        return one.literals == other.literals
    left, right = one.literals[-1], other.literals[-1]
    return left.endswith(right) or right.endswith(left)
