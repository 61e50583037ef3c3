"""Checks whether a JSON value has a type of a document.

Formats and limits are not checked: patterns of others may take forever in Python's `re`.
"""

from typing import Final, Literal

from bff_core.contracts.document import Document
from bff_core.contracts.types import (
    Anything,
    Array,
    Enum,
    Json,
    Map,
    Nullable,
    ObjectType,
    Ref,
    Scalar,
    Tuple,
    Type,
    Union,
)

Direction = Literal["request", "response", ""]
"""Where a value goes. Without a direction, neither read-only nor write-only members must exist."""

_KINDS: Final = {
    "string": "a text",
    "binary": "a text",
    "integer": "an integer",
    "number": "a number",
    "boolean": "true or false",
}


def fits(kind: Type, value: Json, document: Document, direction: Direction = "") -> bool:
    """Whether a value has a type."""
    return not misfit(kind, value, document, direction)


def misfit(  # noqa: PLR0911 - one for each kind of type
    kind: Type, value: Json, document: Document, direction: Direction = "", place: str = ""
) -> str:
    """Return why a value does not have a type, such as "pets[0].name: found a number, …".

    Return an empty text if it has. `place` is the path of the value.
    """
    match kind:
        case Anything():
            return ""
        case Ref():
            return misfit(document.types[kind.name].type, value, document, direction, place)
        case Nullable():
            return "" if value is None else misfit(kind.of, value, document, direction, place)
        case Union():
            return _union_misfit(kind, value, document, direction, place)
        case Scalar():
            return "" if _is_scalar(kind, value) else _found(place, value, _KINDS[kind.kind])
        case Enum():
            return "" if _is_one_of(kind, value) else _found(place, value, f"one of {kind.values}")
        case ObjectType() | Map():
            return _object_misfit(kind, value, document, direction, place)
        case Array() | Tuple():
            return _list_misfit(kind, value, document, direction, place)


def _union_misfit(
    kind: Union, value: Json, document: Document, direction: Direction, place: str
) -> str:
    reasons = [misfit(option, value, document, direction, place) for option in kind.options]
    if "" in reasons:
        return ""
    return f"{place or 'the value'}: it is none of the options ({'; '.join(reasons)})"


def _object_misfit(
    kind: ObjectType | Map, value: Json, document: Document, direction: Direction, place: str
) -> str:
    if not isinstance(value, dict):
        return _found(place, value, "an object")
    fields = {field.name: field for field in kind.fields} if isinstance(kind, ObjectType) else {}
    others = kind.values if isinstance(kind, Map) else kind.others
    if isinstance(kind, ObjectType) and kind.is_closed:
        unknown = [name for name in value if name not in fields]
        if unknown:
            return f"{place or 'the value'}: it has {unknown[0]!r}, which the type does not allow"
    for name, member in value.items():
        known = fields[name].type if name in fields else others
        where = f"{place}.{name}" if place else name
        if known is not None and (reason := misfit(known, member, document, direction, where)):
            return reason
    for field in fields.values():
        absent = direction != "response" and field.is_read_only
        absent = absent or (direction != "request" and field.is_write_only)
        if field.is_required and field.name not in value and not absent:
            return f"{place or 'the value'}: it has no {field.name!r}"
    return ""


def _list_misfit(
    kind: Array | Tuple, value: Json, document: Document, direction: Direction, place: str
) -> str:
    if not isinstance(value, list):
        return _found(place, value, "a list")
    if isinstance(kind, Tuple) and len(kind.items) != len(value):
        return f"{place or 'the value'}: it has {len(value)} items, expected {len(kind.items)}"
    types = kind.items if isinstance(kind, Tuple) else (kind.items,) * len(value)
    for index, (one, item) in enumerate(zip(types, value, strict=True)):
        if reason := misfit(one, item, document, direction, f"{place}[{index}]"):
            return reason
    return ""


def _is_scalar(kind: Scalar, value: Json) -> bool:
    match kind.kind:
        case "string" | "binary":
            return isinstance(value, str)
        case "boolean":
            return isinstance(value, bool)
        case "integer":
            whole = isinstance(value, float) and value.is_integer()
            return (isinstance(value, int) or whole) and not isinstance(value, bool)
        case "number":
            return isinstance(value, int | float) and not isinstance(value, bool)


def _is_one_of(kind: Enum, value: Json) -> bool:
    return any(
        one == value and isinstance(one, bool) == isinstance(value, bool) for one in kind.values
    )


def _found(place: str, value: Json, expected: str) -> str:
    match value:
        case dict():
            name = "an object"
        case list():
            name = "a list"
        case None:
            name = "null"
        case _:
            name = repr(value)[:60]
    return f"{place or 'the value'}: found {name}, expected {expected}"
