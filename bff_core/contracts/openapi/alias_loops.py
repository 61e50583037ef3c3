"""Breaks loops of named types that consist of nothing but each other."""

from dataclasses import replace

from bff_core.contracts.document import NamedType
from bff_core.contracts.openapi.notes import Notes
from bff_core.contracts.openapi.plain_types import union_of
from bff_core.contracts.types import Anything, Discriminator, Nullable, Ref, Type, Union


def break_alias_loops(types: dict[str, NamedType], notes: Notes) -> None:
    """Remove references by which a type is, or may be, itself: no value has such a type."""
    done: set[str] = set()
    for name in list(types):
        _visit(name, types, [], done, notes)


def _visit(
    name: str, types: dict[str, NamedType], way: list[str], done: set[str], notes: Notes
) -> None:
    if name in done:
        return
    for other in _refs(types[name].type):
        if other in way or other == name:
            notes.add(types[name].pointer, f"it is defined by {other}, and that by itself")
            rest = _without(types[name].type, other)
            types[name] = replace(types[name], type=rest)
        else:
            _visit(other, types, [*way, name], done, notes)
    done.add(name)


def _refs(kind: Type) -> list[str]:
    """Return the names that a type may be itself, not those of its members."""
    match kind:
        case Ref():
            return [kind.name]
        case Nullable():
            return _refs(kind.of)
        case Union():
            return [name for option in kind.options for name in _refs(option)]
        case _:
            return []


def _without(kind: Type, name: str) -> Type:
    match kind:
        case Ref():
            return Anything() if kind.name == name else kind
        case Nullable():
            return union_of([Nullable(_without(kind.of, name))])
        case Union():
            rest = [one for one in kind.options if name not in _refs(one)]
            return union_of(rest, _mapping_without(kind.discriminator, name))
        case _:
            return kind


def _mapping_without(discriminator: Discriminator | None, name: str) -> Discriminator | None:
    if discriminator is None:
        return None
    mapping = {key: value for key, value in discriminator.mapping.items() if value != name}
    return replace(discriminator, mapping=mapping)
