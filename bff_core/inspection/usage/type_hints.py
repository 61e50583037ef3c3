"""Annotations as types of values: what an item, an attribute or a member of a union is."""

import types
import typing
from collections.abc import (
    Awaitable,
    Coroutine,
    Iterable,
    Mapping,
)
from dataclasses import is_dataclass
from functools import cache
from typing import (
    Annotated,
    Any,
    Final,
    NotRequired,
    Required,
    TypeVar,
    Union,
    get_args,
    get_origin,
)

import msgspec
from pydantic import BaseModel
from typing_extensions import ReadOnly, TypeAliasType, is_typeddict

from bff_core.composition.composition import Composition
from bff_core.inspection.function_source import hints_of
from bff_core.upstream.client import Upstream
from bff_core.upstream.typed_reply import TypedReply

Hint = Any
"""An annotation: `Order`, `list[Order]`, `Order | None`."""

_WRAPPERS: Final = (Annotated, typing.Final, typing.ClassVar, Required, NotRequired, ReadOnly)
_AWAITED: Final = (Awaitable, Coroutine)
_PLAIN: Final = (str, bytes, int, float, bool, complex, type(None))


def plain(hint: Hint) -> Hint:
    """Return an annotation without what does not change its type, such as `Annotated`."""
    while True:
        origin: Any = get_origin(hint)
        if origin in _WRAPPERS:
            hint = get_args(hint)[0]
        elif origin in _AWAITED:
            hint = get_args(hint)[-1]
        elif isinstance(hint, typing.NewType):
            hint = hint.__supertype__
        elif isinstance(hint, TypeAliasType):
            hint = hint.__value__
        else:
            return hint


def members(hint: Hint) -> tuple[Hint, ...]:
    """Return the members of a union without None, or the only type."""
    hint = plain(hint)
    if get_origin(hint) in {Union, types.UnionType}:
        return tuple(one for each in get_args(hint) for one in members(each))
    options = getattr(getattr(hint, "__from_json__", None), "options", None)
    if isinstance(hint, type) and isinstance(options, tuple):  # a union of a generated client
        return tuple(one for each in options for one in members(each))
    return () if hint is type(None) or hint is None else (hint,)


def union(hints: Iterable[Hint]) -> Hint:
    """Return the union of annotations; None if there are none."""
    found = tuple(dict.fromkeys(one for hint in hints if hint is not None for one in members(hint)))
    return Union[found] if found else None  # noqa: UP007 # of a tuple


def class_of(hint: Hint) -> type | None:
    """Return the class of an annotation without its arguments."""
    hint = plain(hint)
    found = get_origin(hint) or hint
    return found if isinstance(found, type) else None


def is_opaque(hint: Hint) -> bool:
    """Whether an annotation says nothing about its values: `Any`, `object`, a type variable."""
    hint = plain(hint)
    return hint in {Any, object} or isinstance(hint, TypeVar | str | typing.ForwardRef)


def is_record(kind: type) -> bool:
    """Whether a class declares fields that replies are decoded to."""
    return _is_record(kind)


@cache
def _is_record(kind: Hint) -> bool:
    if issubclass(kind, TypedReply | Composition | Upstream):
        return False
    is_named = issubclass(kind, tuple) and hasattr(kind, "_fields")
    is_model = issubclass(kind, msgspec.Struct | BaseModel)
    return bool(is_dataclass(kind) or is_model or is_named or is_typeddict(kind))


def bound_variables(hint: Hint) -> Mapping[Hint, Hint]:
    """Return the types of the type variables of a generic class: of `Page[Order]`, T is Order."""
    kind, given = class_of(hint), get_args(hint)
    if kind is None or not given:
        return {}
    declared = getattr(kind, "__parameters__", ()) or getattr(kind, "__type_params__", ())
    return dict(zip(declared, given, strict=False))


def substituted(hint: Hint, bound: Mapping[Hint, Hint]) -> Hint:
    """Return an annotation with the types of its type variables."""
    if not bound:
        return hint
    hint = plain(hint)
    if isinstance(hint, TypeVar):
        return bound.get(hint, hint)
    given, origin = get_args(hint), get_origin(hint)
    if not given or not any(_has_variable(one) for one in given):
        return hint
    replaced = tuple(substituted(one, bound) for one in given)
    if origin in {Union, types.UnionType}:
        return Union[replaced]  # noqa: UP007 # of a tuple
    return types.GenericAlias(origin, replaced) if isinstance(origin, type) else hint


def _has_variable(hint: Hint) -> bool:
    return isinstance(hint, TypeVar) or any(_has_variable(one) for one in get_args(hint))


def has_variables(hint: Hint) -> bool:
    """Whether an annotation has type variables."""
    return _has_variable(plain(hint))


def attribute_hint(hint: Hint, name: str) -> Hint:
    """Return the annotation of an attribute of a class; None if it declares none."""
    kind = class_of(hint)
    found = None if kind is None else class_hints(kind).get(name)
    return None if found is None else substituted(found, bound_variables(hint))


@cache
def class_hints(kind: Hint) -> Mapping[str, Hint]:
    """Return the annotations of a class."""
    return hints_of(kind)


_MAPPINGS: Final = (dict, Mapping)


def item_hint(hint: Hint) -> Hint:
    """Return what iteration over a value yields; None if that is not known."""
    return union(_item(one) for one in members(hint))


def _item(hint: Hint) -> Hint:
    kind, given = class_of(hint), get_args(hint)
    if kind is None or not given or is_record(kind):
        return None
    if issubclass(kind, tuple):
        return union(one for one in given if one is not ...)
    return given[0]


def mapped_hint(hint: Hint) -> Hint:
    """Return the type of the values of a mapping, or of the items of a sequence."""
    return union(
        get_args(one)[-1] if is_mapping(one) and get_args(one) else _item(one)
        for one in members(hint)
    )


def is_mapping(hint: Hint) -> bool:
    """Whether values are mappings."""
    kind = class_of(hint)
    return kind is not None and not is_typeddict(kind) and issubclass(kind, _MAPPINGS)


def classes_in(hint: Hint) -> frozenset[type]:
    """Return the classes in an annotation, also those in the annotations of their fields."""
    found: set[type] = set()
    _collect(hint, found)
    return frozenset(found)


def _collect(hint: Hint, found: set[type]) -> None:
    for one in members(hint):
        kind = class_of(one)
        for inner in get_args(one):
            if inner is not ...:
                _collect(inner, found)
        if kind is None or kind in found or kind in _PLAIN:
            continue
        found.add(kind)
        if not _is_builtin(kind) and not issubclass(kind, Composition | Upstream):
            declared: Hint = kind
            for each in class_hints(declared).values():
                _collect(each, found)


def _is_builtin(kind: type) -> bool:
    return kind.__module__ in {"builtins", "collections", "collections.abc", "typing"}


def is_subclass(one: type, other: type) -> bool:
    """Whether a class is a subclass of another; protocols and typed dictionaries are no bases."""
    try:
        return issubclass(one, other)
    except TypeError:
        return one is other


def are_related(one: type, other: type) -> bool:
    """Whether an object of one class may be one of the other."""
    return is_subclass(one, other) or is_subclass(other, one)
