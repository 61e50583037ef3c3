"""Contracts with unions and with each kind of value, for tests of generated screens and views."""

from typing import Any

_TEXT = {"type": "string"}


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def _object(**properties: object) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": [*properties]}


def _tagged(key: str, *names: str) -> dict[str, Any]:
    mapping = {name.lower(): _ref(name)["$ref"] for name in names}
    tags = {"propertyName": key, "mapping": mapping}
    return {"oneOf": [_ref(name) for name in names], "discriminator": tags}


def _formatted(*formats: str) -> dict[str, Any]:
    return {name.replace("-", "_"): {"type": "string", "format": name} for name in formats}


def _option(key: str, tag: str, **properties: object) -> dict[str, Any]:
    """Return an object whose tag is not required, as FastAPI describes a default."""
    made = _object(**properties)
    made["properties"][key] = {"type": "string", "const": tag, "default": tag}
    return made


def _read(name: str, schema: object, **more: object) -> dict[str, Any]:
    content = {"application/json": {"schema": schema}}
    answers = {"200": {"description": "ok", "content": content}}
    return {"get": {"operationId": name, "responses": answers, **more}}


def union_document() -> dict[str, Any]:
    """Return an OpenAPI document with unions by a tag, by an optional tag, and without one."""
    values = _formatted("uuid", "date-time", "date", "time", "duration", "byte", "decimal")
    status = {"type": "string", "enum": ["open", "done"]}
    numbers = {"type": "object", "additionalProperties": {"type": "number"}}
    tree = {"anyOf": [_ref("Tree"), {"type": "null"}]}
    parameter = {"name": "order_id", "in": "path", "required": True, "schema": _TEXT}
    schemas = {
        "Person": _option("kind", "person", name=_TEXT),
        "Company": _option("kind", "company", number={"type": "integer"}),
        "Cat": _object(pet_type={"type": "string", "enum": ["cat"]}, lives={"type": "integer"}),
        "Dog": _object(pet_type={"type": "string", "enum": ["dog"]}, bark=_TEXT),
        "Tree": _object(children={"type": "array", "items": _ref("Tree")}, parent=tree),
        "Small": _object(size={"type": "integer"}),
        "Large": _object(parts={"type": "array", "items": _ref("Either")}),
        "Either": {"anyOf": [_ref("Large"), _ref("Small")]},
        "Order": _object(
            buyer=_tagged("kind", "Person", "Company"),
            box={"anyOf": [_ref("Small"), _ref("Large"), {"type": "null"}]},
            note={"anyOf": [_TEXT, {"type": "integer"}, _ref("Small")]},
            status=status,
            numbers=numbers,
            extra={},
            tree=_ref("Tree"),
            **values,
        ),
    }
    pets = {"type": "array", "items": _tagged("pet_type", "Cat", "Dog")}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Orders", "version": "1"},
        "paths": {
            "/orders/{order_id}": _read("get_order", _ref("Order"), parameters=[parameter]),
            "/pets": _read("list_pets", pets),
            "/boxes": _read("list_boxes", {"type": "array", "items": _ref("Either")}),
        },
        "components": {"schemas": schemas},
    }


UNION_SDL = """
type Query { item(id: ID!): Item search(term: String!): [Item!]! }
union Item = Book | Film
enum Level { LOW HIGH }
scalar DateTime
type Book { id: ID! level: Level! at: DateTime! }
type Film { id: ID! minutes: Int! price: Float }
"""
"""A GraphQL schema with a union."""
