"""Schemas of OpenAPI 3.1 in the words of OpenAPI 3.0."""

from collections.abc import Mapping
from typing import Any, Final

Schema = dict[str, Any]

DROPPED: Final = frozenset(
    {"$schema", "$id", "$anchor", "$dynamicAnchor", "$dynamicRef", "$comment", "$defs"}
    | {"if", "then", "else", "dependentSchemas", "dependentRequired", "contains", "minContains"}
    | {"maxContains", "propertyNames", "unevaluatedItems", "unevaluatedProperties"}
    | {"contentSchema", "contentEncoding", "contentMediaType", "patternProperties", "prefixItems"}
)
"""Keywords that OpenAPI 3.0 does not have."""

BOUNDS: Final = {"exclusiveMinimum": "minimum", "exclusiveMaximum": "maximum"}

CHOICES: Final = ("anyOf", "oneOf")


def schema30(schema: Any) -> Any:
    """Return a schema of OpenAPI 3.1 as one of 3.0.

    `null` among the alternatives becomes `nullable`, `const` an `enum` of one value.
    """
    if not isinstance(schema, Mapping):
        return {} if schema is True else {"not": {}} if schema is False else schema
    if "$ref" in schema:
        return {"$ref": schema["$ref"]}
    found = {name: _value(name, value) for name, value in schema.items() if name not in DROPPED}
    _add_contents(found, schema)
    _use_types(found)
    _use_values(found)
    _use_bounds(found)
    _add_sizes(found)
    if found.get("properties") and found.get("additionalProperties") is True:
        del found["additionalProperties"]  # as without it, but generators would make a map of it
    return _without_null(found)


def _value(name: str, value: Any) -> Any:
    """Return the value of a keyword, with the schemas in it."""
    match name, value:
        case "properties", Mapping():
            return {key: schema30(one) for key, one in value.items()}
        case "additionalProperties", bool():
            return value
        case (("items" | "additionalProperties" | "not"), _):
            return schema30(value)
        case (("allOf" | "anyOf" | "oneOf"), list()):
            return [one if one == {"type": "null"} else schema30(one) for one in value]
    return value


def _add_contents(found: Schema, schema: Mapping[str, Any]) -> None:
    """Add what 3.0 has for files, tuples and patterns of names."""
    if schema.get("contentEncoding") == "base64":
        found["format"] = "byte"
    elif "contentMediaType" in schema and schema.get("type") == "string":
        found["format"] = "binary"
    if "prefixItems" in schema:
        kinds = [schema30(one) for one in schema["prefixItems"]]
        different = [one for number, one in enumerate(kinds) if one not in kinds[:number]]
        found["items"] = different[0] if len(different) == 1 else {}
    patterns = list(schema.get("patternProperties", {}).values())
    if patterns:
        found.setdefault(
            "additionalProperties", schema30(patterns[0]) if len(patterns) == 1 else True
        )


def _use_types(found: Schema) -> None:
    """Replace a list of types by one type, `nullable` and alternatives."""
    types = found.get("type")
    if not isinstance(types, list):
        if types == "null":
            del found["type"]
            found |= {"nullable": True, "enum": [None]}
        return
    others = [one for one in types if one != "null"]
    if len(others) < len(types):
        found["nullable"] = True
    del found["type"]
    if len(others) == 1:
        found["type"] = others[0]
    elif others:
        found["anyOf"] = [{"type": one} for one in others]
    if found.get("type") == "array":
        found.setdefault("items", {})


def _use_values(found: Schema) -> None:
    """Replace `const` and `examples`; an enum with null is nullable."""
    if "const" in found:
        found["enum"] = [found.pop("const")]
    if isinstance(found.get("enum"), list) and None in found["enum"]:
        found["nullable"] = True
    examples = found.pop("examples", None)
    if isinstance(examples, list) and examples:
        found.setdefault("example", examples[0])


def _use_bounds(found: Schema) -> None:
    for exclusive, bound in BOUNDS.items():
        value = found.get(exclusive)
        if isinstance(value, int | float) and not isinstance(value, bool):
            found |= {bound: value, exclusive: True}


def _add_sizes(found: Schema) -> None:
    """Say how large numbers are: without a format generators take 32 bits, or decimals."""
    size = {"integer": "int64", "number": "double"}.get(str(found.get("type")))
    if size is not None:
        found.setdefault("format", size)


def _without_null(found: Schema) -> Schema:
    """Return a schema whose alternatives have no null; a single one that is left replaces them."""
    for keyword in CHOICES:
        options = found.get(keyword)
        if not isinstance(options, list) or {"type": "null"} not in options:
            continue
        others = [one for one in options if one != {"type": "null"}]
        del found[keyword]
        found["nullable"] = True
        if len(others) > 1:
            found[keyword] = others
        elif others and "$ref" in others[0]:
            found["allOf"] = others  # `nullable` beside `$ref` would be ignored
        elif others:
            found = {**others[0], **found}
    return found
