"""Checks that a result has exactly the types that a view declares, so that no other field is sent.

msgspec encodes all fields of an object, and a subclass may have more fields than the declared
class. Checking every value would cost as much as encoding it. So the check works on columns (all
values of one field at once), and only on fields that hold objects. It finds objects in other fields
by counting: a JSON document has as many opening braces as objects, unless a string contains one.
"""

import dataclasses
from collections.abc import Callable, Collection, Mapping, MutableMapping, MutableSequence, Sequence
from collections.abc import Set as AbstractSet
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from itertools import chain
from math import isfinite
from operator import attrgetter
from types import NoneType, UnionType
from typing import (
    Annotated,
    Any,
    Final,
    Literal,
    NewType,
    TypeGuard,
    TypeVar,
    Union,
    get_args,
    get_origin,
)
from typing import get_type_hints as hints_of
from uuid import UUID

import msgspec
from msgspec import UNSET
from pydantic.fields import FieldInfo

from bff_core.compat.pydantic import decides_its_schema, is_pydantic_class

SCALARS: Final = frozenset({
    NoneType, bool, int, float, str, datetime, date, time, Decimal, UUID,
})  # fmt: skip
"""Types that msgspec and pydantic encode alike."""

_NUMBERS: Final = frozenset({int, float})
_BUILTIN: Final = (Decimal, datetime, date, time, UUID)
_LISTS: Final = frozenset({list, tuple, set, frozenset})
_LIST_TYPES: Final = _LISTS | {Sequence, MutableSequence, Collection, AbstractSet}
_DICT_TYPES: Final = frozenset({dict, Mapping, MutableMapping})

Values = Collection[object]
Check = Callable[[Values], int]
"""Checks the values of one field, and returns how many JSON objects they are encoded as."""


class TypeMismatch(Exception):
    """A value is not of its declared type, and may have more fields."""


class NotFinite(ValueError):
    """A number can't be represented in JSON: NaN or infinity."""


class UnsupportedType(TypeError):
    """A type that msgspec does not encode as the OpenAPI document describes it."""


class ExactTypes:
    """The check of one declared type; raises `UnsupportedType`.

    A type `is_number_only` if it declares numbers, and nothing that a `Decimal` may be a value of:
    its decimals are encoded as numbers. In other types decimals are strings, and a number in a
    field of the other kind is a mismatch, which `convert` mends; so it is with `checks_decimals`.
    """

    def __init__(self, declared: object, *, checks_decimals: bool = False) -> None:
        quick, full = _Compiler(is_full=False), _Compiler(is_full=True)
        self._quick = quick.check_of(declared, {})
        self._full = full.check_of(declared, {})
        self._can_count = not quick.has_any
        self._has_numbers = quick.has_numbers
        may_hold_decimals = checks_decimals or quick.has_any or Decimal in quick.scalars
        self.is_number_only = not (may_hold_decimals or quick.scalars.isdisjoint(_NUMBERS))
        self.convert = number_conversion(declared) if may_hold_decimals else None
        if self.convert is not None:
            checking = _Compiler(is_full=False, checks_decimals=True)
            self._quick = checking.check_of(declared, {})

    def fits(self, result: object, body: bytes) -> bool:
        """Whether a result, which msgspec has encoded as `body`, has exactly the declared type.

        Raises `NotFinite` for NaN or infinity in a field that may not be null.
        """
        try:
            objects = self._quick((result,)) if self._quick else 0
            is_counted = not self._can_count or body.count(b"{") == objects
            has_null = self._has_numbers and b"null" in body
            # Looking for one letter is much faster than looking for a word.
            may_be_infinite = self.is_number_only and (
                (b"N" in body and b"NaN" in body) or (b"I" in body and b"Infinity" in body)
            )
            is_doubtful = has_null or may_be_infinite or not is_counted
            if self._full and is_doubtful:
                self._full((result,))
        except (TypeMismatch, TypeError, AttributeError):
            return False
        return True


def number_conversion(declared: Any) -> Callable[[object], object] | None:
    """Return a function that gives the numbers in a result their declared kind.

    None for a union of classes, which msgspec can't convert. The function raises
    `msgspec.ValidationError` or `TypeError` for a result that does not fit otherwise.
    """
    try:
        msgspec.json.Decoder(declared)
    except TypeError:
        return None

    def convert(result: object) -> object:
        return msgspec.convert(msgspec.to_builtins(result, builtin_types=_BUILTIN), declared)

    return convert


class _Objects:
    """Checks that values are instances of exactly one class."""

    def __init__(self, kind: type) -> None:
        self.kind = {kind}
        self.fields: list[tuple[Callable[[object], object], Check]] = []

    def __call__(self, values: Values) -> int:
        if not values:
            return 0
        if set(map(type, values)) != self.kind:
            raise TypeMismatch
        objects = len(values)
        for get, check in self.fields:
            objects += check([*map(get, values)])
        return objects


