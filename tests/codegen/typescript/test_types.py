"""Types of OpenAPI as types of TypeScript."""

import pytest

from tests.codegen.typescript.documents import client, model, returning

TEXT = {"type": "string"}
NUMBER = {"type": "number"}


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        (TEXT, "string"),
        ({"type": "string", "format": "date-time"}, "string"),
        ({"type": "integer", "format": "int64"}, "number"),
        (NUMBER, "number"),
        ({"type": "boolean"}, "boolean"),
        ({"enum": ["a", "b"]}, '"a" | "b"'),
        ({"enum": [1, 2]}, "1 | 2"),
        ({"const": "x"}, '"x"'),
        ({"type": "array", "items": TEXT}, "string[]"),
        ({"type": "array", "items": {"enum": ["a", "b"]}}, '("a" | "b")[]'),
        ({"type": "array", "items": {"type": ["string", "null"]}}, "(string | null)[]"),
        ({"type": "object", "additionalProperties": NUMBER}, "{ [key: string]: number }"),
        ({"anyOf": [TEXT, {"type": "null"}]}, "string | null"),
        ({"type": ["string", "integer"]}, "string | number"),
        ({"oneOf": [TEXT, NUMBER]}, "string | number"),
        ({"type": "array", "prefixItems": [TEXT, NUMBER], "items": False}, "[string, number]"),
        ({}, "unknown"),
    ],
)
def test_schemas_become_types(schema, expected):
    """What the gateway sends, as a language without dates and integers has it."""
    assert model(schema) == f"export type Model = {expected};"


def test_optional_and_nullable_properties_differ():
    """A property may be absent, null, both or neither."""
    shown = model(
        {
            "type": "object",
            "required": ["always", "maybe_null"],
            "properties": {
                "always": TEXT,
                "maybe_null": {"type": ["string", "null"]},
                "maybe_absent": TEXT,
                "either": {"type": ["string", "null"]},
            },
        }
    )

    assert shown.splitlines() == [
        "export interface Model {",
        "  always: string;",
        "  maybe_null: string | null;",
        "  maybe_absent?: string;",
        "  either?: string | null;",
        "}",
    ]


def test_formats_and_defaults_are_in_comments():
    """A reader sees what a text holds, and how exact a number is."""
    shown = model(
        {
            "type": "object",
            "properties": {
                "at": {"type": "string", "format": "date-time", "description": "When it was."},
                "size": {"type": "integer", "format": "int64", "default": 7},
                "old": {"type": "string", "deprecated": True},
            },
        }
    )

    assert "   * When it was.\n   * A date and a time: 2026-11-30T08:15:00Z.\n" in shown
    assert "numbers are exact up to 2^53 - 1.\n   * @default 7\n" in shown
    assert "/** @deprecated */\n  old?: string;" in shown


def test_unions_with_a_discriminator_are_narrowed_by_it():
    """`if (pet.kind === "cat")` leaves a cat."""
    shown = model(
        {
            "oneOf": [{"$ref": "#/components/schemas/Cat"}, {"$ref": "#/components/schemas/Dog"}],
            "discriminator": {
                "propertyName": "kind",
                "mapping": {
                    "cat": "#/components/schemas/Cat",
                    "puma": "#/components/schemas/Cat",
                    "dog": "#/components/schemas/Dog",
                },
            },
        },
        Cat={"type": "object", "required": ["kind"], "properties": {"kind": TEXT}},
        Dog={"type": "object", "required": ["kind"], "properties": {"kind": {"const": "dog"}}},
    )

    assert shown.startswith('export type Model = (Cat & { kind: "cat" | "puma"')
    assert shown.endswith(" | Dog;")


def test_recursive_types_stay_types():
    """A tree refers to itself; what is nothing but itself is unknown."""
    tree = {
        "type": "object",
        "properties": {
            "children": {"type": "array", "items": {"$ref": "#/components/schemas/Model"}}
        },
    }
    assert "children?: Model[];" in model(tree)


def test_models_that_nothing_uses_are_left_out():
    """The client has the types of its operations, and no others."""
    text = client({"/a": {"get": returning(TEXT)}}, Unused={"type": "object"})

    assert "Unused" not in text


def test_models_do_not_hide_names_of_the_language_or_the_client():
    """A model may be called as a global type, as a type of the client, or as another model."""
    names = ("Promise", "Result", "ApiError", "GetAResult", "item", "Item", "Item-")
    properties = {name: {"$ref": f"#/components/schemas/{name}"} for name in names}
    schemas = {name: {"type": "object", "properties": {name: TEXT}} for name in names}

    text = client(
        {
            "/a": {
                "get": returning({"type": "object", "properties": properties}, operationId="get_a")
            }
        },
        **schemas,
    )

    for shown in ("PromiseModel", "ResultModel", "ApiErrorModel", "ItemModel", "Item2"):
        assert f"export interface {shown} {{" in text
    assert "export interface GetAResult {" in text
    assert "export type GetAResult2 = Result<" in text


def test_read_only_properties_are_not_sent():
    """A type of bodies lacks them, and one of both has them as optional."""
    both = {
        "type": "object",
        "required": ["id", "title"],
        "properties": {"id": {**TEXT, "readOnly": True}, "title": TEXT},
    }
    body = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Sent"}}}}
    paths = {
        "/a": {
            "post": returning({"$ref": "#/components/schemas/Both"}, requestBody=body),
            "put": returning(
                None,
                requestBody={
                    "content": {
                        "application/json": {"schema": {"$ref": "#/components/schemas/Both"}}
                    }
                },
            ),
        }
    }

    text = client(paths, Sent=both, Both=both)

    assert "export interface Sent {\n  title: string;\n}" in text
    assert "export interface Both {\n  readonly id?: string;\n  title: string;\n}" in text
