"""Coercion of plain values to a type: whole numbers, dates, decoders, and omitted values."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import msgspec
from msgspec import inspect

from bff_core.upstream.reading.dates import NoZone, readable
from bff_core.upstream.reading.options import Decoder, ReadingOptions, call_decoder
from bff_core.upstream.reading.plain_json import Number, render
from bff_core.upstream.reading.pydantic_models import is_model, without_misfits, written
from bff_core.upstream.reading.type_forms import LISTS, class_of, form, takes

Hook = Callable[[type, object], object]


@dataclass(frozen=True, slots=True)
class Place:
    """The path of a value from the root: `$.items[3].price`."""

    outer: "Place | None" = None
    step: str = "$"

    def __str__(self) -> str:
        return f"{self.outer or ''}{self.step}"

    def member(self, name: str) -> "Place":
        """Return the place of a field."""
        return Place(self, f".{name}")

    def item(self, index: int) -> "Place":
        """Return the place of an item of a list."""
        return Place(self, f"[{index}]")


ROOT: Final = Place()

Lost = list[str]
"""The omitted values: each path and the reason, never the content."""

Fit = Callable[[Any, Place, Lost], Any]
"""Returns a value coerced to the type; records what it omits."""

_Fields = (
    inspect.StructType | inspect.DataclassType | inspect.TypedDictType | inspect.NamedTupleType
)
_FIELDS: Final = (
    inspect.StructType, inspect.DataclassType, inspect.TypedDictType, inspect.NamedTupleType,
)  # fmt: skip


class Fitting:
    """Compiles, for each type, the function that coerces plain values to it."""

    def __init__(self, options: ReadingOptions, hook: Hook) -> None:
        self._is_tolerant = options.is_tolerant
        self._zone = options.zone
        self._refuses_naive = options.refuses_naive
        self._decoders = dict(options.decoders)
        self._hook = hook
        self._known: dict[object, Fit] = {}

    def of(self, info: inspect.Type) -> Fit:
        """Return the function of a type; of a type that holds itself there is one."""
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
        fit = self._object(info) if isinstance(info, _FIELDS) else self._leaf(info)
        decoder = self._decoder(info)
        return fit if decoder is None else self._decoded(info, fit, decoder)

    def _leaf(self, info: inspect.Type) -> Fit:
        match info:
            case inspect.IntType():
                return _whole
            case inspect.DateTimeType():
                return self._moment
            case inspect.CustomType() if self._is_tolerant and is_model(info.cls):
                return partial(_reduced, info.cls)
            case inspect.EnumType():
                is_numeric = any(type(one.value) is int for one in info.cls)
                return _whole if is_numeric else _same
            case inspect.LiteralType():
                return _whole if any(type(one) is int for one in info.values) else _same
        return _same

    def _moment(self, value: Any, place: Place, lost: Lost) -> Any:
        del lost
        if not isinstance(value, str):
            return value
        try:
            return readable(value, self._zone, refuses=self._refuses_naive)
        except NoZone as error:
            raise NoZone(f"{error} - at `{place}`") from None

    def _decoded(self, info: inspect.Type, fit: Fit, decoder: Decoder) -> Fit:
        """Return a function that uses an upstream's own decoder for values that do not fit.

        A datetime that it makes without a zone is dealt with as the policy says.
        """
        check = self._check(info)

        def decode(value: Any, place: Place, lost: Lost) -> Any:
            fitted = fit(value, place, lost)
            if not check(fitted):
                return fitted
            try:
                made = call_decoder(decoder, value)
            except ValueError:
                return fitted
            plain = msgspec.to_builtins(made)
            return fit(plain, place, lost) if isinstance(info, inspect.DateTimeType) else plain

        return decode

    def _list(self, item_type: inspect.Type) -> Fit:
        slot = self._slot(item_type, is_optional=True)

        def fit_all(value: Any, place: Place, lost: Lost) -> Any:
            if not isinstance(value, list):
                return value
            fitted = (slot(one, place.item(index), lost) for index, one in enumerate(value))
            return [one for one in fitted if one is not _LEFT_OUT]

        return fit_all

    def _dictionary(self, info: inspect.DictType | inspect.FrozenDictType) -> Fit:
        slot = self._slot(info.value_type, is_optional=True)
        fit_key = self._moment if isinstance(info.key_type, inspect.DateTimeType) else _same
        check_key = self._check(inspect.DictType(info.key_type, inspect.AnyType()))
        check = check_key if self._is_tolerant else _fits

        def fit_all(value: Any, place: Place, lost: Lost) -> Any:
            if not isinstance(value, dict):
                return value
            entries = {}
            there = Place(place, "[...]")  # a key may be content
            for name, one in value.items():
                key = fit_key(name, there, lost)
                if check({key: None}):
                    lost.append(f"{there}: an unknown key")
                elif (entry := slot(one, there, lost)) is not _LEFT_OUT:
                    entries[key] = entry
            return entries

        return fit_all

    def _object(self, info: _Fields) -> Fit:
        known = self._known.get(info.cls)
        if known is not None:
            return known
        fields: dict[str, Fit] = {}
        if isinstance(info, inspect.StructType) and info.tag_field is not None:
            fields[info.tag_field] = _same
        keeps_unknown = isinstance(info, inspect.StructType) and info.forbid_unknown_fields

        def fit_all(value: Any, place: Place, lost: Lost) -> Any:
            if isinstance(value, list):
                return _in_order(value, list(fields.values()), place, lost)
            if not isinstance(value, dict):
                return value
            result = {}
            for name, one in value.items():
                if name not in fields and not keeps_unknown:
                    continue
                member = fields.get(name, _same)(one, place.member(name), lost)
                if member is not _LEFT_OUT:
                    result[name] = member
            return result

        self._known[info.cls] = fit_all
        for field in info.fields:
            fields[field.encode_name] = self._slot(field.type, is_optional=not field.required)
        return fit_all

    def _slot(self, info: inspect.Type, *, is_optional: bool) -> Fit:
        """Return the function that coerces a value, or omits it where tolerant reading allows."""
        fit = self.of(info)
        if not (is_optional and self._is_tolerant):
            return fit
        check = self._check(info)

        def fit_or_leave_out(value: Any, place: Place, lost: Lost) -> Any:
            mark = len(lost)
            try:
                fitted = fit(value, place, lost)
                why = check(fitted)
            except NoZone:
                fitted, why = None, "without a zone"
            if not why:
                return fitted
            lost[mark:] = [f"{place}: {why}"]
            return _LEFT_OUT

        return fit_or_leave_out

    def _union(self, types: Sequence[inspect.Type]) -> Fit:
        """Return the function that coerces a value to the member of a union of its JSON kind."""
        has_float = any(isinstance(one, inspect.FloatType | inspect.DecimalType) for one in types)
        fits = [
            (takes(one), self.of(one))
            for one in types
            if not (has_float and isinstance(one, inspect.IntType))
        ]
        last = [self.of(one) for one in types if self._decoder(one) is not None]

        def fit_one(value: Any, place: Place, lost: Lost) -> Any:
            fit = next((fit for is_taken, fit in fits if is_taken(value)), None)
            if fit is None and last and value is not None:
                fit = last[0]
            return value if fit is None else fit(value, place, lost)

        return fit_one

    def _decoder(self, info: inspect.Type) -> Decoder | None:
        """Return the upstream's decoder of a type; msgspec itself calls those of custom types."""
        if isinstance(info, inspect.CustomType):
            return None
        return self._decoders.get(class_of(info))

    def _check(self, info: inspect.Type) -> Callable[[Any], str]:
        """Return the function that reports why a coerced value does not match a type."""
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


