"""Which data an answer has lost by a failure although the parts that it comes from are ok."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

import msgspec

from bff_core.composition.part import Part

Leaf: TypeAlias = tuple[str, object]
"""A place in a JSON value, `items[].title`, and the value there."""

MIN_LENGTH: Final = 3
"""Shorter texts and numbers occur by chance in several parts, so that their names count, too."""


@dataclass(slots=True)
class EndedParts:
    """The parts of one request: its values by part, and the parts that did not end well."""

    values: dict[str, set[Leaf]] = field(default_factory=lambda: defaultdict(set))
    failed: set[str] = field(default_factory=set)
    empty: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, parts: Iterable[Part[Any]]) -> "EndedParts":
        """Return what these parts yielded."""
        found = cls()
        for part in parts:
            has_failed = part.exception() is not None or part.state not in {"ok", "stale"}
            if has_failed:
                found.failed.add(part.name)
            value = None if part.exception() is not None else part.result()
            if value is None and not has_failed:
                found.empty.add(part.name)
            found.values[part.name] |= set(_facts(leaves(_plain(value))))
        return found

    def of_names(self, names: Iterable[str]) -> set[Leaf]:
        """Return the values of some parts."""
        return {one for name in names for one in self.values.get(name, ())}


def wrongly_lost(
    happy: object, found: object, parts: EndedParts, happy_parts: EndedParts
) -> Iterator[Leaf]:
    """Yield what an answer lacks though a part that is ok has it.

    What the parts that are not ok have without the failure may be missing, and so may an object
    or an element of a list with such a value: all data of a product that is not recommended.
    """
    present = set(leaves(found))
    lost = [leaf for leaf in leaves(happy) if leaf not in present]
    intact = parts.of_names(parts.values.keys() - parts.failed)
    gone = happy_parts.of_names(parts.failed | (happy_parts.values.keys() - parts.values.keys()))
    known = {value for _, value in gone}
    holders = {one for path, value in lost if value in known for one in _holders(path)}
    holders &= (Counter(_objects(happy)) - Counter(_objects(found))).keys()
    for leaf in lost:
        facts = set(_facts([leaf]))
        if facts & intact and not facts & gone and holders.isdisjoint(_holders(leaf[0])):
            yield leaf


def _objects(value: object, path: str = "") -> Iterator[str]:
    """Yield the place of each object and of each element of a list."""
    yield path
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if isinstance(inner, Mapping | list):
                yield from _objects(inner, f"{path}.{name}" if path else str(name))
    elif isinstance(value, list):
        for inner in value:
            yield from _objects(inner, f"{path}[]")


def _holders(path: str) -> Iterator[str]:
    """Yield the places of what holds a value: `a[]`, `a[].b` and `a` for `a[].b.c`."""
    for end, character in enumerate(path):
        if character == "." or path[end : end + 2] == "[]":
            yield path[:end]
    if path.endswith("[]"):
        yield path


def is_explained_by_none(lost: Iterable[Leaf], parts: EndedParts, happy_parts: EndedParts) -> bool:
    """Whether all that is lost comes from parts that are ok, and None: there is nothing."""
    known = {value for _, value in happy_parts.of_names(parts.empty - happy_parts.empty)}
    return all(value in known for _, value in lost)


def leaves(value: object, path: str = "") -> Iterator[Leaf]:
    """Yield each value of a JSON value that holds no others; elements of a list share a place."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from leaves(inner, f"{path}.{name}" if path else str(name))
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from leaves(inner, f"{path}[]")
    else:
        yield path, value


def _facts(found: Iterable[Leaf]) -> Iterator[Leaf]:
    """Yield what identifies values wherever they stand: texts, and short ones with their names."""
    for path, value in found:
        if isinstance(value, str) and len(value) >= MIN_LENGTH:
            yield "", value
        elif value != "" and isinstance(value, str | int | float) and not isinstance(value, bool):
            yield re.sub(r"\[\]|_", "", path.rpartition(".")[2]).lower(), value


def _plain(value: object) -> object:
    """Return a value of a part as dictionaries, lists, texts and numbers."""
    try:
        plain: object = msgspec.to_builtins(value, str_keys=True, enc_hook=_dumped)
    except (TypeError, ValueError):
        return None
    return plain


def _dumped(value: object) -> object:
    dump = getattr(value, "model_dump", None)  # of pydantic
    if callable(dump):
        return dump(mode="json")
    return dict(value) if isinstance(value, Mapping) else None
