"""Example values of types: what a scripted service answers in a generated test."""

import json
from collections.abc import Callable
from typing import Any, Final, get_args, get_origin

import msgspec
from msgspec import inspect as kinds

from bff_core.service_clients.unions import union_options
from bff_core.upstream.typed_reply import TypedReply

MAX_DEPTH: Final = 6
LINE_LENGTH: Final = 100

TEXTS: Final[dict[type, str]] = {
    kinds.DateTimeType: "2026-01-31T12:00:00Z",
    kinds.DateType: "2026-01-31",
    kinds.TimeType: "12:00:00",
    kinds.TimeDeltaType: "PT1H",
    kinds.UUIDType: "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
    kinds.DecimalType: "1.50",
    kinds.BytesType: "aGVsbG8=",
    kinds.ByteArrayType: "aGVsbG8=",
    kinds.MemoryViewType: "aGVsbG8=",
}

PLAIN: Final[dict[type, object]] = {
    kinds.BoolType: True,
    kinds.NoneType: None,
    **TEXTS,
}

NUMBERS: Final[dict[type, float]] = {kinds.FloatType: 1.5, kinds.IntType: 1}

UNRECOGNIZED: Final = "UNRECOGNIZED"
"""The member of an enum in place of values that it does not know."""

Within = tuple[kinds.Type, ...]
"""The classes that a value is inside of: none is repeated, so that a tree has one node."""


def example_of(kind: object, name: str = "text") -> object:
    """Return a value of a type, as JSON has it; None for a type that is not known.

    The name of a text suggests its value: an id is "1".
    """
    if get_origin(kind) is TypedReply:
        kind = get_args(kind)[0]
    try:
        return _example(msgspec.inspect.type_info(kind), name, ())
    except TypeError:
        return None


def literal(value: object, before: str, indent: int = 0) -> str:
    """Return the Python literal of a JSON value, in lines that are not too long.

    `before` is what is on its first line, such as `PRODUCT = `.
    """
    line = _python(value)
    is_long = len(before) + len(line) + 1 > LINE_LENGTH
    if not is_long or not value or not isinstance(value, dict | list):
        return line
    inner = " " * (indent + 4)
    if isinstance(value, dict):
        keys = [(f"{inner}{json.dumps(key)}: ", one) for key, one in value.items()]
        rows = [f"{key}{literal(one, key, indent + 4)},\n" for key, one in keys]
        return "".join(["{\n", *rows, " " * indent, "}"])
    rows = [f"{inner}{literal(one, inner, indent + 4)},\n" for one in value]
    return "".join(["[\n", *rows, " " * indent, "]"])


def _python(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(k)}: {_python(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_python, value)) + "]"
    return {"true": "True", "false": "False", "null": "None"}.get(text, text)


def _example(kind: kinds.Type, name: str, within: Within) -> object:
    if type(kind) in PLAIN:
        return PLAIN[type(kind)]
    made = next((make for known, make in _MAKERS.items() if isinstance(kind, known)), None)
    return None if made is None else made(kind, name, within)


def _member(kind: kinds.EnumType) -> object:
    members: Any = kind.cls.__members__
    known = [one.value for name, one in members.items() if name != UNRECOGNIZED]
    return next(iter(known), None)


def _of_items(kind: kinds.CollectionType, name: str, within: Within) -> object:
    count = max(kind.min_length or 0, 0 if _repeats(kind.item_type, within) else 1)
    return [_example(kind.item_type, name, within) for _ in range(count)]


def _of_struct(kind: kinds.StructType, within: Within) -> object:
    """Return the fields with the tag, as an object or as an array."""
    tag = {} if kind.tag is None else {kind.tag_field or "type": kind.tag}
    value = tag | _of_fields(kind.fields, (*within, kind))
    return list(value.values()) if kind.array_like else value


def _of_fields(fields: tuple[kinds.Field, ...], within: Within) -> dict[str, object]:
    """Return the fields by their names in JSON; one that would repeat a class may be absent."""
    shown = (one for one in fields if one.required or not _repeats(one.type, within))
    return {one.encode_name: _example(one.type, one.encode_name, within) for one in shown}


