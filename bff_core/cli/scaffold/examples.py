"""Example values of types: what a scripted service answers in a generated test."""

import json
from typing import Final, get_args, get_origin

import msgspec
from msgspec import inspect as kinds

from bff_core.upstream.typed_reply import TypedReply

MAX_DEPTH: Final = 6
LINE_LENGTH: Final = 100

TEXTS: Final = {
    kinds.DateTimeType: "2026-01-31T12:00:00Z",
    kinds.DateType: "2026-01-31",
    kinds.TimeType: "12:00:00",
    kinds.TimeDeltaType: "PT1H",
    kinds.UUIDType: "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
    kinds.DecimalType: "1.50",
    kinds.BytesType: "aGVsbG8=",
}

PLAIN: Final[dict[type, object]] = {
    kinds.BoolType: True,
    kinds.NoneType: None,
    kinds.FloatType: 1.5,
    kinds.IntType: 1,
}


def example_of(kind: object, name: str = "text") -> object:
    """Return a value of a type, as JSON has it; None for a type that is not known.

    The name of a text suggests its value: an id is "1".
    """
    if get_origin(kind) is TypedReply:
        kind = get_args(kind)[0]
    try:
        return _example(msgspec.inspect.type_info(kind), name, 0)
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


def _example(kind: kinds.Type, name: str, depth: int) -> object:
    if isinstance(kind, kinds.Metadata):
        return _example(kind.type, name, depth)
    if isinstance(kind, kinds.StrType):
        return _text(name)
    if isinstance(kind, kinds.LiteralType | kinds.EnumType):
        return _of_choice(kind)
    if isinstance(kind, kinds.UnionType):
        return _of_union(kind, name, depth)
    return PLAIN[type(kind)] if type(kind) in PLAIN else _of_container(kind, name, depth)


def _of_choice(kind: kinds.LiteralType | kinds.EnumType) -> object:
    return kind.values[0] if isinstance(kind, kinds.LiteralType) else next(iter(kind.cls)).value


def _of_container(kind: kinds.Type, name: str, depth: int) -> object:
    if isinstance(kind, kinds.StructType | kinds.DataclassType | kinds.TypedDictType):
        return {
            one.encode_name: _example(one.type, one.encode_name, depth + 1) for one in kind.fields
        }
    if isinstance(kind, kinds.CollectionType):
        return [] if depth > MAX_DEPTH else [_example(kind.item_type, name, depth + 1)]
    if isinstance(kind, kinds.TupleType):
        return [_example(one, name, depth + 1) for one in kind.item_types]
    if isinstance(kind, kinds.DictType):
        return {} if depth > MAX_DEPTH else {"key": _example(kind.value_type, name, depth + 1)}
    return TEXTS.get(type(kind))


def _of_union(kind: kinds.UnionType, name: str, depth: int) -> object:
    known = [one for one in kind.types if not isinstance(one, kinds.NoneType)]
    has_none = len(known) < len(kind.types)
    return None if has_none and depth > MAX_DEPTH else _example(known[0], name, depth)


def _text(name: str) -> str:
    if name == "id" or name.endswith("_id"):
        return "1"
    if name.endswith(("url", "href", "src")):
        return "https://example.com/1"
    return name.replace("_", " ")
