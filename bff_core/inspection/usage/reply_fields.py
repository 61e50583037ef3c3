"""The fields of reply types by their names in JSON, and the paths of those that are used."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import MISSING, dataclass, field, fields, is_dataclass, replace
from enum import Enum
from functools import cache
from typing import Any, Final, Literal, get_args, get_origin

import msgspec
from pydantic import AliasChoices, AliasPath, BaseModel
from typing_extensions import is_typeddict

from bff_core.inspection.usage.flow_facts import FieldPath
from bff_core.inspection.usage.type_hints import (
    Hint,
    bound_variables,
    class_hints,
    class_of,
    is_mapping,
    is_opaque,
    is_record,
    members,
    plain,
    substituted,
)
from bff_core.upstream.typed_reply import TypedReply

MAX_DEPTH: Final = 24
"""Levels of fields that are followed."""

UNRECOGNIZED: Final = "UNRECOGNIZED"
"""The member of generated enums that stands for values which the contract does not have."""

ANY: Final = "*"
"""The last element of a path: all fields below it are used."""


@dataclass(frozen=True, slots=True)
class ReplyField:
    """A field of a reply type: its attribute, its name in JSON, its annotation.

    A field without a default `is_required`: a reply without it can't be decoded.
    """

    attribute: str
    name: str
    hint: Hint
    is_required: bool

    @property
    def allows_null(self) -> bool:
        """Whether its value may be null."""
        hint = plain(self.hint)
        return is_opaque(hint) or hint is type(None) or type(None) in get_args(hint)

    @property
    def is_closed(self) -> bool:
        """Whether only listed values can be decoded: an enum, or literals."""
        kinds = [class_of(one) for one in members(self.hint)]
        literals = [str(get_origin(one)) == str(Literal) for one in members(self.hint)]
        enums = [one for one in kinds if one is not None and issubclass(one, Enum)]
        return any(literals) or any(UNRECOGNIZED not in one.__members__ for one in enums)

    @property
    def allows_anything(self) -> bool:
        """Whether values of any type can be decoded."""
        return is_opaque(self.hint) or any(is_opaque(one) for one in members(self.hint))

    @property
    def is_text(self) -> bool:
        """Whether any text can be decoded."""
        return any(is_opaque(one) or class_of(one) is str for one in members(self.hint))


def fields_of(kind: type) -> tuple[ReplyField, ...]:
    """Return the fields that a class declares."""
    return _fields_of(kind)


@cache
def _fields_of(kind: Hint) -> tuple[ReplyField, ...]:
    return tuple(_fields(kind))


def _fields(kind: type) -> Iterator[ReplyField]:
    hints = class_hints(kind)
    if issubclass(kind, BaseModel):
        yield from _model_fields(kind, hints)
    elif issubclass(kind, msgspec.Struct):
        for one in msgspec.structs.fields(kind):
            yield ReplyField(one.name, one.encode_name, hints.get(one.name, one.type), one.required)
    elif is_typeddict(kind):
        required: frozenset[str] = getattr(kind, "__required_keys__", frozenset())
        for name, hint in hints.items():
            yield ReplyField(name, name, hint, name in required)
    elif is_dataclass(kind):
        for each in fields(kind):
            has_default = each.default is not MISSING or each.default_factory is not MISSING
            if each.init:
                yield ReplyField(each.name, each.name, hints.get(each.name, Any), not has_default)
    else:  # a NamedTuple is an array in JSON: its fields have no names there
        return


def _model_fields(kind: type[BaseModel], hints: Mapping[str, Hint]) -> Iterator[ReplyField]:
    for name, info in kind.model_fields.items():
        hint, is_required = hints.get(name, info.annotation), info.is_required()
        names = _aliases(info.validation_alias or info.alias or name)
        for shown, is_whole in names:
            is_only = len(names) == 1
            yield ReplyField(name, shown, hint if is_whole else Any, is_required and is_only)


def _aliases(alias: object) -> list[tuple[str, bool]]:
    """Return the names in JSON that a field of pydantic is read from.

    Each is with whether its value is that of the field; else the field is somewhere below it.
    """
    if isinstance(alias, AliasChoices):
        return [one for each in alias.choices for one in _aliases(each)]
    if isinstance(alias, AliasPath):
        return [(str(alias.path[0]), len(alias.path) == 1)]
    return [(str(alias), True)]


def ends_of(paths: Iterable[FieldPath]) -> frozenset[FieldPath]:
    """Return the paths without those that lead to others: all below an end is used."""
    given = set(paths)
    whole = {one[:-1] for one in given if one[-1:] == (ANY,)}
    found = {one for one in given if one[-1:] != (ANY,)} | whole
    above = {one[:length] for one in found for length in range(len(one))}
    return frozenset((found - above) | whole)


Uses = Callable[[type, str], bool]
"""Whether a field of a class is used: the class, the name of the attribute."""


def used_paths(hint: Hint, is_used: Uses, is_whole: Callable[[type], bool]) -> Iterator[FieldPath]:
    """Yield the paths of the fields of a reply that are used, those that lead to others included.

    A path that ends with `ANY` stands for all that is below it.
    """
    yield from _Walk(is_used, is_whole).below(hint, ())


@dataclass(slots=True)
class _Walk:
    """Walks through a reply type; a class within itself is entered once more."""

    is_used: Uses
    is_whole: Callable[[type], bool]
    entered: dict[type, int] = field(default_factory=dict)
    takes_all: bool = False
    declared: dict[FieldPath, ReplyField] = field(default_factory=dict)
    closed: set[FieldPath] = field(default_factory=set)

    def below(self, hint: Hint, path: FieldPath) -> Iterator[FieldPath]:
        """Yield the paths of the used fields of a value at a path."""
        for one in members(hint):
            kind = class_of(one)
            if kind is None or is_opaque(one):
                yield (*path, ANY)
            elif issubclass(kind, TypedReply):
                yield from self.below(_argument(one, 0), path)
            elif is_record(kind) and fields_of(kind):
                yield from self._record(one, kind, path)
            elif is_mapping(one):
                yield from self.below(_argument(one, 1), (*path, "{}"))
            elif get_args(one):
                for item in dict.fromkeys(each for each in get_args(one) if each is not ...):
                    yield from self.below(item, (*path, "[]"))
            elif is_record(kind) or kind in {dict, list, tuple, set, frozenset}:
                yield (*path, ANY)

    def _record(self, hint: Hint, kind: type, path: FieldPath) -> Iterator[FieldPath]:
        if self.entered.get(kind, 0) > 1 or len(path) > MAX_DEPTH:
            yield (*path, ANY)
            return
        self.entered[kind] = self.entered.get(kind, 0) + 1
        if forbids_others(kind):
            self.closed.add(path)
        bound, before = bound_variables(hint), self.takes_all
        self.takes_all |= self.is_whole(kind)
        for one in fields_of(kind):
            if self.takes_all or self.is_used(kind, one.attribute):
                place, hint = (*path, one.name), substituted(one.hint, bound)
                self.declared[place] = replace(one, hint=hint)
                yield place
                yield from self.below(hint, place)
        self.takes_all = before
        self.entered[kind] -= 1


def _argument(hint: Hint, index: int) -> Hint:
    given = get_args(hint)
    return given[index] if index < len(given) else Any


def _everything(_: type) -> bool:
    return True


def all_fields(hint: Hint, before: FieldPath = ()) -> Iterator[FieldPath]:
    """Yield the paths of all fields of a type."""
    for one in used_paths(hint, lambda _kind, _name: True, _everything):
        yield (*before, *one)


def declared_fields(hint: Hint) -> Mapping[FieldPath, ReplyField]:
    """Return all fields that a reply type declares, by their paths."""
    walk = _Walk(lambda _kind, _name: True, _everything)
    list(walk.below(hint, ()))
    return walk.declared


def closed_objects(hint: Hint) -> frozenset[FieldPath]:
    """Return the paths of the objects of a reply type that may have no other fields."""
    walk = _Walk(lambda _kind, _name: True, _everything)
    list(walk.below(hint, ()))
    return frozenset(walk.closed)


def forbids_others(kind: type) -> bool:
    """Whether objects with a field that their class does not declare can't be decoded."""
    if issubclass(kind, msgspec.Struct):
        return kind.__struct_config__.forbid_unknown_fields
    return issubclass(kind, BaseModel) and kind.model_config.get("extra") == "forbid"
