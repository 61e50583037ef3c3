"""Rebuilds type forms from msgspec's descriptions, to decode a part of a type alone."""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from types import GenericAlias
from typing import Annotated, Any, Final, Literal, Union
from uuid import UUID

import msgspec
from msgspec import Meta, inspect

NATIVE: Final[dict[type[inspect.Type], type]] = {
    inspect.BoolType: bool, inspect.IntType: int, inspect.FloatType: float, inspect.StrType: str,
    inspect.BytesType: bytes, inspect.ByteArrayType: bytearray,
    inspect.MemoryViewType: memoryview, inspect.DateTimeType: datetime, inspect.DateType: date,
    inspect.TimeType: time, inspect.TimeDeltaType: timedelta, inspect.UUIDType: UUID,
    inspect.DecimalType: Decimal, inspect.RawType: msgspec.Raw,
}  # fmt: skip
"""The classes of msgspec's simple types."""

LISTS: Final[dict[type[inspect.Type], Callable[[Any], Any]]] = {
    inspect.ListType: lambda item: GenericAlias(list, (item,)),
    inspect.CollectionType: lambda item: GenericAlias(list, (item,)),
    inspect.SetType: lambda item: GenericAlias(set, (item,)),
    inspect.FrozenSetType: lambda item: GenericAlias(frozenset, (item,)),
    inspect.VarTupleType: lambda item: GenericAlias(tuple, (item, ...)),
}
"""Types of any number of items of one type, with the form of each."""

_CONSTRAINTS: Final = (
    *("gt", "ge", "lt", "le", "multiple_of"),
    *("min_length", "max_length", "pattern", "tz"),
)

_KINDS: Final[tuple[tuple[tuple[type[inspect.Type], ...], Callable[[Any], bool]], ...]] = (
    (
        (
            *(inspect.StructType, inspect.DataclassType, inspect.TypedDictType),
            *(inspect.DictType, inspect.FrozenDictType),
        ),
        lambda value: isinstance(value, dict),
    ),
    (
        (*LISTS, inspect.TupleType, inspect.NamedTupleType),
        lambda value: isinstance(value, list),
    ),
    (
        (inspect.IntType,),
        lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    ),
    ((inspect.EnumType, inspect.LiteralType), lambda value: isinstance(value, str | int | float)),
    ((inspect.CustomType, inspect.AnyType), lambda value: value is not None),
    (tuple(NATIVE), lambda value: isinstance(value, str)),
)
"""The JSON kind of each type that may need coercion."""


def form(info: inspect.Type) -> Any:
    """Return the type form that `info` describes, with its constraints."""
    if isinstance(info, inspect.Metadata):
        return form(info.type)
    limits = {
        name: value for name in _CONSTRAINTS if (value := getattr(info, name, None)) is not None
    }
    return Annotated[_plain(info), Meta(**limits)] if limits else _plain(info)


def _plain(info: inspect.Type) -> Any:
    made: Any
    if isinstance(info, inspect.UnionType):
        made = Union[tuple(map(form, info.types))]  # noqa: UP007 - of any number
    elif isinstance(info, inspect.LiteralType):
        made = Literal[tuple(info.values)]
    elif isinstance(info, inspect.TupleType):
        made = GenericAlias(tuple, tuple(map(form, info.item_types)))
    elif isinstance(info, inspect.DictType | inspect.FrozenDictType):
        made = GenericAlias(dict, (form(info.key_type), form(info.value_type)))
    elif type(info) in LISTS:
        made = LISTS[type(info)](form(getattr(info, "item_type", info)))
    else:
        made = class_of(info)
    return made


def class_of(info: inspect.Type) -> Any:
    """Return the class of a type without arguments; None for null, Any for `Any`."""
    if isinstance(info, inspect.AnyType):
        return Any
    return getattr(info, "cls", NATIVE.get(type(info)))


def takes(info: inspect.Type) -> Callable[[Any], bool]:
    """Return a predicate: whether a plain value matches a member of a union, by its JSON kind."""
    if isinstance(info, inspect.Metadata):
        return takes(info.type)
    if isinstance(info, inspect.StructType) and (info.array_like or info.tag_field is not None):
        return _takes_struct(info)
    return next((holds for kinds, holds in _KINDS if isinstance(info, kinds)), _takes_nothing)


def _takes_struct(info: inspect.StructType) -> Callable[[Any], bool]:
    """Return a predicate: whether a plain value matches a struct that is a list, or has a tag."""
    tag, name = info.tag, info.tag_field

    def is_it(value: Any) -> bool:
        if info.array_like:
            return isinstance(value, list) and (name is None or value[:1] == [tag])
        return isinstance(value, dict) and value.get(name) == tag

    return is_it


def _takes_nothing(value: Any) -> bool:
    del value
    return False
