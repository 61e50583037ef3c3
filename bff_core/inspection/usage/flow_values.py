"""The values that flow through a project's source, as far as it shows them; others are None."""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import FunctionType
from typing import Protocol, TypeAlias, get_args

from bff_core.composition.composition import Composition
from bff_core.inspection.usage.type_hints import (
    Hint,
    are_related,
    class_of,
    classes_in,
    is_opaque,
    is_record,
    members,
    union,
)
from bff_core.inspection.values import PartMember
from bff_core.upstream.client import Upstream


@dataclass(frozen=True, slots=True)
class Typed:
    """A value of a type: `Order`, `list[Order]`."""

    hint: Hint


@dataclass(frozen=True, slots=True, eq=False)
class Existing:
    """An object that exists before the code runs: a module, a class, a constant, an annotation."""

    value: object

    def __eq__(self, other: object) -> bool:
        """Whether it is the same object, or an equal text or annotation."""
        if not isinstance(other, Existing):
            return False
        return self.value is other.value or (
            type(self.value) is type(other.value)
            and not isinstance(self.value, FunctionType)
            and is_hashable(self.value)
            and self.value == other.value
        )

    def __hash__(self) -> int:
        """Return the hash of the object, or that of its identity."""
        return hash(self.value) if is_hashable(self.value) else id(self.value)


@dataclass(frozen=True, slots=True)
class OwnFunction:
    """A function with the value of its first parameter, if that is bound.

    `wrappers` are the functions of decorators around it.
    """

    function: FunctionType
    owner: "FlowValue" = None
    wrappers: tuple[FunctionType, ...] = ()


class NameScope(Protocol):
    """A function that others are defined in.

    `names` are its values now, `shared` those that functions inside it have assigned or added to.
    """

    names: dict[str, "FlowValue"]
    shared: dict[str, "FlowValue"]


@dataclass(frozen=True, slots=True, eq=False)
class InnerFunction:
    """A function that is defined inside another.

    `names` are the values around it when it is defined, `scope` has the later ones.
    """

    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
    names: dict[str, "FlowValue"]
    around: FunctionType
    scope: "NameScope"


@dataclass(frozen=True, slots=True)
class ScreenPart:
    """A part of a screen, before it is called; `is_many` for several keys of a loader."""

    screen: type[Composition]
    member: PartMember
    is_many: bool = False


@dataclass(frozen=True, slots=True)
class ClientVerb:
    """A verb of a client, such as `self.get`."""

    service: type[Upstream]
    name: str


@dataclass(frozen=True, slots=True)
class ContainerMethod:
    """A method of a list, a dictionary or another value that is no object of the project."""

    owner: "FlowValue"
    name: str


@dataclass(frozen=True, slots=True)
class Several:
    """Several values; if it is repeated, the only one stands for any number."""

    values: tuple["FlowValue", ...]
    is_repeated: bool = False


@dataclass(frozen=True, slots=True)
class Keyed:
    """A dictionary whose keys the source shows; it may have `others`."""

    values: tuple[tuple[str, "FlowValue"], ...]
    has_others: bool = False


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of several values: what a name has after a condition."""

    values: tuple["FlowValue", ...]


@dataclass(frozen=True, slots=True)
class AttributeGetter:
    """What `operator.attrgetter` returns: paths of attributes."""

    paths: tuple[str, ...]


FlowValue: TypeAlias = (
    Typed
    | Existing
    | OwnFunction
    | InnerFunction
    | ScreenPart
    | ClientVerb
    | ContainerMethod
    | Several
    | Keyed
    | OneOf
    | AttributeGetter
    | None
)


def options_of(value: FlowValue) -> tuple[FlowValue, ...]:
    """Return the values of which a value is one."""
    return value.values if isinstance(value, OneOf) else (value,)


def one_of(*values: FlowValue) -> FlowValue:
    """Return a value that is one of these; unknown ones are left out, types are joined."""
    flat = [one for value in values for one in options_of(value) if one is not None]
    hint = union(one.hint for one in flat if isinstance(one, Typed))
    others = [one for one in dict.fromkeys(flat) if not isinstance(one, Typed)]
    found: list[FlowValue] = [*([] if hint is None else [Typed(hint)]), *others]
    return found[0] if len(found) == 1 else OneOf(tuple(found)) if found else None


def many(value: FlowValue) -> Several:
    """Return any number of values."""
    return Several((value,), is_repeated=True)


def hints_in(value: FlowValue) -> Iterator[Hint]:
    """Yield the types in a value."""
    if isinstance(value, Typed):
        yield value.hint
    elif isinstance(value, Several | OneOf):
        for one in value.values:
            yield from hints_in(one)
    elif isinstance(value, Keyed):
        for _, one in value.values:
            yield from hints_in(one)
    elif isinstance(value, ContainerMethod | OwnFunction):
        yield from hints_in(value.owner)


def holds_record(value: FlowValue) -> bool:
    """Whether a value is or holds an object whose fields may come from a service."""
    return any(is_record(kind) for hint in hints_in(value) for kind in classes_in(hint))


def holds_keys(value: FlowValue) -> bool:
    """Whether a value is or holds a dictionary whose keys the source shows."""
    if isinstance(value, Several | OneOf):
        return any(map(holds_keys, value.values))
    return isinstance(value, Keyed)


def is_record_value(value: FlowValue) -> bool:
    """Whether a value is itself such an object."""
    return any(
        (kind := class_of(one)) is not None and is_record(kind)
        for each in options_of(value)
        if isinstance(each, Typed)
        for one in members(each.hint)
    )


def joined(before: Mapping[str, FlowValue], after: Mapping[str, FlowValue]) -> dict[str, FlowValue]:
    """Return the values that names may have after one of two branches."""
    return {
        name: one_of(before.get(name), after.get(name)) for name in dict.fromkeys([*before, *after])
    }


def is_hashable(value: object) -> bool:
    """Whether an object has a hash."""
    try:
        hash(value)
    except TypeError:
        return False
    return True


def holds_code(value: FlowValue) -> bool:
    """Whether a value is or holds a function of the project."""
    if isinstance(value, Several | OneOf):
        return any(map(holds_code, value.values))
    if isinstance(value, Keyed):
        return any(holds_code(one) for _, one in value.values)
    return isinstance(value, OwnFunction | InnerFunction | ScreenPart)


def covers(hint: Hint, value: FlowValue) -> bool:
    """Whether an annotation names the classes of all objects in a value.

    It names no function: what one reads when it is called later would be lost.
    """
    if holds_code(value):
        return False
    if not holds_record(value):
        return True
    if hint is None or is_opaque(hint):
        return False
    declared = {kind for kind in classes_in(hint) if is_record(kind)}
    found = {kind for one in hints_in(value) for kind in _own_classes(one)}
    return all(any(are_related(kind, one) for one in declared) for kind in found)


def _own_classes(hint: Hint) -> set[type]:
    """Return the classes of objects in an annotation, not those in their fields."""
    found: set[type] = set()
    for one in members(hint):
        kind = class_of(one)
        if kind is not None and is_record(kind):
            found.add(kind)
        for inner in get_args(one):
            if inner is not ...:
                found |= _own_classes(inner)
    return found
