"""Applies learned origins to a body: JSON pointers to parts, and the bytes of each part."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from bff_core.console.origins.json_places import ANY, Json, Place, pointer
from bff_core.console.origins.learned import UNKNOWN, Learned

encoded = msgspec.json.Encoder().encode


@dataclass(slots=True)
class Origins:
    """What a body is made of: JSON pointers to parts, and bytes of each part.

    A pointer covers what is below it, but for longer ones; its part is empty where the part of a
    place is unknown within one that is known. `bytes` counts names, values and punctuation; what no
    part is known for is under the empty name.
    """

    parts: dict[str, str] = field(default_factory=dict)
    bytes: dict[str, int] = field(default_factory=dict)
    values: dict[str, list[tuple[Place, Json]]] = field(default_factory=dict)
    """The outermost values of each part, in the order of the body."""


def apply(learned: Learned, body: Json) -> Origins:
    """Return the origins of the places of a body."""
    found = Origins()
    _Applied(learned.parts, learned.known, found).value(body, (), "", UNKNOWN)
    return found


@dataclass(slots=True)
class _Applied:
    learned: Mapping[str, str]
    known: frozenset[str] | None
    found: Origins

    def value(self, value: Json, place: Place, pattern: str, outer: str) -> int:
        """Add the origins of a value and of those within it; return how many bytes they have."""
        part = self._part(pattern, outer)
        if part != outer:
            self.found.parts[pointer(place)] = part
            if part:
                self.found.values.setdefault(part, []).append((place, value))
        inner = 0
        if isinstance(value, dict):
            for name, one in value.items():
                below = f"{pattern}/{name.replace('~', '~0').replace('/', '~1')}"
                label = len(encoded(name)) + 1
                inner += label + self.value(one, (*place, name), below, part)
                self._count(self._part(below, part), label)
        elif isinstance(value, list):
            for index, one in enumerate(value):
                inner += self.value(one, (*place, index), f"{pattern}/{ANY}", part)
        else:
            size = len(encoded(value))
            self._count(part, size)
            return size
        punctuation = 2 + max(len(value) - 1, 0)
        self._count(part, punctuation)
        return inner + punctuation

    def _part(self, pattern: str, outer: str) -> str:
        if self.known is not None and pattern not in self.known:
            return UNKNOWN
        return self.learned.get(pattern, outer)

    def _count(self, part: str, size: int) -> None:
        self.found.bytes[part] = self.found.bytes.get(part, 0) + size
