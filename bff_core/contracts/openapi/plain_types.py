"""Turns keywords of a schema into types, where no other schema is needed for it."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from bff_core.contracts.openapi.merging import UNIONS, numeric_bounds
from bff_core.contracts.openapi.pointers import Node
from bff_core.contracts.types import (
    Anything,
    Discriminator,
    Enum,
    Json,
    Limits,
    Nullable,
    Scalar,
    Type,
    Union,
)

ANNOTATIONS: Final = frozenset(
    {
        *("title", "summary", "description", "default", "example", "examples", "deprecated"),
        *("readOnly", "writeOnly", "nullable", "externalDocs", "xml", "discriminator"),
        *("$comment", "$schema", "$id", "$anchor", "$dynamicAnchor", "$defs", "definitions"),
        *("$vocabulary", "$recursiveAnchor", "name", "in"),
    }
)
"""Keywords that don't say which values are valid, or not by themselves."""

_BY_TYPE: Final[Mapping[str, tuple[str, ...]]] = {
    "object": (
        *("properties", "additionalProperties", "patternProperties", "unevaluatedProperties"),
        *("minProperties", "maxProperties", "propertyNames", "dependentSchemas"),
    ),
    "array": ("items", "prefixItems", "minItems", "maxItems", "uniqueItems", "contains"),
    "string": ("minLength", "maxLength", "pattern", "contentEncoding", "contentMediaType"),
    "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
}
"""Keywords that reveal the type of a schema that does not name it."""

_BY_FORMAT: Final[Mapping[str, str]] = {
    **dict.fromkeys(("int32", "int64"), "integer"),
    **dict.fromkeys(("float", "double"), "number"),
    **dict.fromkeys(("date-time", "date", "time", "duration", "uuid", "uri"), "string"),
    **dict.fromkeys(("email", "hostname", "ipv4", "ipv6", "byte", "binary", "password"), "string"),
}

_LIMITS: Final[Mapping[str, tuple[str, ...]]] = {
    "string": ("minLength", "maxLength", "pattern"),
    "integer": _BY_TYPE["number"],
    "number": _BY_TYPE["number"],
    "array": ("minItems", "maxItems", "uniqueItems"),
    "object": ("minProperties", "maxProperties"),
}

_CONSTRAINTS: Final = frozenset(
    {
        *("required", "not", "if", "then", "else", "dependentRequired", "dependentSchemas"),
        *("minProperties", "maxProperties", "type"),
    }
)


def says_more(node: Node) -> bool:
    """Whether a schema says something of its values beside annotations and `type: object`."""
    return any(
        key not in ANNOTATIONS and not (key.startswith("x-") and key != UNIONS)
        for key, value in node.items()
        if value is not None and not (key == "type" and value == "object")
    )


def is_constraint(schema: object) -> bool:
    """Whether a schema only excludes values, such as `{"required": ["name"]}`."""
    if not isinstance(schema, dict):
        return False
    keys = {key for key in schema if key not in ANNOTATIONS and not key.startswith("x-")}
    return keys <= _CONSTRAINTS and bool(keys - {"type"})


def is_null(schema: object) -> bool:
    """Whether null is the only value of a schema."""
    if not isinstance(schema, dict):
        return False
    only_null = "const" in schema and schema["const"] is None
    return only_null or schema.get("type") in ("null", ["null"]) or schema.get("enum") == [None]


def type_names(node: Node) -> list[str]:
    """Return the types of a schema: those that it names, or the one that its keywords imply."""
    names = node.get("type")
    if isinstance(names, str):
        return [names]
    if names:
        return list(names)
    for name, keywords in _BY_TYPE.items():
        if any(node.get(keyword) is not None for keyword in keywords):
            return [name]
    implied = _BY_FORMAT.get(str(node.get("format")))
    return [implied] if implied else []


