"""Makes a value of a declared type, in the place of what a part could not load."""

import dataclasses
import enum
import re
from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from types import MappingProxyType, NoneType, UnionType
from typing import Any, Final, Literal, Union, get_args, get_origin, get_type_hints
from uuid import UUID

import msgspec

from bff_core.composition.annotations import without_aliases
from bff_core.console.origins.marked_values import (
    MarkedText,
    copied,
    fields_of,
    is_marked,
    set_field,
)

PLAIN: Final[Mapping[type, object]] = {
    str: "sample",
    int: 1,
    float: 1.5,
    bool: True,
    bytes: b"sample",
    Decimal: Decimal(1),
    date: date(2020, 1, 1),
    datetime: datetime(2020, 1, 1, tzinfo=UTC),
    UUID: UUID(int=1),
}

MAX_DEPTH: Final = 8
"""Levels of objects; a class may contain itself."""


_ID: Final = re.compile(r"(^|_)id$")


class NoSample(Exception):
    """There is no value of this type that is certainly right."""


class AnyKey(dict[Any, Any]):
    """A batch of a loader that has a value under every key: a sample where it has none itself.

    The fields `id` and `..._id` of the sample have the key as their value.
    """

    def __init__(self, sample: object, known: Mapping[Any, Any] = MappingProxyType({})) -> None:
        super().__init__(known)
        self.sample = sample

    def __missing__(self, key: object) -> object:
        copy = copied(self.sample, lambda value, _: value)
        key = key.original if isinstance(key, MarkedText) else key
        for name in fields_of(copy) or ():
            value = getattr(copy, name, None)
            if isinstance(value, str) and isinstance(key, str) and _ID.search(name):
                set_field(copy, name, MarkedText.of(key) if is_marked(value) else key)
        return copy


def sample_of_part(body: Any, *, is_loader: bool) -> object:
    """Return a value that the body of a part could return; raise `NoSample` without one."""
    try:
        declared = get_type_hints(body).get("return", Any)
    except (NameError, TypeError):
        raise NoSample from None
    if is_loader:
        arguments = get_args(declared)
        if len(arguments) != 2:
            raise NoSample
        return AnyKey(sample_of(arguments[1]))
    return sample_of(declared)


def sample_of(declared: Any, depth: int = MAX_DEPTH) -> Any:  # noqa: PLR0911 # by kind of type
    """Return a value of a type; lists have one item. Raise `NoSample` for an unknown type."""
    kind, _ = without_aliases(declared)
    origin, arguments = get_origin(kind), get_args(kind)
    if depth == 0:
        raise NoSample
    if origin in {Union, UnionType}:
        return sample_of(next(one for one in arguments if one is not NoneType), depth)
    if origin is Literal:
        return arguments[0]
    made_of = origin or kind
    if not isinstance(made_of, type):
        raise NoSample
    if made_of in PLAIN:
        return PLAIN[made_of]
    if issubclass(made_of, enum.Enum):
        return next(iter(made_of))
    if issubclass(made_of, Mapping):
        return {sample_of(arguments[0], depth - 1): sample_of(arguments[1], depth - 1)}
    if issubclass(made_of, Collection) and arguments:
        item = sample_of(arguments[0], depth - 1)
        return (item,) if issubclass(made_of, tuple) or made_of.__module__ != "builtins" else [item]
    return _object_of(made_of, depth)


def _object_of(kind: type, depth: int) -> object:
    if not (dataclasses.is_dataclass(kind) or issubclass(kind, msgspec.Struct)):
        raise NoSample
    try:
        hints = get_type_hints(kind)
        if issubclass(kind, msgspec.Struct):
            names = list(kind.__struct_fields__)
        else:
            names = [one.name for one in dataclasses.fields(kind) if one.init]
        return kind(**{name: _field(hints[name], depth - 1) for name in names})
    except (NameError, TypeError, ValueError):
        raise NoSample from None


def _field(declared: Any, depth: int) -> object:
    """Return the value of a field; None where it may be None and nothing else is known."""
    try:
        return sample_of(declared, depth)
    except NoSample:
        if NoneType in get_args(declared):
            return None
        if issubclass(get_origin(declared) or object, Collection):
            return ()
        raise