class _Compiler:
    """Compiles checks of types; a full check covers scalars and finite numbers as well.

    As in FastAPI, the items of lists and dicts must have their declared scalar types. The fields of
    a dataclass may have any scalar type, since its constructor has not checked them either.
    """

    def __init__(self, *, is_full: bool, checks_decimals: bool = False) -> None:
        self._is_full = is_full
        self._checks_decimals = checks_decimals
        self._is_inside = False
        self._objects: dict[object, _Objects] = {}
        self.has_any = False
        self.has_numbers = False
        self.scalars: set[object] = set()

    def check_of(self, declared: object, args: Mapping[object, object]) -> Check | None:
        """Return the check of a type; None if there is nothing to check."""
        declared = plain(declared, args)
        kind = get_origin(declared) or declared
        inner = get_args(declared)
        if is_scalar(declared):
            return self._scalar(declared)
        if declared is Any or declared is object:
            self.has_any = True
            return None
        if has_fields(kind):
            return self._objects_of(declared, kind, args)
        return self._container_of(kind, inner, args)

    def _scalar(self, *declared: object) -> Check | None:
        self.scalars.update(declared)
        if self._must_be_finite(declared) and self._is_full:
            return _finite
        if not self._is_inside:
            if any(kind is Decimal or get_origin(kind) is Literal for kind in declared):
                raise UnsupportedType("a type alone does not say which of its values are allowed")
            return _exactly({one for kind in declared for one in _types_of(kind)})
        if self._is_full:
            return _scalars
        refused = self._other_numbers(declared) if self._checks_decimals else ()
        return _none_of(refused) if refused else None

    def _other_numbers(self, declared: Collection[object]) -> Collection[type]:
        """Return the classes of numbers that a field does not declare, and encodes differently."""
        if Decimal not in declared:
            return {Decimal} if _NUMBERS.intersection(declared) else ()
        return () if _NUMBERS.intersection(declared) else _NUMBERS

    def _must_be_finite(self, kinds: Collection[object]) -> bool:
        """Whether one of these types is a float, and None is not among them."""
        is_number = float in kinds and NoneType not in kinds
        self.has_numbers |= is_number
        return is_number

    def _container_of(
        self, kind: object, inner: tuple[object, ...], args: Mapping[object, object]
    ) -> Check | None:
        if kind in {Union, UnionType}:
            return self._union_of(inner, args)
        if kind in _LIST_TYPES:
            return self._list_of(inner, args)
        if kind in _DICT_TYPES:
            return self._dict_of(inner, args)
        raise UnsupportedType(f"{kind!r} is not encoded by msgspec as OpenAPI describes it")

    def _objects_of(self, declared: object, kind: Any, args: Mapping[object, object]) -> Check:
        given = tuple(args.get(one, one) for one in get_args(declared))
        found = self._objects.get((kind, given))
        if found is None:
            found = self._objects[kind, given] = _Objects(kind)
            own = dict(zip(getattr(kind, "__parameters__", ()), given, strict=False))
            was_inside, self._is_inside = self._is_inside, True
            for name, hint in fields_of(kind).items():
                check = self.check_of(hint, own)
                if check is not None:
                    found.fields.append((attrgetter(name), check))
            self._is_inside = was_inside
        return found

    def _list_of(self, inner: tuple[object, ...], args: Mapping[object, object]) -> Check | None:
        kinds = [one for one in inner or (Any,) if one is not Ellipsis]
        if len(kinds) != 1:
            raise UnsupportedType("a tuple of several types")
        check = self.check_of(kinds[0], args)
        return None if check is None else _lists_of(check)

    def _dict_of(self, inner: tuple[object, ...], args: Mapping[object, object]) -> Check:
        key, value = inner or (str, Any)
        key = plain(key, args)
        if (
            key not in {str, int, UUID, date}
            and get_origin(key) is not Literal
            and not _is_enum(key)
        ):
            raise UnsupportedType(f"{key!r} as a key")
        if not self._is_inside and get_origin(key) is Literal:
            raise UnsupportedType("a type alone does not say which keys are allowed")
        keys = None if self._is_inside else _exactly(_types_of(key))
        return _dicts_of(self.check_of(value, args), keys)

    def _union_of(self, inner: tuple[object, ...], args: Mapping[object, object]) -> Check | None:
        given = [plain(one, args) for one in inner]
        kinds = [one for one in given if one not in {NoneType, msgspec.UnsetType}]
        is_optional = len(kinds) < len(given)
        if is_optional and kinds == [float]:
            return self._scalar(float, NoneType)
        if len(kinds) == 1:
            check = self.check_of(kinds[0], args)
            return check and _optional(check)
        checks = {
            get_origin(kind) or kind: self.check_of(kind, args)
            for kind in kinds
            if not is_scalar(kind)
        }
        if not all(map(has_fields, checks)):
            raise UnsupportedType("a union of containers")
        if not checks:
            return self._scalar(*kinds, *([NoneType] if is_optional else []))
        allowed = {kind for one in kinds if is_scalar(one) for kind in _types_of(one)}
        self.scalars |= allowed
        if float in allowed and self._is_inside:
            allowed.add(int)
        if self._must_be_finite(given) and self._is_full:
            checks |= {float: _finite}
        return _union(checks, {*allowed, NoneType, msgspec.UnsetType} if is_optional else allowed)


