"""Unions of objects as one object: many generators can't decode alternatives."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from bff_core.codegen.openapi30.schemas import CHOICES, Schema

REFERENCE: Final = "#/components/schemas/"


def merged_unions(node: Any, schemas: Mapping[str, Schema]) -> Any:
    """Return a node in which each union of objects is an object with the members of all."""
    if isinstance(node, list):
        return [merged_unions(one, schemas) for one in node]
    if not isinstance(node, Mapping):
        return node
    found = {name: merged_unions(one, schemas) for name, one in node.items()}
    for keyword in CHOICES:
        options = found.get(keyword)
        if isinstance(options, list) and (objects := _objects(options, schemas)):
            del found[keyword]
            found.pop("discriminator", None)
            found |= _merged(objects)
    return found


def _objects(options: Sequence[Any], schemas: Mapping[str, Schema]) -> list[Schema]:
    """Return the options, if all of them are objects with members."""
    known = [_resolved(one, schemas) for one in options]
    return known if all(one.get("properties") for one in known) else []


def _resolved(schema: Any, schemas: Mapping[str, Schema]) -> Schema:
    """Return a schema without reference, with the members of its `allOf`."""
    followed: set[str] = set()
    while isinstance(schema, Mapping) and "$ref" in schema and schema["$ref"] not in followed:
        followed.add(schema["$ref"])
        schema = schemas.get(schema["$ref"].removeprefix(REFERENCE), {})
    return dict(schema) if isinstance(schema, Mapping) else {}


def _merged(objects: Sequence[Schema]) -> Schema:
    """Return one object for several; a member that they declare differently is any value."""
    properties: dict[str, Any] = {}
    for one in objects:
        for name, schema in one["properties"].items():
            properties[name] = _both(properties.get(name, schema), schema)
    required = set(objects[0].get("required", ()))
    for one in objects:
        required &= set(one.get("required", ()))
    found: Schema = {"type": "object", "properties": properties}
    return found | ({"required": sorted(required)} if required else {})


def _both(first: Schema, second: Schema) -> Schema:
    if first == second:
        return first
    if "enum" in first and "enum" in second and first.get("type") == second.get("type"):
        values = [*first["enum"], *(one for one in second["enum"] if one not in first["enum"])]
        return {"type": first["type"], "enum": values} if "type" in first else {"enum": values}
    return {"type": first["type"]} if "type" in first and _is_same(first, second) else {}


def _is_same(first: Schema, second: Schema) -> bool:
    simple = {"string", "integer", "number", "boolean"}
    return first["type"] in simple and first["type"] == second.get("type")
