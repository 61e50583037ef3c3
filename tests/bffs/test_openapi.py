"""The OpenAPI documents of the reference gateways: valid, with bounds, errors and security.

`make test-openapi` judges them with the tools of others, which CI does not fetch.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from openapi_spec_validator import validate

BOUNDS = {
    "string": [{"maxLength"}, {"enum"}, {"const"}],
    "array": [{"maxItems"}],
    "integer": [{"minimum", "maximum", "format"}],
}
"""The members that bound a value, by its type."""


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield f"{method.upper()} {path}", operation


def sent(operation: dict[str, Any], document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the schemas of all that a client sends, but `_meta`, which may be any text."""
    parameters = [one for one in operation.get("parameters", ()) if one["name"] != "_meta"]
    left = [*parameters, operation.get("requestBody", {})]
    while left:
        one = left.pop()
        if isinstance(one, list):
            left += one
        elif isinstance(one, dict):
            name = one.get("$ref", "").rpartition("/")[2]
            left += [document["components"]["schemas"][name]] if name else one.values()
            if isinstance(one.get("type"), str):
                yield one


@pytest.mark.parametrize("name", ["mobile", "desktop"])
async def test_what_clients_send_has_bounds(open_gateway, name):
    """Each text, list and integer of a URL, a header or a body."""
    async with open_gateway(name) as client:
        document = (await client.get("/openapi.json")).json()

    validate(document)
    schemas = [
        (place, schema)
        for place, operation in operations(document)
        for schema in sent(operation, document)
        if schema["type"] in BOUNDS
    ]
    assert len(schemas) > 5
    assert [
        (place, schema)
        for place, schema in schemas
        if not any(wanted <= schema.keys() for wanted in BOUNDS[schema["type"]])
    ] == []


@pytest.mark.parametrize("name", ["mobile", "desktop"])
async def test_each_operation_names_its_security_and_its_errors(open_gateway, name):
    """A scope where one is required; one schema for all errors, and the wait after a 429."""
    async with open_gateway(name) as client:
        document = (await client.get("/openapi.json")).json()

    anyone = {place for place, one in operations(document) if one["security"] == []}
    public = {"GET /v1/products", "GET /v1/products/{product_id}"}
    assert anyone == public | ({"GET /v1/categories"} if name == "mobile" else set())
    for _, operation in operations(document):
        assert all(one["Demo"] for one in operation["security"])
        responses = operation["responses"]
        assert {"400", "401", "429", "500", "502", "503", "504", "default"} <= responses.keys()
        assert "Retry-After" in responses["429"]["headers"]
        for status in responses.keys() - {"200", "201", "207", "304"}:
            (content,) = responses[status]["content"].values()
            assert content["schema"] == {"$ref": "#/components/schemas/Problem"}
