"""Coerces plain JSON values to a type: integers, dates, decoders, and what is omitted."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import Any, Final

import msgspec
from msgspec import inspect

from bff_core.upstream.reading.dates import NoZone, readable
from bff_core.upstream.reading.options import Decoder, ReadingOptions, call_decoder
from bff_core.upstream.reading.plain_json import Number, render
from bff_core.upstream.reading.pydantic_models import is_model, path_text, without_misfits
from bff_core.upstream.reading.type_forms import LISTS, class_of, form, takes

Hook = Callable[[type, object], object]


@dataclass(frozen=True, slots=True)
class ValuePath:
    """The path of a value from the root: `$.items[3].price`."""

    outer: "ValuePath | None" = None
    step: str = "$"

    def __str__(self) -> str:
        return f"{self.outer or ''}{self.step}"

    def member(self, name: str) -> "ValuePath":
        """Return the path of a field."""
        return ValuePath(self, f".{name}")

    def item(self, index: int) -> "ValuePath":
        """Return the path of an item of a list."""
        return ValuePath(self, f"[{index}]")


ROOT: Final = ValuePath()

UNRECOGNIZED: Final = "UNRECOGNIZED"
"""The member that an enum may have for values that it does not know, for tolerant reading."""

Omissions = list[str]
"""The omitted values: each path with the reason, never the content."""

Coerce = Callable[[Any, ValuePath, Omissions], Any]
"""Returns a value coerced to a type; adds what it omits to the list."""

_Fields = (
    inspect.StructType | inspect.DataclassType | inspect.TypedDictType | inspect.NamedTupleType
)
_FIELDS: Final = (
    inspect.StructType, inspect.DataclassType, inspect.TypedDictType, inspect.NamedTupleType,
)  # fmt: skip


class Coercion:
    """Compiles the functions that coerce plain values to types, one for each type."""

    def __init__(self, options: ReadingOptions, hook: Hook) -> None:
        self._is_tolerant = options.is_tolerant
        self._zone = options.zone
        self._refuses_naive = options.refuses_naive
        self._decoders = dict(options.decoders)
        self._hook = hook
        self._known: dict[object, Coerce] = {}

    def of(self, info: inspect.Type) -> Coerce:
        """Return the function of a type; a recursive type has one for all its levels."""
        match info:
            case inspect.Metadata():
                return self.of(info.type)
            case inspect.UnionType():
                return self._union(info.types)
            case inspect.DictType() | inspect.FrozenDictType():
                return self._dictionary(info)
            case inspect.TupleType():
                return _tuple([self.of(one) for one in info.item_types])
        if type(info) in LISTS:
            return self._list(getattr(info, "item_type", info))
        coerce = self._object(info) if isinstance(info, _FIELDS) else self._leaf(info)
        decoder = self._decoder(info)
        return coerce if decoder is None else self._decoded(info, coerce, decoder)

    def _leaf(self, info: inspect.Type) -> Coerce:
        match info:
            case inspect.IntType():
                return _integer
            case inspect.DateTimeType():
                return self._datetime
            case inspect.CustomType() if self._is_tolerant and is_model(info.cls):
                return partial(_reduced, info.cls)
            case inspect.EnumType():
                return self._enum(info.cls)
            case inspect.LiteralType():
                return _integer if any(type(one) is int for one in info.values) else _unchanged
        return _unchanged

    def _enum(self, kind: type[Enum]) -> Coerce:
        if self._is_tolerant and UNRECOGNIZED in kind.__members__:
            return partial(_recognized, kind)
        is_numeric = any(type(one.value) is int for one in kind)
        return _integer if is_numeric else _unchanged

    def _datetime(self, value: Any, path: ValuePath, omitted: Omissions) -> Any:
        del omitted
        if not isinstance(value, str):
            return value
        try:
            return readable(value, self._zone, refuses=self._refuses_naive)
        except NoZone as error:
            raise NoZone(f"{error} - at `{path}`") from None

    def _decoded(self, info: inspect.Type, coerce: Coerce, decoder: Decoder) -> Coerce:
        """Return a function that calls the upstream's own decoder for values that do not fit.

        The policy for datetimes without a zone applies to those that it returns.
        """
        check = self._check(info)

        def decode(value: Any, path: ValuePath, omitted: Omissions) -> Any:
            coerced = coerce(value, path, omitted)
            if not check(coerced):
                return coerced
            try:
                made = call_decoder(decoder, value)
            except ValueError:
                return coerced
            plain = msgspec.to_builtins(made)
            return coerce(plain, path, omitted) if isinstance(info, inspect.DateTimeType) else plain

        return decode

    def _list(self, item_type: inspect.Type) -> Coerce:
        slot = self._slot(item_type, is_optional=True)

        def coerce_all(value: Any, path: ValuePath, omitted: Omissions) -> Any:
            if not isinstance(value, list):
                return value
            coerced = (slot(one, path.item(index), omitted) for index, one in enumerate(value))
            return [one for one in coerced if one is not _OMITTED]

        return coerce_all

    def _dictionary(self, info: inspect.DictType | inspect.FrozenDictType) -> Coerce:
        slot = self._slot(info.value_type, is_optional=True)
        coerce_key = (
            self._datetime if isinstance(info.key_type, inspect.DateTimeType) else _unchanged
        )
        check_key = self._check(inspect.DictType(info.key_type, inspect.AnyType()))
        check = check_key if self._is_tolerant else _accept

        def coerce_all(value: Any, path: ValuePath, omitted: Omissions) -> Any:
            if not isinstance(value, dict):
                return value
            entries = {}
            there = ValuePath(path, "[...]")  # a key may be content
            for name, one in value.items():
                key = coerce_key(name, there, omitted)
                if check({key: None}):
                    omitted.append(f"{there}: an unknown key")
                elif (entry := slot(one, there, omitted)) is not _OMITTED:
                    entries[key] = entry
            return entries

        return coerce_all

    def _object(self, info: _Fields) -> Coerce:
        known = self._known.get(info.cls)
        if known is not None:
            return known
        fields: dict[str, Coerce] = {}
        if isinstance(info, inspect.StructType) and info.tag_field is not None:
            fields[info.tag_field] = _unchanged
        passes_unknown = isinstance(info, inspect.StructType) and info.forbid_unknown_fields

        def coerce_all(value: Any, path: ValuePath, omitted: Omissions) -> Any:
            if isinstance(value, list):
                return _in_order(value, list(fields.values()), path, omitted)
            if not isinstance(value, dict):
                return value
            result = {}
            for name, one in value.items():
                if name not in fields and not passes_unknown:
                    continue
                member = fields.get(name, _unchanged)(one, path.member(name), omitted)
                if member is not _OMITTED:
                    result[name] = member
            return result

        self._known[info.cls] = coerce_all
        for field in info.fields:
            fields[field.encode_name] = self._slot(field.type, is_optional=not field.required)
        return coerce_all

    def _slot(self, info: inspect.Type, *, is_optional: bool) -> Coerce:
        """Return the function that coerces a value, or omits it if tolerant reading allows that."""
        coerce = self.of(info)
        if not (is_optional and self._is_tolerant):
            return coerce
        check = self._check(info)

        def coerce_or_omit(value: Any, path: ValuePath, omitted: Omissions) -> Any:
            before = len(omitted)
            try:
                coerced = coerce(value, path, omitted)
                why = check(coerced)
            except NoZone:
                coerced, why = None, "without a zone"
            if not why:
                return coerced
            omitted[before:] = [f"{path}: {why}"]
            return _OMITTED

        return coerce_or_omit

    def _union(self, types: Sequence[inspect.Type]) -> Coerce:
        """Return the function that coerces a value to the union's member of its JSON kind."""
        has_float = any(isinstance(one, inspect.FloatType | inspect.DecimalType) for one in types)
        functions = [
            (takes(one), self.of(one))
            for one in types
            if not (has_float and isinstance(one, inspect.IntType))
        ]
        last = [self.of(one) for one in types if self._decoder(one) is not None]

        def coerce_one(value: Any, path: ValuePath, omitted: Omissions) -> Any:
            coerce = next((coerce for is_taken, coerce in functions if is_taken(value)), None)
            if coerce is None and last and value is not None:
                coerce = last[0]
            return value if coerce is None else coerce(value, path, omitted)

        return coerce_one

    def _decoder(self, info: inspect.Type) -> Decoder | None:
        """Return the upstream's decoder of a type; msgspec calls those of custom types itself."""
        if isinstance(info, inspect.CustomType):
            return None
        return self._decoders.get(class_of(info))

    def _check(self, info: inspect.Type) -> Callable[[Any], str]:
        """Return the function that returns why a value does not match a type, or nothing."""
        decode = msgspec.json.Decoder(form(info), dec_hook=self._hook).decode

        def check(value: Any) -> str:
            try:
                decode(render(value))
            except (ValueError, RecursionError) as error:
                if value is None:
                    return "null"
                is_member = str(error).startswith("Invalid enum value")
                return "an unknown member" if is_member else "does not fit"
            return ""

        return check