def _of_dict(
    kind: kinds.DictType | kinds.FrozenDictType, name: str, within: Within
) -> dict[str, object]:
    if _repeats(kind.value_type, within):
        return {}
    key = _example(kind.key_type, "key", within)
    return {str(key): _example(kind.value_type, name, within)}


def _of_union(kind: kinds.UnionType, name: str, within: Within) -> object:
    absent = kinds.NoneType | kinds.CustomType
    known = [one for one in kind.types if not isinstance(one, absent) or _is_value(one)]
    has_none = any(isinstance(one, kinds.NoneType) for one in kind.types)
    if has_none and all(_repeats(one, within) for one in known):
        return None
    return _of_options(known, name, within)


def _is_value(kind: object) -> bool:
    """Whether a type is a union of classes, and not the absence of a value."""
    return isinstance(kind, kinds.CustomType) and bool(union_options(kind.cls))


def _of_options(options: list[kinds.Type], name: str, within: Within) -> object:
    """Return a value of the first option that does not repeat a class."""
    fresh = (one for one in options if not _repeats(one, within))
    found = next(fresh, next(iter(options), None))
    return None if found is None else _example(found, name, within)


def _repeats(kind: kinds.Type, within: Within) -> bool:
    """Whether a value of a type is inside of one of the same class, as an item of a tree is."""
    if isinstance(kind, kinds.UnionType):
        return all(_repeats(one, within) or isinstance(one, kinds.NoneType) for one in kind.types)
    if isinstance(kind, kinds.CollectionType):
        return _repeats(kind.item_type, within)
    same = [one for one in within if getattr(one, "cls", one) is getattr(kind, "cls", kind)]
    return bool(same) or len(within) > MAX_DEPTH


def _number(kind: kinds.IntType | kinds.FloatType) -> float:
    """Return a number within the limits of its type."""
    value = NUMBERS[type(kind)]
    step = kind.multiple_of or 1
    if kind.ge is not None or kind.gt is not None:
        low = kind.ge if kind.ge is not None else (kind.gt or 0) + step
        value = max(value, -(-low // step) * step)
    if kind.le is not None or kind.lt is not None:
        high = kind.le if kind.le is not None else (kind.lt or 0) - step
        value = min(value, high // step * step)
    return value


def _fitting_text(kind: kinds.StrType, name: str) -> str:
    """Return a text of a length that its type allows."""
    text = _text(name)
    if kind.min_length is not None and len(text) < kind.min_length:
        text += "x" * (kind.min_length - len(text))
    return text if kind.max_length is None else text[: kind.max_length]


def _text(name: str) -> str:
    if name == "id" or name.endswith("_id"):
        return "1"
    if name.endswith(("url", "href", "src")):
        return "https://example.com/1"
    return name.replace("_", " ")


Make = Callable[[Any, str, Within], object]

_MAKERS: Final[dict[type, Make]] = {
    kinds.Metadata: lambda kind, name, within: _example(kind.type, name, within),
    kinds.StrType: lambda kind, name, _: _fitting_text(kind, name),
    kinds.AnyType: lambda _, name, __: _text(name),
    kinds.RawType: lambda _, name, __: _text(name),
    kinds.IntType: lambda kind, _, __: _number(kind),
    kinds.FloatType: lambda kind, _, __: _number(kind),
    kinds.LiteralType: lambda kind, _, __: kind.values[0],
    kinds.EnumType: lambda kind, _, __: _member(kind),
    kinds.UnionType: _of_union,
    kinds.StructType: lambda kind, _, within: _of_struct(kind, within),
    kinds.DataclassType: lambda kind, _, within: _of_fields(kind.fields, (*within, kind)),
    kinds.TypedDictType: lambda kind, _, within: _of_fields(kind.fields, (*within, kind)),
    kinds.NamedTupleType: lambda kind, _, within: [
        _example(one.type, one.name, (*within, kind)) for one in kind.fields
    ],
    kinds.CollectionType: _of_items,
    kinds.TupleType: lambda kind, name, within: [
        _example(one, name, within) for one in kind.item_types
    ],
    kinds.DictType: _of_dict,
    kinds.FrozenDictType: _of_dict,
    kinds.CustomType: lambda kind, name, within: _of_options(
        [msgspec.inspect.type_info(one) for one in union_options(kind.cls)], name, within
    ),
}
"""How to make a value of each kind of type; of two that fit, the first."""
