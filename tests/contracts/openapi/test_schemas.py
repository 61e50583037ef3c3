"""Schemas become types: each concept once, whatever keywords and version express it."""

import pytest

from bff_core.contracts.types import (
    Anything,
    Array,
    Enum,
    Field,
    Map,
    Nullable,
    ObjectType,
    Ref,
    Scalar,
    Tuple,
    Union,
)
from tests.contracts.openapi.documents import type_of, with_schemas

TEXT = Scalar("string")
INTEGER = Scalar("integer")
IT = "#/components/schemas/It"
PET = {"type": "object", "properties": {"name": {"type": "string"}}}
DOG = {"type": "object", "properties": {"bark": {"type": "string"}}}


def fields(kind) -> dict[str, Field]:
    """Return the fields of an object by name."""
    assert isinstance(kind, ObjectType), kind
    return {field.name: field for field in kind.fields}


@pytest.mark.parametrize(
    ("openapi", "schema"),
    [
        ("3.0.3", {"type": "string", "nullable": True}),
        ("3.1.0", {"type": ["string", "null"]}),
        ("3.1.0", {"anyOf": [{"type": "string"}, {"type": "null"}]}),
        ("3.1.0", {"oneOf": [{"type": "null"}, {"type": "string"}]}),
        ("3.1.0", {"oneOf": [{"type": ["string", "null"]}]}),
        ("3.1.0", {"anyOf": [{"type": "string"}, {"const": None}]}),
        ("3.0.3", {"allOf": [{"type": "string"}], "nullable": True}),
        ("3.0.3", {"anyOf": [{"type": "string"}, {"enum": [None]}]}),
    ],
)
def test_each_way_to_allow_null_is_nullable(openapi: str, schema) -> None:
    """A text or null is one type, in 3.0 as in 3.1."""
    assert type_of(schema, openapi=openapi) == Nullable(TEXT)


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "string", "enum": ["a", "b"]}, Enum(("a", "b"))),
        ({"enum": ["a", None]}, Nullable(Enum(("a",)))),
        ({"type": ["string", "null"], "enum": ["a", None]}, Nullable(Enum(("a",)))),
        ({"const": "a"}, Enum(("a",))),
        ({"type": "integer", "enum": [1, 2, 1]}, Enum((1, 2))),
        ({"enum": ["a", 1, 1.5]}, Union((Enum(("a",)), Enum((1, 1.5))))),
        ({"type": "string", "enum": [1, 2]}, Enum(("1", "2"))),
        ({"type": "boolean", "enum": [True]}, Enum((True,))),
        ({"type": "boolean", "enum": [True, False]}, Scalar("boolean")),
        ({"oneOf": [{"const": "a"}, {"const": "b"}]}, Enum(("a", "b"))),
        (
            {"oneOf": [{"const": "a", "title": "A"}, {"const": "b", "title": "B"}]},
            Enum(("a", "b"), ("A", "B")),
        ),
        ({"enum": [1, 2], "x-enum-varnames": ["One", "Two"]}, Enum((1, 2), ("One", "Two"))),
        ({"enum": [1, 2], "x-enumNames": ["One", "Two"]}, Enum((1, 2), ("One", "Two"))),
        ({"enum": [1, 2], "x-enumNames": ["One"]}, Enum((1, 2))),
        ({"enum": ["a", None], "x-enumNames": ["A", "No"]}, Nullable(Enum(("a",), ("A",)))),
    ],
)
def test_enums(schema, expected) -> None:
    """The values of an enum are of one kind, without null; extensions name them."""
    assert type_of(schema) == expected


