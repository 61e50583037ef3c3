"""The OpenAPI 3.0 document for generators of other languages."""

import pytest
from openapi_spec_validator import validate

from bff_core.cli.client import without_meta
from bff_core.codegen.openapi30 import for_generators
from bff_core.codegen.openapi30.schemas import schema30
from tests.codegen.python_client.kiosk_gateway import kiosk


@pytest.fixture(scope="module")
def document() -> dict:
    """Return the document of a gateway."""
    return for_generators(without_meta(kiosk().openapi()))


def test_it_is_valid(document):
    """By the schema of OpenAPI 3.0."""
    assert document["openapi"] == "3.0.3"
    validate(document)


def test_an_answer_is_its_model(document):
    """Generators that merge schemas lose which members may be null, so nothing is merged."""
    ok = document["paths"]["/v1/home"]["get"]["responses"]["200"]

    assert ok["content"] == {"application/json": {"schema": {"$ref": "#/components/schemas/Home"}}}
    points = document["components"]["schemas"]["Home"]["properties"]["points"]
    assert (points["type"], points["format"], points["nullable"]) == ("integer", "int64", True)
    assert "Part-Status" in ok["headers"]


def test_lines_of_a_progressive_answer_are_one_object(document):
    """Each line has some of its members."""
    line = document["components"]["schemas"]["GetHomeLine"]

    assert set(line["properties"]) == {
        *("part", "status", "reason", "age", "value", "answer", "parts", "problem")
    }
    assert "required" not in line
    assert line["properties"]["answer"] == {"$ref": "#/components/schemas/Home"}


def test_lines_of_a_stream_have_a_schema(document):
    """The answer is a file for generators; an app decodes its lines."""
    ok = document["paths"]["/v1/rows"]["get"]["responses"]["200"]

    assert ok["content"] == {
        "application/x-ndjson": {"schema": {"type": "string", "format": "binary"}}
    }
    assert document["components"]["schemas"]["GetRowsLine"] == {
        "$ref": "#/components/schemas/Order"
    }


def test_kinds_of_objects_are_one_object(document):
    """Members that not all kinds have are optional; the tag has the values of all."""
    schema = document["paths"]["/v1/pets"]["get"]["responses"]["200"]
    items = schema["content"]["application/json"]["schema"]["items"]

    assert items["required"] == ["type"]
    assert items["properties"]["type"]["enum"] == ["cat", "dog"]
    assert set(items["properties"]) == {"type", "nineLives", "likesWalks"}


def test_unused_schemas_and_the_parameter_meta_are_left_out(document):
    """They would become classes and parameters that no app needs."""
    assert "Meta" not in document["components"]["schemas"]
    names = [one["name"] for one in document["paths"]["/v1/home"]["get"]["parameters"]]
    assert names == ["down"]


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": ["string", "null"]}, {"type": "string", "nullable": True}),
        (
            {"anyOf": [{"type": "string", "maxLength": 3}, {"type": "null"}], "title": "A"},
            {"type": "string", "maxLength": 3, "title": "A", "nullable": True},
        ),
        (
            {"anyOf": [{"$ref": "#/components/schemas/A"}, {"type": "null"}]},
            {"allOf": [{"$ref": "#/components/schemas/A"}], "nullable": True},
        ),
        (
            {"oneOf": [{"type": "string"}, {"type": "boolean"}, {"type": "null"}]},
            {"oneOf": [{"type": "string"}, {"type": "boolean"}], "nullable": True},
        ),
        ({"const": "a"}, {"enum": ["a"]}),
        ({"enum": ["a", None]}, {"enum": ["a", None], "nullable": True}),
        ({"type": "null"}, {"nullable": True, "enum": [None]}),
        (
            {"type": "integer", "exclusiveMinimum": 0},
            {"type": "integer", "format": "int64", "minimum": 0, "exclusiveMinimum": True},
        ),
        ({"type": "integer", "format": "int32"}, {"type": "integer", "format": "int32"}),
        ({"type": "number"}, {"type": "number", "format": "double"}),
        (
            {"type": "array", "prefixItems": [{"type": "string"}, {"type": "string"}]},
            {"type": "array", "items": {"type": "string"}},
        ),
        (
            {"type": "array", "prefixItems": [{"type": "string"}, {"type": "boolean"}]},
            {"type": "array", "items": {}},
        ),
        (
            {"type": "object", "patternProperties": {"^x": {"type": "string"}}},
            {"type": "object", "additionalProperties": {"type": "string"}},
        ),
        (
            {"type": "string", "contentMediaType": "application/octet-stream"},
            {"type": "string", "format": "binary"},
        ),
        ({"type": "string", "examples": ["a", "b"]}, {"type": "string", "example": "a"}),
        ({"properties": {"const": {"const": 1}}}, {"properties": {"const": {"enum": [1]}}}),
        (True, {}),
    ],
)
def test_schemas_are_those_of_openapi_3_0(schema, expected):
    """Each keyword that 3.0 does not have becomes what it has."""
    assert schema30(schema) == expected
