"""Mocks of contracts as they are: equal paths, odd encodings, wrong defaults."""

import base64
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest

from bff_core.contracts.openapi import parse
from bff_core.mocks.service import MockService
from tests.mocks.contract import calling

TEXT = {"type": "string"}


def mock(paths: dict[str, Any]) -> MockService:
    """Return the mock of some paths."""
    return MockService(
        parse({"openapi": "3.0.3", "info": {"title": "Shop", "version": "1"}, "paths": paths})
    )


def operation(schema: Any, *parameters: Any, media_type: str = "application/json") -> Any:
    """Return an operation that answers with a schema."""
    response = {"description": "Done", "content": {media_type: {"schema": schema}}}
    return {"parameters": list(parameters), "responses": {"200": response}}


def parameter(name: str, place: str, schema: Any, **members: Any) -> Any:
    """Return a parameter of an operation."""
    is_required = place == "path"
    return {"name": name, "in": place, "required": is_required, "schema": schema, **members}


async def test_paths_that_differ_by_the_names_of_their_parameters() -> None:
    """Each method is found in the path that has it."""
    paths = {
        "/pets/{id}": {"get": operation(TEXT, parameter("id", "path", TEXT))},
        "/pets/{petId}": {"delete": operation(TEXT, parameter("petId", "path", TEXT))},
    }
    async with calling(mock(paths)) as client:
        statuses = [
            (await client.request(method, "/pets/1")).status_code
            for method in ("GET", "HEAD", "DELETE", "PUT")
        ]

    assert statuses == [200, 200, 200, 405]


@pytest.mark.parametrize(
    ("template", "path"),
    [("/日本/{x}", "/%E6%97%A5%E6%9C%AC/a"), ("/a b/{x}", "/a%20b/a"), ("/a,b/{x}", "/a%2Cb/a")],
)
async def test_paths_with_signs_that_are_encoded(template: str, path: str) -> None:
    """A path is found in any of its encodings."""
    item = {"get": operation(TEXT, parameter("x", "path", TEXT))}
    async with calling(mock({template: item})) as client:
        answer = await client.get(path)

    assert answer.status_code == 200


@pytest.mark.parametrize("path", ["/x/1,2", "/x/1%2C2"])
async def test_a_list_in_a_path(path: str) -> None:
    """Commas between the items of a list may be encoded."""
    numbers = {"type": "array", "items": {"type": "integer"}}
    item = {"get": operation(TEXT, parameter("ids", "path", numbers))}
    async with calling(mock({"/x/{ids}": item})) as client:
        answer = await client.get(path)

    assert answer.status_code == 200


@pytest.mark.parametrize(
    "query", ["f[tags]=a&f[tags]=b", "f[tags][]=a&f[tags][]=b", "f[min]=3&f[tags]=a"]
)
async def test_a_list_in_an_object_in_brackets(query: str) -> None:
    """A list in an object of the style deepObject repeats its name."""
    schema = {
        "type": "object",
        "properties": {"tags": {"type": "array", "items": TEXT}, "min": {"type": "integer"}},
    }
    item = {"get": operation(TEXT, parameter("f", "query", schema, style="deepObject"))}
    async with calling(mock({"/x": item})) as client:
        answer = await client.get(f"/x?{query}")

    assert answer.status_code == 200


async def test_a_resource_of_any_media_type_is_created() -> None:
    """A POST that answers with `*/*` returns what it created, not null."""
    schema = {"type": "object", "properties": {"id": TEXT, "name": TEXT}}
    body = {"content": {"application/json": {"schema": schema}}}
    paths = {
        "/pets": {"post": {**operation(schema, media_type="*/*"), "requestBody": body}},
        "/pets/{id}": {"get": operation(schema, parameter("id", "path", TEXT))},
    }
    async with calling(mock(paths)) as client:
        answer = await client.post("/pets", json={"name": "Rex"})

    assert answer.json()["name"] == "Rex"


async def test_values_are_of_their_type_whatever_the_contract_suggests() -> None:
    """Defaults of another type, and ids of another format, are not in answers."""
    schema = {
        "type": "object",
        "required": ["id", "area", "at", "raw"],
        "properties": {
            "id": {**TEXT, "format": "uuid"},
            "area": {"type": "integer", "default": "current"},
            "at": {**TEXT, "format": "date-time", "pattern": r"^\d{4}-\d{2}-\d{2}T.*$"},
            "raw": {**TEXT, "format": "byte", "pattern": "^.{1,}$"},
        },
    }
    item = {"get": operation(schema, parameter("id", "path", TEXT))}
    async with calling(mock({"/x/{id}": item})) as client:
        value = (await client.get("/x/7")).json()

    assert isinstance(value["area"], int)
    assert UUID(value["id"])
    assert datetime.fromisoformat(value["at"])
    assert base64.b64decode(value["raw"], validate=True)


async def test_operations_that_a_header_or_a_parameter_chooses() -> None:
    """Paths that differ behind a `#`, as AWS writes them, are chosen by header or query."""
    paths = {
        "/#X-Amz-Target=Shop.Count": {"post": operation({"type": "integer"})},
        "/#X-Amz-Target=Shop.Name": {"post": operation(TEXT)},
        "/#Action=IsOpen": {"post": operation({"type": "boolean"})},
    }
    async with calling(mock(paths)) as client:
        found = [
            (await client.post(address, headers=headers)).json()
            for address, headers in (
                ("/", {"x-amz-target": "Shop.Count"}),
                ("/", {"x-amz-target": "Shop.Name"}),
                ("/?Action=IsOpen", {}),
            )
        ]

    assert [type(one) for one in found] == [int, str, bool]


async def test_a_long_chain_of_types() -> None:
    """A body whose types refer to a thousand others, one by one, is checked."""
    chain: dict[str, Any] = {
        f"T{number}": {
            "type": "object",
            "properties": {"next": {"$ref": f"#/components/schemas/T{number + 1}"}},
        }
        for number in range(1000)
    }
    body = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/T0"}}}}
    contract = {
        "openapi": "3.0.3",
        "info": {"title": "Shop", "version": "1"},
        "paths": {"/x": {"post": {**operation(TEXT), "requestBody": body}}},
        "components": {"schemas": {**chain, "T1000": TEXT}},
    }
    async with calling(MockService(parse(contract))) as client:
        statuses = [(await client.post("/x", json={"next": one})).status_code for one in ({}, 1)]

    assert statuses == [200, 400]


async def test_several_variables_in_one_segment() -> None:
    """They are cut where their literals are, and a long path of other form is refused at once."""
    names = [f"v{number}" for number in range(12)]
    template = "/x/" + "-".join(f"{{{one}}}" for one in names) + ".json"
    item = {"get": operation(TEXT, *(parameter(one, "path", TEXT) for one in names))}
    async with calling(mock({template: item})) as client:
        right = await client.get("/x/" + "-".join("a" * 12) + ".json")
        wrong = await client.get("/x/" + "a-" * 2000)

    assert (right.status_code, wrong.status_code) == (200, 404)
