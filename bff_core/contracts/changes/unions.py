"""Which options of two unions correspond: by name, by equality, then by likeness."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from bff_core.contracts.types import (
    Anything,
    Array,
    Enum,
    Map,
    ObjectType,
    Ref,
    Scalar,
    Tuple,
    Type,
)

Resolve = Callable[[Type], Type]


@dataclass(frozen=True, slots=True)
class MatchedOptions:
    """Pairs of options that correspond, and those that have no counterpart."""

    pairs: Sequence[tuple[Type, Type]]
    removed: Sequence[Type]
    added: Sequence[Type]


def match_options(
    before: Sequence[Type], after: Sequence[Type], old: Resolve, new: Resolve
) -> MatchedOptions:
    """Match the options of a union with those of its successor.

    `old` and `new` follow the references of each document.
    """
    names = {one.name: one for one in after if isinstance(one, Ref)}
    pairs: list[tuple[Type, Type]] = [
        (one, names[one.name]) for one in before if isinstance(one, Ref) and one.name in names
    ]
    matched = {one.name for one, _ in pairs if isinstance(one, Ref)}
    left, right = (
        [one for one in options if not isinstance(one, Ref) or one.name not in matched]
        for options in (before, after)
    )
    for is_match in (_equals, _is_alike(old, new)):
        for one in tuple(left):
            found = next((other for other in right if is_match(one, other)), None)
            if found is not None:
                pairs.append((one, found))
                left.remove(one)
                right.remove(found)
    return MatchedOptions(pairs, left, right)


def _equals(one: Type, other: Type) -> bool:
    return not isinstance(one, Ref) and one == other


def _is_alike(old: Resolve, new: Resolve) -> Callable[[Type, Type], bool]:
    return lambda one, other: _are_alike(old(one), new(other))


def _are_alike(one: Type, other: Type) -> bool:
    match one, other:
        case ObjectType(), ObjectType():
            return _are_alike_objects(one, other)
        case Scalar(), Scalar():
            return one.kind == other.kind
        case Enum(), Enum():
            return {type(value) for value in one.values} == {type(value) for value in other.values}
        case Map() | ObjectType(), Map() | ObjectType():
            return isinstance(one, Map) and isinstance(other, Map)
        case (Array() | Tuple(), Array() | Tuple()) | (Anything(), Anything()):
            return True
    return False


def _are_alike_objects(one: ObjectType, other: ObjectType) -> bool:
    """Whether objects have the same constants, and most of their properties in common."""
    constants, others = dict(_constants(one)), dict(_constants(other))
    if any(others.get(name, value) != value for name, value in constants.items()):
        return False
    names, other_names = {each.name for each in one.fields}, {each.name for each in other.fields}
    return 2 * len(names & other_names) >= max(len(names), len(other_names))


def _constants(of: ObjectType) -> Iterator[tuple[str, object]]:
    """Yield the properties that have one possible value, as those that name a type do."""
    for each in of.fields:
        if isinstance(each.type, Enum) and len(each.type.values) == 1:
            yield each.name, each.type.values[0]
