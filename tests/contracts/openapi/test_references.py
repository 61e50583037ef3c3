"""References: wherever they lead within a document, and what is said of those that lead nowhere."""

from typing import Any

import pytest

from bff_core.contracts.errors import ContractError
from bff_core.contracts.openapi import parse
from bff_core.contracts.types import Array, Field, ObjectType, Ref, Scalar, Union
from tests.contracts.openapi.documents import (
    content,
    operation_of,
    response,
    type_of,
    with_schemas,
)

TEXT = Scalar("string")


def faults_of(document: dict[str, Any]) -> tuple[str, ...]:
    """Return why a document can't be read."""
    with pytest.raises(ContractError) as caught:
        parse(document)
    return caught.value.faults


@pytest.mark.parametrize(
    "reference",
    [
        "#/components/schemas/a~1b%20c~0d",
        "#/components/schemas/a~1b c~0d",
        "#/components/schemas/a%7E1b%20c%7E0d",
        "#special",
        "https://shop.example/schemas/special",
        "#/components/schemas/Alias",
    ],
)
def test_a_reference_may_be_escaped_an_anchor_or_an_id(reference: str) -> None:
    """All of them lead to the same schema."""
    special = {"type": "string", "$anchor": "special"}
    holder = {"$id": "https://shop.example/schemas/special", "type": "string"}
    others = {"a/b c~d": special, "Alias": {"$ref": "#/components/schemas/Held"}, "Held": holder}

    document = with_schemas({"It": {"$ref": reference}, **others})

    kind = document.types["It"].type
    while isinstance(kind, Ref):
        kind = document.types[kind.name].type
    assert kind == TEXT


@pytest.mark.parametrize(
    ("reference", "name"),
    [
        ("#/components/schemas/Pet/properties/owner", "PetOwner"),
        ("#/components/schemas/Pet/$defs/Toy", "Toy"),
        ("#/components/schemas/Pets/items", "PetsItem"),
        ("#/paths/~1pets/get/responses/200/content/application~1json/schema", "PetsGet200"),
        ("#/components/responses/Found/content/application~1json/schema", "Found"),
        ("#/x-schemas/Other", "XSchemasOther"),
    ],
)
def test_a_schema_without_a_name_gets_one(reference: str, name: str) -> None:
    """If something refers to it: the words of its place."""
    owner = {"type": "object", "properties": {"name": {"type": "string"}}}
    schemas = {
        "Pet": {"properties": {"owner": owner}, "$defs": {"Toy": owner}},
        "Pets": {"type": "array", "items": owner},
        "It": {"$ref": reference},
    }
    document = parse(
        content(
            paths={"/pets": {"get": {"responses": {"200": response(owner)}}}},
            components={"schemas": schemas, "responses": {"Found": response(owner)}},
            **{"x-schemas": {"Other": owner}},
        )
    )

    assert document.types["It"].type == Ref(name)
    assert document.types[name].type == ObjectType((Field("name", TEXT),))
    assert document.types[name].pointer == reference


def test_names_are_given_once() -> None:
    """A name that a schema of the document has is not given to another one."""
    owner = {"properties": {"owner": {"properties": {"a": {}}}}}
    document = with_schemas(
        {
            "Pet": owner,
            "PetOwner": {"type": "string"},
            "It": {"$ref": "#/components/schemas/Pet/properties/owner"},
        }
    )

    assert document.types["It"].type == Ref("PetOwner2")
    assert document.types["PetOwner"].type == TEXT


def test_schemas_may_contain_themselves() -> None:
    """Directly, in a list, through others, and through `allOf`."""
    document = with_schemas(
        {
            "Node": {"properties": {"next": {"$ref": "#/components/schemas/Node"}}},
            "Tree": {"type": "array", "items": {"$ref": "#/components/schemas/Tree"}},
            "A": {"properties": {"b": {"$ref": "#/components/schemas/B"}}},
            "B": {"allOf": [{"$ref": "#/components/schemas/A"}, {"properties": {"x": {}}}]},
        }
    )

    assert document.types["Node"].type == ObjectType((Field("next", Ref("Node")),))
    assert document.types["Tree"].type == Array(Ref("Tree"))
    assert [field.name for field in document.types["B"].type.fields] == ["b", "x"]


