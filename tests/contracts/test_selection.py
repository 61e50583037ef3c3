"""A part of a document has all that it refers to, and nothing else."""

from typing import Any

from bff_core.contracts.openapi import parse
from bff_core.contracts.selection import OperationSelection, selected, tags_of


def of(name: str) -> dict[str, Any]:
    """Return a reference to a schema."""
    return {"$ref": f"#/components/schemas/{name}"}


def operation(tag: str, reply: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return an operation with a tag, and a reply of JSON."""
    body = {"application/json": {"schema": reply}}
    return {"tags": [tag], "responses": {"200": {"description": "", "content": body}}, **more}


ANIMAL = {
    "type": "object",
    "required": ["kind"],
    "properties": {"kind": {"type": "string"}},
    "discriminator": {"propertyName": "kind"},
}

DOCUMENT: dict[str, Any] = {
    "openapi": "3.0.3",
    "info": {"title": "Zoo", "version": "1"},
    "tags": [{"name": "animals"}, {"name": "shop"}],
    "paths": {
        "/animals": {
            "parameters": [{"$ref": "#/components/parameters/page"}],
            "get": operation("animals", {"type": "array", "items": of("Animal")}),
            "post": operation("shop", of("Order"), security=[{"key": []}]),
        },
        "/animals/{id}": {"get": operation("animals", of("Animal"))},
        "/animalsfood": {"get": operation("shop", of("Food"))},
    },
    "components": {
        "parameters": {
            "page": {"name": "page", "in": "query", "schema": of("Page")},
            "unused": {"name": "x", "in": "query", "schema": {"type": "string"}},
        },
        "schemas": {
            "Animal": ANIMAL,
            "Cat": {"allOf": [of("Animal"), {"properties": {"toy": of("Toy")}}]},
            "Toy": {"type": "object", "properties": {"for": of("Cat")}},
            "Order": {"type": "object", "properties": {"sum": {"type": "number"}}},
            "Food": {"type": "object"},
            "Page": {"type": "integer"},
        },
        "securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "X-Key"}},
    },
}


def test_all_is_selected_without_conditions() -> None:
    """Without tags and paths the document is as it was."""
    assert selected(DOCUMENT, OperationSelection()) == DOCUMENT
    assert tags_of(DOCUMENT) == ["animals", "shop"]


def test_a_tag_selects_operations_and_the_types_that_they_reach() -> None:
    """Types that extend one with a discriminator belong to it, although nothing refers to them."""
    found = selected(DOCUMENT, OperationSelection(tags=["animals"]))

    assert [*found["paths"]] == ["/animals", "/animals/{id}"]
    assert [*found["paths"]["/animals"]] == ["parameters", "get"]
    assert [*found["components"]["schemas"]] == ["Animal", "Cat", "Toy", "Page"]
    assert [*found["components"]["parameters"]] == ["page"]
    assert "securitySchemes" not in found["components"]
    assert found["tags"] == [{"name": "animals"}]
    assert parse(found).operations


def test_a_path_selects_what_is_below_it() -> None:
    """`/animals` selects `/animals/{id}`, and not `/animalsfood`; schemes come with operations."""
    found = selected(DOCUMENT, OperationSelection(paths=["/animals/"]))

    assert [*found["paths"]] == ["/animals/{id}"]
    both = selected(DOCUMENT, OperationSelection(paths=["/animals"]))
    assert [*both["paths"]] == ["/animals", "/animals/{id}"]
    assert [*both["components"]["securitySchemes"]] == ["key"]


def test_a_document_with_anchors_has_all_its_schemas() -> None:
    """A reference to an anchor may mean any schema."""
    paths = {"/cat": {"get": operation("cats", {"$ref": "#cat"})}}
    schemas = {"Cat": {"$anchor": "cat", "type": "object"}, "Other": {"type": "object"}}
    document = {**DOCUMENT, "paths": paths, "components": {"schemas": schemas}}

    found = selected(document, OperationSelection(tags=["cats"]))

    assert [*found["components"]["schemas"]] == ["Cat", "Other"]