def test_true_is_no_number() -> None:
    """Although Python takes it for 1."""
    assert str(type_of({"enum": [True, 1]})) == str(Union((Enum((True,)), Enum((1,)))))


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "string", "format": "date-time"}, Scalar("string", "date-time")),
        ({"type": "string", "format": "binary"}, Scalar("binary")),
        ({"type": "string", "contentMediaType": "application/octet-stream"}, Scalar("binary")),
        ({"type": "string", "contentMediaType": "application/json"}, TEXT),
        (
            {"type": "string", "contentMediaType": "image/png", "contentEncoding": "base64"},
            Scalar("string", "byte"),
        ),
        ({"type": "string", "contentEncoding": "base64url"}, Scalar("string", "base64url")),
        ({"type": "file"}, Scalar("binary")),
        ({"type": "integer", "format": "int64"}, Scalar("integer", "int64")),
        ({"type": "number"}, Scalar("number")),
        ({"type": "boolean"}, Scalar("boolean")),
        (
            {"type": "string", "minLength": 1, "maxLength": 9, "pattern": "^a", "minimum": 3},
            Scalar("string", limits={"minLength": 1, "maxLength": 9, "pattern": "^a"}),
        ),
        (
            {"type": "integer", "minimum": 0, "multipleOf": 2},
            Scalar("integer", limits={"minimum": 0, "multipleOf": 2}),
        ),
        (
            {"type": "integer", "minimum": 0, "exclusiveMinimum": True},
            Scalar("integer", limits={"exclusiveMinimum": 0}),
        ),
        (
            {"type": "integer", "maximum": 9, "exclusiveMaximum": False},
            Scalar("integer", limits={"maximum": 9}),
        ),
        ({"format": "date"}, Scalar("string", "date")),
        ({"minimum": 1}, Scalar("number", limits={"minimum": 1})),
    ],
)
def test_scalars(schema, expected) -> None:
    """Format and limits are those of the type; files are binary."""
    assert type_of(schema) == expected


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "array", "items": {"type": "string"}}, Array(TEXT)),
        ({"type": "array"}, Array(Anything())),
        ({"type": "array", "items": True}, Array(Anything())),
        ({"items": {"type": "string"}}, Array(TEXT)),
        (
            {"type": "array", "items": {}, "minItems": 1, "uniqueItems": True},
            Array(Anything(), {"minItems": 1, "uniqueItems": True}),
        ),
        ({"type": "array", "uniqueItems": False}, Array(Anything())),
        (
            {"prefixItems": [{"type": "string"}, {"type": "integer"}], "items": False},
            Tuple((TEXT, INTEGER)),
        ),
        (
            {"prefixItems": [{"type": "string"}, {"type": "integer"}], "maxItems": 2},
            Tuple((TEXT, INTEGER)),
        ),
        ({"prefixItems": [{"type": "string"}]}, Array(Anything())),
        (
            {"prefixItems": [{"type": "string"}], "items": {"type": "integer"}},
            Array(Union((TEXT, INTEGER))),
        ),
        ({"type": "array", "items": [{"type": "string"}], "maxItems": 1}, Tuple((TEXT,))),
    ],
)
def test_lists(schema, expected) -> None:
    """A list has items of one type; a tuple a fixed number of them."""
    assert type_of(schema) == expected


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        (PET, ObjectType((Field("name", TEXT),))),
        ({"properties": {"name": {"type": "string"}}}, ObjectType((Field("name", TEXT),))),
        ({**PET, "additionalProperties": False}, ObjectType((Field("name", TEXT),), None, True)),
        ({**PET, "unevaluatedProperties": False}, ObjectType((Field("name", TEXT),), None, True)),
        ({**PET, "additionalProperties": True}, ObjectType((Field("name", TEXT),), Anything())),
        (
            {**PET, "additionalProperties": {"type": "integer"}},
            ObjectType((Field("name", TEXT),), INTEGER),
        ),
        (
            {
                **PET,
                "patternProperties": {"^x": {"type": "integer"}},
                "additionalProperties": False,
            },
            ObjectType((Field("name", TEXT),), INTEGER),
        ),
        ({"type": "object"}, Map(Anything())),
        ({"type": "object", "additionalProperties": True}, Map(Anything())),
        ({"type": "object", "additionalProperties": {"type": "string"}}, Map(TEXT)),
        (
            {"additionalProperties": {"type": "string"}, "maxProperties": 3},
            Map(TEXT, {"maxProperties": 3}),
        ),
        ({"type": "object", "additionalProperties": False}, ObjectType((), None, True)),
        ({"type": "object", "patternProperties": {"^x": {"type": "string"}}}, Map(TEXT)),
        (
            {"patternProperties": {"^x": {"type": "string"}, "^y": {"type": "integer"}}},
            Map(Union((TEXT, INTEGER))),
        ),
        ({"type": "object", "required": ["id"]}, ObjectType((Field("id", Anything(), True),))),
        ({"type": "object", "properties": {"a": True}}, ObjectType((Field("a", Anything()),))),
        ({"type": "object", "properties": {"a": False}}, Map(Anything())),
    ],
)
def test_objects(schema, expected) -> None:
    """An object has fields; without any it is a map."""
    assert type_of(schema) == expected