def _unchanged(value: Any, path: ValuePath, omitted: Omissions) -> Any:
    del path, omitted
    return value


def _accept(value: Any) -> str:
    del value
    return ""


_OMITTED: Final = object()
"""Placeholder for an omitted value."""


def _integer(value: Any, path: ValuePath, omitted: Omissions) -> Any:
    """Return 1.0 and 1e3 as integers."""
    del path, omitted
    if not isinstance(value, Number) or value.is_written_as_integer:
        return value
    integer = value.integer
    return value if integer is None else integer


def _recognized(kind: type[Enum], value: Any, path: ValuePath, omitted: Omissions) -> Any:
    """Return a value of an enum, or that of its member for values that it does not know."""
    plain = _integer(value, path, omitted)
    number = plain.integer if isinstance(plain, Number) else plain
    if not isinstance(number, str | int) or any(one.value == number for one in kind):
        return plain
    omitted.append(f"{path}: an unknown member")
    return kind[UNRECOGNIZED].value


def _reduced(kind: type, value: Any, path: ValuePath, omitted: Omissions) -> Any:
    """Return a value without the parts that a pydantic model refuses and has defaults for."""
    rest, removed = without_misfits(kind, value)
    omitted += [f"{path}{path_text(one.path)}: {one.why}" for one in removed]
    return rest


def _tuple(functions: Sequence[Coerce]) -> Coerce:
    def coerce_all(value: Any, path: ValuePath, omitted: Omissions) -> Any:
        return _in_order(value, functions, path, omitted) if isinstance(value, list) else value

    return coerce_all


def _in_order(
    value: list[Any], functions: Sequence[Coerce], path: ValuePath, omitted: Omissions
) -> list[Any]:
    coerced = [
        coerce(one, path.item(index), omitted)
        for index, (coerce, one) in enumerate(zip(functions, value, strict=False))
    ]
    return coerced + value[len(coerced) :]