def limits_of(name: str, node: Node) -> Limits:
    """Return the limits of a schema for values of one type."""
    node = numeric_bounds(node)
    found = {key: node[key] for key in _LIMITS.get(name, ()) if node.get(key) is not None}
    if found.get("uniqueItems") is False:
        del found["uniqueItems"]
    return found


def scalar(name: str, node: Node) -> Scalar:
    """Return the type of a schema whose type is a scalar, or `file`."""
    form = str(node.get("format") or "")
    if name == "file" or (name == "string" and _is_binary(node, form)):
        return Scalar("binary", "", limits_of("string", node))
    if name == "string":
        encoding = str(node.get("contentEncoding") or "")
        form = form or {"base64": "byte"}.get(encoding.lower(), encoding)
        return Scalar("string", form, limits_of(name, node))
    if name == "boolean":
        return Scalar("boolean", form)
    return Scalar("integer" if name == "integer" else "number", form, limits_of(name, node))


def _is_binary(node: Node, form: str) -> bool:
    if form == "binary":
        return True
    media_type = str(node.get("contentMediaType") or "")
    return bool(media_type) and not node.get("contentEncoding") and is_binary(media_type)


def is_binary(media_type: str) -> bool:
    """Whether bodies of a media type are neither text nor JSON nor forms."""
    essence = media_type.partition(";")[0].strip().lower()
    textual = ("text/", "multipart/", "*", "application/x-www-form-urlencoded")
    return not (
        essence.startswith(textual)
        or essence.endswith(("json", "xml", "yaml", "graphql", "javascript"))
        or essence == "application/*"
        or "json" in essence
    )


def enum_of(values: Iterable[object], names: Iterable[object] = ()) -> list[Enum]:
    """Return enums of values, one for each kind of value; those that are no scalars are left out.

    `names` are those of the values, if there are as many.
    """
    values, labels = list(values), [str(name) for name in names]
    if len(labels) != len(values):
        labels = [""] * len(values)
    groups: dict[str, dict[tuple[str, object], tuple[Any, str]]] = {}
    for value, label in zip(values, labels, strict=True):
        if isinstance(value, bool | str | int | float):
            kind = type(value).__name__.replace("float", "int")
            groups.setdefault(kind, {}).setdefault((kind, value), (value, label))
    return [
        Enum(
            tuple(value for value, _ in group.values()),
            tuple(label for _, label in group.values()) if all(labels) else (),
        )
        for group in groups.values()
    ]


def nullable(kind: Type) -> Type:
    """Return a type that allows null, too."""
    return kind if isinstance(kind, Nullable | Anything) else Nullable(kind)


def union_of(options: Iterable[Type], discriminator: Discriminator | None = None) -> Type:
    """Return the union of types: flat, without repetition, null at the outside."""
    flat: list[Type] = []
    allows_null = False
    for option in options:
        inner = option
        if isinstance(inner, Nullable):
            inner, allows_null = inner.of, True
        nested = isinstance(inner, Union) and (inner.discriminator is None)
        for one in inner.options if isinstance(inner, Union) and nested else (inner,):
            # the enums of true and of 1 are equal in Python, not in JSON
            if not any(one == other and repr(one) == repr(other) for other in flat):
                flat.append(one)
    if any(isinstance(one, Anything) for one in flat) or not flat:
        return Anything()
    flat = _one_enum(flat)
    result = flat[0] if len(flat) == 1 else Union(tuple(flat), discriminator)
    return nullable(result) if allows_null else result


def _one_enum(options: list[Type]) -> list[Type]:
    """Join enums of values of one kind: `oneOf` with a `const` each is how 3.1 describes values."""
    enums = [one for one in options if isinstance(one, Enum)]
    if len(enums) < 2:
        return options
    values: list[Json] = [value for one in enums for value in one.values]
    labels = [label for one in enums for label in one.names]
    rest = [one for one in options if not isinstance(one, Enum)]
    return [*enum_of(values, labels), *rest]
