"""The structure of a document is checked before it is read: all faults at once."""

from typing import Any

import pytest

from bff_core.contracts.errors import ContractError
from bff_core.contracts.openapi import parse
from tests.contracts.openapi.documents import content, response

GET = "#/paths/~1pets/get"
NO_TYPE = "found 'text', expected one of array, boolean, integer, null, number, object, string"
SWAGGER = (
    "it is Swagger 2.0; convert it to OpenAPI 3 first: "
    "npx swagger2openapi shop.json --outfile openapi.json"
)
A = "#/components/schemas/A"


def faults_of(document: Any) -> tuple[str, ...]:
    """Return why a document can't be read."""
    with pytest.raises(ContractError) as caught:
        parse(document)
    return caught.value.faults


def get(**members: Any) -> dict[str, Any]:
    """Return paths with one operation."""
    return {"/pets": {"get": members}}


@pytest.mark.parametrize(
    ("members", "fault"),
    [
        ({"info": "x"}, "#/info: found 'x', expected an object (an info)"),
        ({"info": {"title": ["x"]}}, "#/info/title: found a list, expected a text"),
        ({"paths": []}, "#/paths: found a list, expected an object with a path item per name"),
        (
            {"paths": {"/pets": []}},
            "#/paths/~1pets: found a list, expected an object (a path item)",
        ),
        (
            {"paths": {"/pets": {"get": 1}}},
            f"{GET}: found the number 1, expected an object (an operation)",
        ),
        (
            {"paths": get(parameters={})},
            f"{GET}/parameters: found an object, expected a list (parameters)",
        ),
        (
            {"paths": get(parameters=[{"name": "a"}])},
            f"{GET}/parameters/0: has no 'in', which a parameter needs",
        ),
        (
            {"paths": get(parameters=[{"name": "a", "in": "query", "required": "yes"}])},
            f"{GET}/parameters/0/required: found 'yes', expected true or false",
        ),
        (
            {"paths": get(responses=[])},
            f"{GET}/responses: found a list, expected an object with a response per name",
        ),
        (
            {"paths": get(responses={"200": "ok"})},
            f"{GET}/responses/200: found 'ok', expected an object (a response)",
        ),
        (
            {"paths": get(responses={"200": {"headers": []}})},
            f"{GET}/responses/200/headers: found a list, expected an object with a header per name",
        ),
        (
            {"paths": get(tags="pets")},
            f"{GET}/tags: found 'pets', expected a list (texts)",
        ),
        (
            {"paths": get(security=[{"key": "read"}])},
            f"{GET}/security/0/key: found 'read', expected a list of scopes",
        ),
        (
            {"paths": get(responses={"200": response({"type": "text"})})},
            f"{GET}/responses/200/content/application~1json/schema/type: {NO_TYPE}",
        ),
        (
            {"components": {"schemas": {"A": "x"}}},
            f"{A}: found 'x', expected an object (a schema)",
        ),
        (
            {"components": {"schemas": {"A": {"properties": ["x"]}}}},
            f"{A}/properties: found a list, expected an object with a schema per name",
        ),
        (
            {"components": {"schemas": {"A": {"allOf": {}}}}},
            f"{A}/allOf: found an object, expected a list (schemas)",
        ),
        (
            {"components": {"schemas": {"A": {"enum": "x"}}}},
            f"{A}/enum: found 'x', expected a list",
        ),
        (
            {"components": {"schemas": {"A": {"minimum": "1"}}}},
            f"{A}/minimum: found '1', expected a number",
        ),
        (
            {"components": {"schemas": {"A": {"minimum": True}}}},
            f"{A}/minimum: found true, expected a number",
        ),
        (
            {"components": {"schemas": {"A": {"nullable": "true"}}}},
            f"{A}/nullable: found 'true', expected true or false",
        ),
        (
            {"components": {"schemas": {"A": {"$ref": 1}}}},
            f"{A}/$ref: found the number 1, expected a text",
        ),
        (
            {"components": {"schemas": {"A": {"discriminator": []}}}},
            f"{A}/discriminator: found a list, expected an object (a discriminator)",
        ),
        (
            {"components": {"schemas": {"A": {"required": "x"}}}},
            f"{A}/required: found 'x', expected a list of names of properties",
        ),
        (
            {"components": {"securitySchemes": {"A": {}}}},
            "#/components/securitySchemes/A: has no 'type', which a security scheme needs",
        ),
        ({"servers": [{"description": "x"}]}, "#/servers/0: has no 'url', which a server needs"),
        ({"servers": {"url": "/"}}, "#/servers: found an object, expected a list (servers)"),
    ],
)
def test_a_member_of_the_wrong_kind_is_named(members: dict[str, Any], fault: str) -> None:
    """Where it is, what it is, what it should be."""
    assert faults_of(content(**members)) == (fault,)


