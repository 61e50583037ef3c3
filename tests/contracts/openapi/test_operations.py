"""Operations: parameters, bodies, responses, security, servers."""

from typing import Any

import pytest

from bff_core.contracts.document import Content, HttpParameter, SecurityScheme
from bff_core.contracts.openapi import parse
from bff_core.contracts.types import Anything, Array, ObjectType, Ref, Scalar
from tests.contracts.openapi.documents import content, operation_of, response

TEXT = Scalar("string")
INTEGER = Scalar("integer")


def parameter(name: str = "a", place: str = "query", **more: Any) -> dict[str, Any]:
    """Return a parameter that is a text."""
    return {"name": name, "in": place, "schema": {"type": "string"}} | more


def parameters_of(*nodes: Any, path: str = "/pets") -> tuple[HttpParameter, ...]:
    """Return the parameters of an operation."""
    return operation_of({"parameters": list(nodes)}, path=path).parameters


def test_an_operation_has_what_the_document_says() -> None:
    """Id, texts, tags, extensions, its place."""
    operation = operation_of(
        {
            "operationId": "listPets",
            "summary": "S",
            "description": "D",
            "tags": ["pets", 2],
            "deprecated": True,
            "x-page": {"by": "cursor"},
        }
    )

    assert (operation.id, operation.summary, operation.description) == ("listPets", "S", "D")
    assert (operation.name, operation.tags) == ("GET /pets", ("pets", "2"))
    assert operation.is_deprecated
    assert operation.extensions == {"x-page": {"by": "cursor"}}
    assert operation.pointer == "#/paths/~1pets/get"


def test_operations_stand_in_the_order_of_the_document() -> None:
    """All methods, those of 3.2 included, but no extensions."""
    methods = ("post", "get", "delete", "head", "options", "patch", "put", "trace", "query")
    paths = {
        "/b": {method: {} for method in methods},
        "/a": {"additionalOperations": {"LOCK": {}}, "x-get": {}, "summary": "s"},
        "x-c": {"get": {}},
    }

    names = [operation.name for operation in parse(content(paths=paths)).operations]

    assert names == [*(f"{method.upper()} /b" for method in methods), "LOCK /a"]


@pytest.mark.parametrize(
    ("place", "more", "style", "is_exploded"),
    [
        ("path", {}, "simple", False),
        ("query", {}, "form", True),
        ("header", {}, "simple", False),
        ("cookie", {}, "form", True),
        ("query", {"style": "spaceDelimited"}, "spaceDelimited", False),
        ("query", {"style": "deepObject"}, "deepObject", True),
        ("query", {"explode": False}, "form", False),
        ("path", {"style": "label", "explode": True}, "label", True),
    ],
)
def test_style_and_explode_have_defaults(
    place: str, more: dict[str, Any], style: str, *, is_exploded: bool
) -> None:
    """By the place of the parameter."""
    (found,) = parameters_of(
        parameter("a", place, **more), path="/pets/{a}" if place == "path" else "/pets"
    )

    assert (found.style, found.is_exploded) == (style, is_exploded)


def test_a_parameter_has_its_annotations() -> None:
    """Those of its schema count where it has none itself."""
    (found,) = parameters_of(
        {
            "name": "limit",
            "in": "query",
            "required": True,
            "deprecated": True,
            "examples": {"few": {"value": 5}, "many": {"value": 50}, "far": {"externalValue": "x"}},
            "schema": {"type": "integer", "default": 10, "description": "How many."},
        }
    )

    assert found == HttpParameter(
        "limit",
        "query",
        INTEGER,
        is_required=True,
        description="How many.",
        has_default=True,
        default=10,
        examples=(5, 50),
        is_deprecated=True,
        pointer="#/paths/~1pets/get/parameters/0",
    )


def test_a_parameter_may_be_a_document() -> None:
    """`content` has its media type."""
    schema = {"type": "object", "properties": {"a": {"type": "string"}}}
    (found,) = parameters_of(
        {
            "name": "filter",
            "in": "query",
            "content": {"application/json": {"schema": schema, "example": {"a": "x"}}},
        }
    )

    assert found.media_type == "application/json"
    assert isinstance(found.type, ObjectType)
    assert found.examples == ({"a": "x"},)


def test_parameters_of_a_path_belong_to_each_operation() -> None:
    """One of the operation replaces that of the path with its name and place."""
    shared = [parameter("id", "path"), parameter("a"), parameter("a", "header")]
    paths = {
        "/pets/{id}": {
            "parameters": shared,
            "get": {"parameters": [parameter("a", schema={"type": "integer"})]},
            "delete": {},
        }
    }

    first, second = parse(content(paths=paths)).operations

    assert [(one.place, one.name, one.type) for one in first.parameters] == [
        ("path", "id", TEXT),
        ("query", "a", INTEGER),
        ("header", "a", TEXT),
    ]
    assert [one.type for one in second.parameters] == [TEXT, TEXT, TEXT]
    assert first.parameters[0].is_required


