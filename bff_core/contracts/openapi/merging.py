"""Merges the schemas of an `allOf` into one."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from bff_core.contracts.openapi.pointers import Node

UNIONS: Final = "x-bff-unions"
"""The key of a merged schema that has the alternatives of all its parts, each with its schema."""

_HIGHEST: Final = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_ONE_OF_TWO: Final = ("pattern", "multipleOf", "const", "prefixItems", "not", "format")
_LOWEST: Final = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")


def merged(parts: Iterable[Node], note: Callable[[str], None]) -> Node:
    """Return one schema that says what all parts say; `note` is called with what got lost."""
    result: Node = {}
    for part in parts:
        for key, value in numeric_bounds(part).items():
            if value is None:
                continue
            if key in {"oneOf", "anyOf", UNIONS}:
                result.setdefault(UNIONS, []).extend(value if key == UNIONS else [(part, key)])
            elif key not in result:
                result[key] = value
            else:
                result[key] = _both(key, result[key], value, note)
    return result


def numeric_bounds(part: Node) -> Node:
    """Return a schema with `exclusiveMinimum: true` of OpenAPI 3.0 as in 3.1."""
    if not any(isinstance(part.get(key), bool) for key in ("exclusiveMinimum", "exclusiveMaximum")):
        return part
    part = dict(part)
    for exclusive, bound in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        is_flag = isinstance(part.get(exclusive), bool)
        if is_flag and part.pop(exclusive) and bound in part:
            part[exclusive] = part.pop(bound)
    return part


def _both(key: str, first: Any, second: Any, note: Callable[[str], None]) -> Any:
    """Return the value of a keyword that two schemas have."""
    if first == second and type(first) is type(second):
        return first
    if key in _HIGHEST:
        return max(first, second)
    if key in _LOWEST:
        return min(first, second)
    if key in _JOINED:
        return _JOINED[key](first, second)
    if key in {"type", "enum"}:
        common = _types(first, second) if key == "type" else [one for one in second if one in first]
        if not common:
            note(f"the values of `{key}` contradict each other; the last one counts")
        return common or second
    if key in _ONE_OF_TWO:
        note(f"of two values of `{key}` the last one counts")
    return second


def _properties(first: Node, second: Node) -> Node:
    result = dict(first)
    for name, schema in second.items():
        result[name] = _schemas(result[name], schema) if name in result else schema
    return result


def _schemas(first: Any, second: Any) -> Any:
    """Return a schema that says what both say."""
    if first is False or second is False:
        return False
    if first is True or first in ({}, second):
        return second
    if second is True or second == {}:
        return first
    return {"allOf": [first, second]}


def _types(first: Any, second: Any) -> list[str]:
    one, other = _type_list(first), _type_list(second)
    common = [name for name in other if name in one]
    if "number" not in common and "integer" in {*one, *other} and "number" in {*one, *other}:
        common = [*dict.fromkeys([*common, "integer"])]
    return common


def _type_list(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]


def _required(first: Any, second: Any) -> Any:
    lists = [value for value in (first, second) if isinstance(value, list)]
    return list(dict.fromkeys(name for names in lists for name in names))


_JOINED: Final[Mapping[str, Callable[[Any, Any], Any]]] = {
    "properties": _properties,
    "patternProperties": _properties,
    "required": _required,
    "items": _schemas,
    "additionalProperties": _schemas,
    "unevaluatedProperties": _schemas,
    "uniqueItems": lambda first, second: first or second,
}
"""How to join the values of a keyword."""