def plain(declared: object, args: Mapping[object, object]) -> object:
    """Return a type without aliases and metadata; pydantic's metadata raise `UnsupportedType`."""
    while True:
        if isinstance(declared, TypeVar):
            declared = args.get(declared, Any)
        elif isinstance(declared, NewType):
            declared = declared.__supertype__
        elif get_origin(declared) is Annotated:
            declared, *metadata = get_args(declared)
            if any(map(_is_of_pydantic, metadata)):
                raise UnsupportedType(
                    "Annotated metadata may change how pydantic encodes the value"
                )
        elif declared is None:
            return NoneType
        else:
            return declared


def _is_of_pydantic(metadata: object) -> bool:
    """Whether metadata, or a default, may change how pydantic encodes a value."""
    return isinstance(metadata, FieldInfo) or decides_its_schema(metadata)


def is_scalar(declared: object) -> bool:
    """Whether values of a type have no fields and no items."""
    return declared in SCALARS or get_origin(declared) is Literal or _is_enum(declared)


def _is_enum(declared: object) -> bool:
    """Whether a type is an enum of strings or of integers, as msgspec supports them."""
    if not (isinstance(declared, type) and issubclass(declared, Enum)):
        return False
    kinds = {type(one.value) for one in declared}
    return kinds in ({str}, {int})


def _types_of(scalar: object) -> set[type]:
    if get_origin(scalar) is Literal:
        return {type(one) for one in get_args(scalar)}
    assert isinstance(scalar, type)  # noqa: S101 - every other scalar is a class
    return {scalar}


def has_fields(kind: object) -> bool:
    """Whether a class is a dataclass or a Struct whose fields are encoded as declared."""
    if is_struct(kind):
        return not kind.__struct_config__.array_like
    if not (isinstance(kind, type) and dataclasses.is_dataclass(kind)):
        return False
    return not is_pydantic_class(kind) and all(
        not _is_of_pydantic(one.default) for one in dataclasses.fields(kind)
    )


def is_struct(kind: object) -> TypeGuard[type[msgspec.Struct]]:
    """Whether a class is a msgspec Struct."""
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def fields_of(kind: Any) -> dict[str, object]:
    """Return the types of the fields of a dataclass or a Struct, by their names in Python."""
    hints = hints_of(kind, include_extras=True)
    if is_struct(kind):
        return {name: hints[name] for name in kind.__struct_fields__}
    return {one.name: hints[one.name] for one in dataclasses.fields(kind)}


def _exactly(kinds: Collection[type]) -> Check:
    allowed = frozenset(kinds)

    def check_types(values: Values) -> int:
        if not allowed.issuperset(map(type, values)):
            raise TypeMismatch
        return 0

    return check_types


def _none_of(refused: Collection[type]) -> Check:
    kinds = frozenset(refused)

    def check_types(values: Values) -> int:
        if not kinds.isdisjoint(map(type, values)):
            raise TypeMismatch
        return 0

    return check_types


def _scalars(values: Values) -> int:
    if any(kind not in SCALARS and not _is_scalar_type(kind) for kind in set(map(type, values))):
        raise TypeMismatch
    if not all(one.is_finite() for one in values if isinstance(one, Decimal)):
        raise TypeMismatch
    return 0


def _is_scalar_type(kind: type) -> bool:
    return issubclass(kind, str | int | Enum)


def _finite(values: Values) -> int:
    if not all(map(isfinite, [one for one in values if isinstance(one, float | Decimal)])):
        raise NotFinite("a view answers with NaN or infinity where it declares a number")
    return _scalars(values)


def _lists_of(check: Check) -> Check:
    def check_items(values: Values) -> int:
        if not _LISTS.issuperset(map(type, values)):
            raise TypeMismatch
        lists: Any = values
        return check([*chain.from_iterable(lists)])

    return check_items


def _dicts_of(check: Check | None, check_keys: Check | None) -> Check:
    def check_values(values: Values) -> int:
        if not all(type(one) is dict for one in values):
            raise TypeMismatch
        dicts: Any = values
        if check_keys is not None:
            check_keys([*chain.from_iterable(dicts)])
        found = check([*chain.from_iterable(one.values() for one in dicts)]) if check else 0
        return len(values) + found

    return check_values


def _optional(check: Check) -> Check:
    return lambda values: check([one for one in values if one is not None and one is not UNSET])


def _union(checks: Mapping[Any, Check | None], scalars: Collection[type]) -> Check:
    allowed = frozenset({*checks, *scalars})

    def check_each(values: Values) -> int:
        if not allowed.issuperset(map(type, values)):
            raise TypeMismatch
        return sum(
            check([one for one in values if type(one) is kind])
            for kind, check in checks.items()
            if check is not None
        )

    return check_each