def test_path_and_parameters_fit_each_other() -> None:
    """A missing one is a text, one too many is left out; both are noted."""
    paths = {
        "/pets/{id}/toys/{toy}": {
            "get": {"parameters": [parameter("toy", "path"), parameter("x", "path")]}
        }
    }

    document = parse(content(paths=paths))

    (operation,) = document.operations
    assert [(one.name, one.type) for one in operation.parameters] == [("id", TEXT), ("toy", TEXT)]
    place = "#/paths/~1pets~1{id}~1toys~1{toy}/get"
    assert document.notes == (
        f"{place}: the path's 'id' has no parameter; it is a text",
        f"{place}: the path has no place for its parameter 'x'",
    )


@pytest.mark.parametrize("name", ["Accept", "content-type", "Authorization"])
def test_headers_that_openapi_describes_elsewhere_are_no_parameters(name: str) -> None:
    """The specification says so."""
    found = parameters_of(parameter(name, "header"), parameter(name))

    assert [one.place for one in found] == ["query"]


def test_a_body_has_contents() -> None:
    """Media types with types, examples and the encodings of parts."""
    operation = operation_of(
        {
            "requestBody": {
                "required": True,
                "description": "A photo.",
                "content": {
                    "multipart/form-data": {
                        "schema": {"properties": {"file": {"type": "string", "format": "binary"}}},
                        "encoding": {"file": {"contentType": "image/png"}, "other": {}},
                    },
                    "application/json": {
                        "schema": {"type": "integer"},
                        "example": 1,
                        "examples": {"two": {"value": 2}, "three": {"dataValue": 3}},
                    },
                },
            }
        }
    )

    assert operation.body is not None
    assert (operation.body.is_required, operation.body.description) == (True, "A photo.")
    form, json = operation.body.contents
    assert form.encodings == {"file": "image/png"}
    assert json == Content(
        "application/json",
        INTEGER,
        {"example": 1, "two": 2, "three": 3},
        pointer="#/paths/~1pets/get/requestBody/content/application~1json",
    )


def test_the_example_of_a_schema_is_one_of_its_content() -> None:
    """Unless the content has its own, or the schema has a name."""
    operation = operation_of(
        {
            "responses": {
                "200": response({"type": "integer", "example": 1}),
                "201": response({"type": "integer", "example": 1}, example=2),
                "202": response({"$ref": "#/components/schemas/A"}),
            }
        },
        components={"schemas": {"A": {"type": "integer", "example": 3}}},
    )

    examples = [one.contents[0].examples for one in operation.responses]
    assert examples == [{"example": 1}, {"example": 2}, {}]


@pytest.mark.parametrize(
    ("media_type", "kind"),
    [
        ("application/json", Anything()),
        ("application/problem+json", Anything()),
        ("application/x-www-form-urlencoded", Anything()),
        ("application/xml", Anything()),
        ("*/*", Anything()),
        ("text/plain", TEXT),
        ("text/csv; charset=utf-8", TEXT),
        ("application/octet-stream", Scalar("binary")),
        ("image/png", Scalar("binary")),
        ("image/*", Scalar("binary")),
        ("application/*", Anything()),
        ("application/pdf", Scalar("binary")),
    ],
)
def test_a_content_without_schema_has_the_type_of_its_media_type(media_type: str, kind) -> None:
    """Pictures are binary, texts are texts, JSON is anything."""
    operation = operation_of({"responses": {"200": {"content": {media_type: {}}}}})

    assert operation.responses[0].contents[0].type == kind


def test_a_stream_of_items_is_a_list() -> None:
    """`itemSchema` of 3.2."""
    node = {"content": {"application/jsonl": {"itemSchema": {"type": "string"}}}}

    assert operation_of({"responses": {"200": node}}).responses[0].contents[0].type == Array(TEXT)


def test_responses_have_status_and_headers() -> None:
    """Ranges and default included; what is no status is noted."""
    header = {"required": True, "schema": {"type": "integer"}, "description": "Total"}
    responses = {
        "200": {"headers": {"X-Total": header, "Content-Type": {"schema": {}}}},
        "4xx": {"description": "no"},
        "default": {},
        "x-more": {},
        "OK": {},
    }
    document = parse(content(paths={"/pets": {"get": {"responses": responses}}}))

    (operation,) = document.operations
    assert [one.status for one in operation.responses] == ["200", "4XX", "default"]
    (found,) = operation.responses[0].headers
    assert (found.name, found.place, found.style) == ("X-Total", "header", "simple")
    assert (found.is_required, found.description, found.type) == (True, "Total", INTEGER)
    assert document.notes == ("#/paths/~1pets/get: 'OK' is no status of a response",)