@pytest.mark.parametrize("schema", [True, {}, {"description": "?"}, {"nullable": True}])
def test_a_schema_that_says_nothing_allows_anything(schema) -> None:
    """Null included."""
    assert type_of(schema) == Anything()


def test_fields_have_their_annotations() -> None:
    """Required, read-only, write-only, deprecated, default, description, examples."""
    kind = type_of(
        {
            "type": "object",
            "required": ["id"],
            "properties": {
                "id": {"type": "string", "readOnly": True, "description": "Its number."},
                "secret": {"type": "string", "writeOnly": True, "deprecated": True},
                "size": {"type": "integer", "default": 3, "example": 4, "examples": [5]},
                "note": {"type": ["string", "null"], "default": None},
                "color": {"$ref": "#/components/schemas/Color"},
            },
        },
        Color={"enum": ["red"], "default": "red", "description": "A color."},
    )

    assert fields(kind) == {
        "id": Field("id", TEXT, True, is_read_only=True, description="Its number."),
        "secret": Field("secret", TEXT, is_write_only=True, is_deprecated=True),
        "size": Field("size", INTEGER, has_default=True, default=3, examples=(4, 5)),
        "note": Field("note", Nullable(TEXT), has_default=True, default=None),
        "color": Field("color", Ref("Color"), has_default=True, default="red"),
    }


def test_a_named_type_has_its_annotations() -> None:
    """Description, examples and place of a schema are those of the document."""
    document = with_schemas(
        {"a/b": {"type": "string", "description": "X", "example": "y", "deprecated": True}}
    )

    found = document.types["a/b"]
    assert (found.description, found.examples, found.is_deprecated) == ("X", ("y",), True)
    assert found.pointer == "#/components/schemas/a~1b"


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": ["string", "integer"]}, Union((TEXT, INTEGER))),
        ({"oneOf": [{"type": "string"}]}, TEXT),
        ({"anyOf": [{"type": "string"}, {"type": "string"}]}, TEXT),
        (
            {"oneOf": [{"type": "string"}, {"anyOf": [{"type": "integer"}, PET]}]},
            Union((TEXT, INTEGER, ObjectType((Field("name", TEXT),)))),
        ),
        ({"anyOf": [{"type": "string"}, {}]}, Anything()),
        (
            {"type": "string", "anyOf": [{"format": "date"}, {"format": "uuid"}]},
            Union((Scalar("string", "date"), Scalar("string", "uuid"))),
        ),
        ({"oneOf": [{"$ref": "#/components/schemas/Pet"}, {"type": "null"}]}, Nullable(Ref("Pet"))),
        (
            {**PET, "anyOf": [{"required": ["name"]}, {"required": ["id"]}]},
            ObjectType((Field("name", TEXT),)),
        ),
        (
            {"type": ["object", "null"], "oneOf": [PET, DOG]},
            Nullable(
                Union((ObjectType((Field("name", TEXT),)), ObjectType((Field("bark", TEXT),))))
            ),
        ),
        (
            {"properties": {"id": {"type": "integer"}}, "oneOf": [PET, DOG]},
            Union(
                (
                    ObjectType((Field("id", INTEGER), Field("name", TEXT))),
                    ObjectType((Field("id", INTEGER), Field("bark", TEXT))),
                )
            ),
        ),
        (
            {"allOf": [{"oneOf": [PET, DOG]}, {"properties": {"id": {"type": "integer"}}}]},
            Union(
                (
                    ObjectType((Field("id", INTEGER), Field("name", TEXT))),
                    ObjectType((Field("id", INTEGER), Field("bark", TEXT))),
                )
            ),
        ),
        (
            {"oneOf": [PET, DOG], "anyOf": [{"properties": {"x": {}}}, {"properties": {"y": {}}}]},
            Union(
                tuple(
                    ObjectType((Field(first, TEXT), Field(second, Anything())))
                    for first in ("name", "bark")
                    for second in ("x", "y")
                )
            ),
        ),
    ],
)
def test_unions(schema, expected) -> None:
    """Unions are flat and without repetition, and what holds for all options is in each."""
    assert type_of(schema, Pet=PET) == expected