def _same(value: Any, place: Place, lost: Lost) -> Any:
    del place, lost
    return value


def _fits(value: Any) -> str:
    del value
    return ""


_LEFT_OUT: Final = object()
"""The placeholder of an omitted value."""


def _whole(value: Any, place: Place, lost: Lost) -> Any:
    """Return 1.0 and 1e3 as integers."""
    del place, lost
    if not isinstance(value, Number) or value.is_written_as_integer:
        return value
    integer = value.integer
    return value if integer is None else integer


def _reduced(kind: type, value: Any, place: Place, lost: Lost) -> Any:
    """Return a value without the parts that a pydantic model refuses and has defaults for."""
    rest, gone = without_misfits(kind, value)
    lost += [f"{place}{written(one.path)}: {one.why}" for one in gone]
    return rest


def _tuple(fits: Sequence[Fit]) -> Fit:
    def fit_all(value: Any, place: Place, lost: Lost) -> Any:
        return _in_order(value, fits, place, lost) if isinstance(value, list) else value

    return fit_all


def _in_order(value: list[Any], fits: Sequence[Fit], place: Place, lost: Lost) -> list[Any]:
    fitted = [
        fit(one, place.item(index), lost)
        for index, (fit, one) in enumerate(zip(fits, value, strict=False))
    ]
    return fitted + value[len(fitted) :]