def test_an_operation_without_security_has_that_of_the_document() -> None:
    """An empty list opens it; `{}` is an alternative."""
    paths = {
        "/a": {"get": {}},
        "/b": {"get": {"security": []}},
        "/c": {"get": {"security": [{"token": ["read"]}, {"key": [], "token": []}, {}]}},
    }
    schemes = {
        "key": {"type": "apiKey", "in": "header", "name": "X"},
        "token": {"type": "http", "scheme": "bearer"},
    }
    document = parse(
        content(paths=paths, security=[{"key": []}], components={"securitySchemes": schemes})
    )

    assert [operation.security for operation in document.operations] == [
        ({"key": ()},),
        (),
        ({"token": ("read",)}, {"key": (), "token": ()}, {}),
    ]
    assert document.notes == ()


def test_without_any_security_it_is_unknown() -> None:
    """None is not the same as open to everybody."""
    assert operation_of({}).security is None


def test_an_unknown_security_scheme_is_noted() -> None:
    """Nothing can be sent for it."""
    document = parse(content(paths={"/a": {"get": {"security": [{"key": []}]}}}))

    assert document.notes == ("#/paths/~1a/get: there is no security scheme 'key'",)


def test_security_schemes() -> None:
    """API keys, HTTP schemes, and the flow that services use."""
    flows = {"clientCredentials": {"tokenUrl": "https://id.example/token", "scopes": {}}}
    schemes = {
        "key": {"type": "apiKey", "in": "query", "name": "k", "description": "D"},
        "token": {"type": "http", "scheme": "bearer"},
        "app": {"type": "oauth2", "flows": flows},
    }

    found = parse(content(components={"securitySchemes": schemes})).security_schemes

    assert found == {
        "key": SecurityScheme("key", "apiKey", place="query", parameter="k", description="D"),
        "token": SecurityScheme("token", "http", scheme="bearer"),
        "app": SecurityScheme("app", "oauth2", token_url="https://id.example/token"),
    }


@pytest.mark.parametrize(
    ("servers", "source", "expected"),
    [
        ([{"url": "https://api.example/v1/"}], "", ("https://api.example/v1",)),
        ([{"url": "/v1"}], "shop.json", ("/v1",)),
        ([{"url": "/v1"}], "https://api.example/docs/openapi.json", ("https://api.example/v1",)),
        (
            [{"url": "../v1"}],
            "https://api.example/docs/a/openapi.json",
            ("https://api.example/docs/v1",),
        ),
        (None, "https://api.example/docs/openapi.json", ("https://api.example",)),
        (None, "shop.json", ()),
        (
            [
                {
                    "url": "https://{host}/{v}",
                    "variables": {"host": {"default": "a.example"}, "v": {"default": 2}},
                }
            ],
            "",
            ("https://a.example/2",),
        ),
        ([{"url": "https://{h}", "variables": {"h": {"enum": ["a"]}}}], "", ("https://a",)),
    ],
)
def test_servers(servers, source: str, expected: tuple[str, ...]) -> None:
    """Variables have their defaults; relative ones are resolved against the document's URL."""
    assert parse(content(servers=servers), source).servers == expected


def test_what_is_not_represented_is_noted() -> None:
    """Webhooks, callbacks, servers of one operation, places of parameters, ids that occur twice."""
    paths = {
        "/a": {
            "servers": [{"url": "/"}],
            "get": {"operationId": "a", "callbacks": {"c": {"{$url}": {"post": {}}}}},
            "put": {"operationId": "a", "servers": [{"url": "/"}]},
            "post": {"parameters": [{"name": "q", "in": "querystring", "content": {}}]},
        }
    }
    document = parse(
        content(paths=paths, webhooks={"new": {"post": {}}}, servers=[{"url": "/{x}"}])
    )

    assert sorted(document.notes) == [
        "#/paths/~1a/get: callbacks of an operation are not represented",
        "#/paths/~1a/post/parameters/0: a parameter in 'querystring' is not represented",
        "#/paths/~1a/put: GET /a has the same operationId, a",
        "#/paths/~1a/put: servers of an operation are not represented",
        "#/paths/~1a: servers of a path are not represented",
        "#/servers/0: the variable 'x' has no default",
        "#/webhooks: webhooks are not represented",
    ]


def test_callbacks_and_webhooks_are_checked_nevertheless() -> None:
    """Schemas that only they refer to are read, so that names do not change with them."""
    hook = {"post": {"requestBody": response({"$ref": "#/components/schemas/Event"})}}
    document = parse(
        content(webhooks={"new": hook}, components={"schemas": {"Event": {"type": "string"}}})
    )

    assert document.types["Event"].type == TEXT
    assert document.operations == ()


def test_the_same_response_is_read_for_each_status() -> None:
    """A reference may stand at several statuses."""
    shared = {"$ref": "#/components/responses/Problem"}
    operation = operation_of(
        {"responses": {"404": shared, "409": shared}},
        components={
            "responses": {"Problem": response({"$ref": "#/components/schemas/P"})},
            "schemas": {"P": {"type": "string"}},
        },
    )

    assert [one.status for one in operation.responses] == ["404", "409"]
    assert [one.contents[0].type for one in operation.responses] == [Ref("P"), Ref("P")]