def test_an_option_that_covers_what_holds_for_all_stays_a_reference() -> None:
    """`oneOf` beside the properties that all options have names the options."""
    schema = {
        **PET,
        "oneOf": [{"$ref": "#/components/schemas/Pet"}, {"$ref": "#/components/schemas/Dog"}],
    }

    kind = type_of(schema, Pet=PET, Dog=DOG)

    named = ObjectType((Field("name", TEXT), Field("bark", TEXT)))
    assert kind == Union((Ref("Pet"), named))


def test_all_of_is_one_object() -> None:
    """Fields and required are united, limits narrowed, descriptions inherited."""
    kind = type_of(
        {
            "allOf": [
                {"$ref": "#/components/schemas/Base"},
                {"type": "object", "required": ["name"], "properties": {"name": {"maxLength": 5}}},
            ],
            "properties": {"age": {"type": "integer"}},
        },
        Base={
            "type": "object",
            "required": ["id"],
            "properties": {
                "id": {"type": "integer"},
                "name": {"type": "string", "maxLength": 9, "minLength": 1, "description": "N"},
            },
        },
    )

    limits = {"maxLength": 5, "minLength": 1}
    assert fields(kind) == {
        "id": Field("id", INTEGER, True),
        "name": Field("name", Scalar("string", "", limits), True, description="N"),
        "age": Field("age", INTEGER),
    }


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (
            {"type": "integer", "minimum": 1, "maximum": 9},
            {"minimum": 3, "maximum": 5},
            Scalar("integer", limits={"minimum": 3, "maximum": 5}),
        ),
        ({"type": "number"}, {"type": "integer"}, INTEGER),
        ({"type": ["string", "null"]}, {"type": "string"}, TEXT),
        ({"enum": ["a", "b"]}, {"enum": ["b", "c"]}, Enum(("b",))),
        (
            {"type": "array", "items": {"type": "string"}},
            {"items": {"maxLength": 2}},
            Array(Scalar("string", limits={"maxLength": 2})),
        ),
        (
            {**PET, "additionalProperties": False},
            DOG,
            ObjectType((Field("name", TEXT), Field("bark", TEXT)), None, True),
        ),
    ],
)
def test_all_of_narrows(first, second, expected) -> None:
    """What one part excludes is excluded."""
    assert type_of({"allOf": [first, second]}) == expected


@pytest.mark.parametrize(
    ("openapi", "schema", "expected"),
    [
        (
            "3.0.3",
            {"allOf": [{"$ref": "#/components/schemas/Pet"}], "nullable": True},
            Nullable(Ref("Pet")),
        ),
        (
            "3.0.3",
            {"allOf": [{"$ref": "#/components/schemas/Pet"}], "description": "x"},
            Ref("Pet"),
        ),
        ("3.0.3", {"type": "object", "allOf": [{"$ref": "#/components/schemas/Pet"}]}, Ref("Pet")),
        ("3.0.3", {"$ref": "#/components/schemas/Pet", "nullable": True}, Nullable(Ref("Pet"))),
        ("3.0.3", {"$ref": "#/components/schemas/Pet", "required": ["x"]}, Ref("Pet")),
        ("3.1.0", {"$ref": "#/components/schemas/Pet", "description": "x"}, Ref("Pet")),
        (
            "3.1.0",
            {"$ref": "#/components/schemas/Pet", "required": ["name"]},
            ObjectType((Field("name", TEXT, True),)),
        ),
    ],
)
def test_a_reference_with_annotations_stays_one(openapi, schema, expected) -> None:
    """`allOf` of one reference is how 3.0 describes a property."""
    assert type_of(schema, openapi=openapi, Pet=PET) == expected