def test_all_faults_are_found_at_once() -> None:
    """In the order of the document; the message shows twenty of them."""
    schemas = {f"A{number:02}": {"type": 1} for number in range(25)}

    with pytest.raises(ContractError) as caught:
        parse(content(components={"schemas": schemas}), "shop.json")

    lines = str(caught.value).splitlines()
    assert lines[0] == "shop.json can't be read:"
    assert lines[1].startswith(f"{A}00/type: found the number 1, expected")
    assert lines[20].startswith(f"{A}19/type")
    assert lines[21:] == ["… and 5 more"]
    assert len(caught.value.faults) == 25


def test_what_a_reference_leads_to_is_checked_as_what_it_is_used_for() -> None:
    """A parameter is no schema."""
    document = content(
        paths=get(parameters=[{"$ref": "#/components/schemas/Limit"}]),
        components={"schemas": {"Limit": {"type": "integer"}}},
    )

    assert faults_of(document) == (
        "#/components/schemas/Limit: has no 'name', which a parameter needs",
        "#/components/schemas/Limit: has no 'in', which a parameter needs",
    )


@pytest.mark.parametrize(
    ("document", "fault"),
    [
        (
            {"swagger": "2.0"},
            SWAGGER,
        ),
        ({"openapi": "2.0"}, "#/openapi: found '2.0', expected one of 3.0, 3.1, 3.2"),
        ({"openapi": "4.0.0"}, "#/openapi: found '4.0.0', expected one of 3.0, 3.1, 3.2"),
        ({}, "it has no `openapi`, so it is no OpenAPI document"),
        (
            {"asyncapi": "3.0.0"},
            "it has no `openapi`, so it is no OpenAPI document; asyncapi describes messages",
        ),
        ([], "found a list, expected an OpenAPI document"),
    ],
)
def test_other_documents_are_refused(document: Any, fault: str) -> None:
    """With what to do about it."""
    with pytest.raises(ContractError) as caught:
        parse(document, "shop.json")

    assert str(caught.value) == f"shop.json: {fault}"


def test_a_document_without_end_is_refused() -> None:
    """A mapping in Python may contain itself, or be very deep."""
    endless = content()
    endless["x-self"] = endless
    deep: dict[str, Any] = {"type": "string"}
    for _ in range(150):
        deep = {"properties": {"a": deep}}

    assert faults_of(endless) == ("it is nested too deeply, or contains itself",)
    assert (
        "nested deeper than 200 levels"
        in faults_of(content(components={"schemas": {"A": deep}}))[0]
    )


def test_what_people_leave_empty_is_absent() -> None:
    """Null instead of a value, as an empty member of YAML is."""
    document = parse(
        content(
            info={"title": None, "version": 1.5},
            paths={"/pets": {"get": {"parameters": None, "responses": {"200": None}}, "put": None}},
            components=None,
            servers=None,
            security=None,
        )
    )

    assert (document.title, document.version) == ("", "1.5")
    assert [operation.name for operation in document.operations] == ["GET /pets"]
    assert document.operations[0].responses == ()