def test_merged_schemas_may_contain_themselves() -> None:
    """Two lists merged by `allOf` would be endless without a name for their items."""
    first = {"properties": {"next": {"$ref": "#/components/schemas/First"}}}
    second = {"properties": {"next": {"$ref": "#/components/schemas/Second"}}}
    both = {
        "allOf": [{"$ref": "#/components/schemas/First"}, {"$ref": "#/components/schemas/Second"}]
    }

    types = with_schemas({"Both": both, "First": first, "Second": second}).types

    assert types["Both"].type == Ref("FirstAndSecond")
    assert types["FirstAndSecond"].type == ObjectType((Field("next", Ref("FirstAndSecond")),))


@pytest.mark.parametrize(
    "schemas",
    [
        {"A": {"allOf": [{"$ref": "#/components/schemas/A"}]}},
        {"A": {"oneOf": [{"$ref": "#/components/schemas/A"}, {"type": "string"}]}},
        {
            "A": {"anyOf": [{"$ref": "#/components/schemas/B"}, {"type": "string"}]},
            "B": {"anyOf": [{"$ref": "#/components/schemas/A"}, {"type": "integer"}]},
        },
        {"A": {"allOf": [{"$ref": "#/components/schemas/A"}, {"type": "string"}]}},
    ],
)
def test_types_that_are_themselves_end(schemas) -> None:
    """Code of a generator may follow references until there is none."""
    document = with_schemas(schemas)

    assert document.notes
    for named in document.types.values():
        kind, steps = named.type, 0
        while isinstance(kind, Ref):
            kind, steps = document.types[kind.name].type, steps + 1
            assert steps < 5
        if isinstance(kind, Union):
            assert Ref(named.name) not in kind.options


def test_references_of_references_only_are_refused() -> None:
    """They say nothing."""
    schemas = {
        "A": {"$ref": "#/components/schemas/B"},
        "B": {"$ref": "#/components/schemas/A"},
    }

    assert faults_of(content(components={"schemas": schemas}))[0] == (
        "#/components/schemas/A: refers to itself, through references only"
    )


def test_everything_of_an_operation_may_be_referred_to() -> None:
    """Parameters, headers, bodies, responses, examples, path items, security schemes."""
    limit = {"name": "limit", "in": "query", "schema": {"type": "integer"}}
    document = parse(
        content(
            paths={"/pets": {"$ref": "#/components/pathItems/Pets"}},
            components={
                "pathItems": {
                    "Pets": {
                        "parameters": [{"$ref": "#/components/parameters/Limit"}],
                        "post": {
                            "requestBody": {"$ref": "#/components/requestBodies/Pet"},
                            "responses": {"200": {"$ref": "#/components/responses/Pet"}},
                        },
                    }
                },
                "parameters": {"Limit": {"$ref": "#/components/parameters/Own"}, "Own": limit},
                "requestBodies": {"Pet": {"required": True, **response({"type": "string"})}},
                "responses": {
                    "Pet": {
                        "description": "A pet.",
                        "headers": {"X-Total": {"$ref": "#/components/headers/Total"}},
                        "content": {
                            "text/plain": {
                                "examples": {"one": {"$ref": "#/components/examples/One"}}
                            }
                        },
                    }
                },
                "headers": {"Total": {"schema": {"type": "integer"}}},
                "examples": {"One": {"value": "Rex"}},
                "securitySchemes": {
                    "key": {"$ref": "#/components/securitySchemes/own"},
                    "own": {"type": "apiKey", "in": "header", "name": "X-Key"},
                },
            },
        )
    )

    (operation,) = document.operations
    assert [one.name for one in operation.parameters] == ["limit"]
    assert operation.parameters[0].pointer == "#/components/parameters/Own"
    assert operation.body is not None
    assert operation.body.is_required
    (found,) = operation.responses
    assert found.description == "A pet."
    assert found.headers[0].name == "X-Total"
    assert found.contents[0].examples == {"one": "Rex"}
    assert document.security_schemes["key"].parameter == "X-Key"


def test_an_example_with_a_member_ref_is_no_reference() -> None:
    """Nor are defaults, values of enums, and properties of this name."""
    schema = {
        "properties": {"$ref": {"type": "string"}},
        "example": {"$ref": "#/nowhere"},
        "default": {"$ref": "#/nowhere"},
    }

    assert type_of(schema) == ObjectType((Field("$ref", TEXT),))