@pytest.mark.parametrize(
    ("schema", "note"),
    [
        (
            {"type": "string", "not": {"const": "x"}},
            f"{IT}: `not` is not represented",
        ),
        ({**PET, "if": {}, "then": {}}, f"{IT}: `if` is not represented"),
        (
            {**PET, "dependentSchemas": {"name": {}}},
            f"{IT}: `dependentSchemas` is not represented",
        ),
        (False, f"{IT}: no value is valid; it is read as any value"),
        ({"type": "null"}, f"{IT}: only null is valid; it is read as any value"),
        (
            {"enum": [{"a": 1}]},
            f"{IT}: an enum of null, lists or objects is not represented",
        ),
        (
            {"allOf": [{"type": "string"}, {"type": "integer"}]},
            f"{IT}: the values of `type` contradict each other; the last one counts",
        ),
        (
            {**PET, "required": True},
            f"{IT}: `required` of a schema is a list; another value is ignored",
        ),
    ],
)
def test_what_a_type_cannot_say_is_noted(schema, note: str) -> None:
    """With its place."""
    assert note in with_schemas({"It": schema}).notes


def test_properties_under_conditions_are_optional() -> None:
    """Those of then, else and dependentSchemas."""
    kind = type_of(
        {
            **PET,
            "if": {"properties": {"name": {"const": "x"}}},
            "then": {"properties": {"a": {"type": "string"}}, "required": ["a"]},
            "else": {"properties": {"b": {"type": "integer"}}},
            "dependentSchemas": {"name": {"properties": {"c": {"type": "string"}}}},
        }
    )

    assert list(fields(kind)) == ["name", "a", "b", "c"]
    assert not fields(kind)["a"].is_required


def test_a_reference_to_null_is_null() -> None:
    """Some documents name the schema of null."""
    schema = {"oneOf": [{"type": "string"}, {"$ref": "#/components/schemas/None"}]}

    assert type_of(schema, **{"None": {"type": "null"}}) == Nullable(TEXT)


def test_a_base_that_is_extended_twice_is_merged_once() -> None:
    """Otherwise a row of schemas that each extend the next one twice would take forever."""
    schemas = {"S0": PET}
    for number in range(1, 60):
        before = {"$ref": f"#/components/schemas/S{number - 1}"}
        own = {"properties": {f"a{number}": {"type": "integer"}}}
        schemas[f"S{number}"] = {"allOf": [before, {"allOf": [before, own]}]}

    kind = with_schemas(schemas).types["S59"].type

    assert len(fields(kind)) == 60


def test_combinations_are_bounded() -> None:
    """A small document must not become a large one."""
    parts = [{"oneOf": [{"properties": {f"{n}{m}": {}}} for m in range(8)]} for n in range(9)]

    document = with_schemas({"It": {"allOf": parts}})

    assert document.notes == (f"{IT}: of several unions only the first is represented",)


def test_notes_are_lines() -> None:
    """Names of others can't begin a new line, nor turn the direction of one."""
    document = with_schemas({"a\nb\u202e": {"type": "string", "not": {}}})

    assert document.notes == (r"#/components/schemas/a\nb\u202e: `not` is not represented",)


def test_the_same_combination_may_be_null_elsewhere() -> None:
    """What is merged once is not null for all because it is for one."""
    both = [{"$ref": "#/components/schemas/Pet"}, {"$ref": "#/components/schemas/Dog"}]
    schema = {"properties": {"a": {"allOf": both}, "b": {"allOf": both, "nullable": True}}}

    found = fields(type_of(schema, openapi="3.0.3", Pet=PET, Dog=DOG))

    merged = ObjectType((Field("name", TEXT), Field("bark", TEXT)))
    assert (found["a"].type, found["b"].type) == (merged, Nullable(merged))