@pytest.mark.parametrize(
    ("reference", "fault"),
    [
        (
            "#/components/schemas/Pett",
            "#/components/schemas has no member 'Pett'; did you mean #/components/schemas/Pet?",
        ),
        (
            "#/components/schemas/pet",
            "#/components/schemas has no member 'pet'; did you mean #/components/schemas/Pet?",
        ),
        ("#/component/schemas/Pet", "# has no member 'component'; did you mean #/components?"),
        ("#/components/schemas/Pet/type/x", "#/components/schemas/Pet/type has no members"),
        ("#nothing", "there is no schema with $anchor 'nothing'"),
        (
            "other.json#/Pet",
            "refers to another document, other.json; load this one from its file or URL",
        ),
    ],
)
def test_a_reference_to_nothing_is_an_error(reference: str, fault: str) -> None:
    """It names the place, and what was probably meant."""
    document = content(
        components={"schemas": {"It": {"$ref": reference}, "Pet": {"type": "string"}}}
    )

    assert faults_of(document) == (f"#/components/schemas/It/$ref: {reference!r}: {fault}",)


def test_a_reference_through_a_reference_resolves() -> None:
    """As resolvers of others do it."""
    operation = operation_of(
        {"responses": {"200": response({"$ref": "#/components/schemas/Alias/properties/name"})}},
        components={
            "schemas": {
                "Alias": {"$ref": "#/components/schemas/Pet"},
                "Pet": {"properties": {"name": {"type": "string"}}},
            }
        },
    )

    assert operation.responses[0].contents[0].type == Ref("PetName")


def test_references_in_a_schema_with_an_id_are_its_own() -> None:
    """`#/$defs/…` within it is not that of the document."""
    schema = {
        "$id": "https://shop.example/order",
        "properties": {
            "line": {"$ref": "#/$defs/Line"},
            "pet": {"$ref": "#/components/schemas/Pet"},
        },
        "$defs": {"Line": {"type": "integer"}},
    }

    document = with_schemas({"Order": schema, "Pet": {"type": "string"}})

    assert document.types["Order"].type == ObjectType(
        (Field("line", Ref("Line")), Field("pet", Ref("Pet")))
    )
    assert document.types["Line"].type == Scalar("integer")


@pytest.mark.parametrize(
    ("openapi", "expected"), [("3.0.3", ("Shared.", "Shared.")), ("3.1.0", ("Own.", "Own."))]
)
def test_a_description_beside_a_reference_counts_since_31(
    openapi: str, expected: tuple[str, str]
) -> None:
    """In 3.0 it is ignored."""
    limit = {"name": "a", "in": "query", "schema": {}, "description": "Shared."}
    node = {
        "parameters": [{"$ref": "#/components/parameters/Limit", "description": "Own."}],
        "responses": {"200": {"$ref": "#/components/responses/Found", "description": "Own."}},
    }
    components = {
        "parameters": {"Limit": limit},
        "responses": {"Found": {"description": "Shared."}},
    }
    document = parse(content(openapi=openapi, paths={"/a": {"get": node}}, components=components))

    (operation,) = document.operations
    found = (operation.parameters[0].description, operation.responses[0].description)
    assert found == expected


def test_members_beside_the_reference_of_a_path_win() -> None:
    """The others are those of the path item that it refers to."""
    paths = {
        "/a": {"$ref": "#/components/pathItems/A", "get": {"operationId": "own"}},
    }
    shared = {"get": {"operationId": "shared"}, "put": {"operationId": "put"}}
    document = parse(content(paths=paths, components={"pathItems": {"A": shared}}))

    assert sorted(operation.id for operation in document.operations) == ["own", "put"]


def test_many_references_to_nothing_are_found_soon() -> None:
    """A file without its schemas has thousands; what was meant is searched for the shown ones."""
    schemas: dict[str, Any] = {f"Schema{number}": {} for number in range(500)}
    wrong = {f"R{number}": {"$ref": f"#/components/schemas/Schemb{number}"} for number in range(40)}

    faults = faults_of(content(components={"schemas": schemas | wrong}))

    assert ["did you mean" in fault for fault in faults] == [True] * 20 + [False] * 20
