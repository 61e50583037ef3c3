"""The error types of a contract say what happened: texts, places and codes."""

from typing import Any

import pytest

from bff_core.contracts.openapi import parse
from bff_core.mocks import MockService
from tests.mocks.contract import calling, content, document, of, query

FASTAPI: dict[str, Any] = {
    "HTTPValidationError": {
        "type": "object",
        "properties": {"detail": {"type": "array", "items": of("ValidationError")}},
    },
    "ValidationError": {
        "type": "object",
        "required": ["loc", "msg", "type"],
        "properties": {
            "loc": {
                "type": "array",
                "items": {"anyOf": [{"type": "string"}, {"type": "integer"}]},
            },
            "msg": {"type": "string"},
            "type": {"type": "string"},
        },
    },
    "Fault": {
        "type": "object",
        "required": ["code", "message"],
        "properties": {
            "code": {"type": "string", "enum": ["bad_cursor", "not_found", "bad_limit"]},
            "message": {"type": "string"},
        },
    },
    "Page": {"type": "array", "items": {"type": "object", "properties": {"id": {}}}},
}


def service(*statuses: str, error: str, **options: Any) -> MockService:
    """Return a mock whose errors have a type."""
    replies = {"200": content(of("Page")), **{one: content(of(error)) for one in statuses}}
    body = content({"type": "object", "properties": {"stars": {"type": "integer"}}})
    parameters = [
        query("limit", {"type": "integer", "minimum": 1}),
        query("cursor", {"type": "string"}),
    ]
    operation = {"parameters": parameters, "responses": replies}
    paths = {"/ratings": {"get": operation, "post": {**operation, "requestBody": body}}}
    contract = document(paths=paths, components={"schemas": FASTAPI})
    return MockService(parse(contract), **options)


async def test_the_errors_of_fastapi_have_the_place() -> None:
    """`HTTPValidationError` lists each fault with its place, message and kind."""
    async with calling(service("422", error="HTTPValidationError")) as client:
        in_query = (await client.get("/ratings?limit=0")).json()
        in_body = (await client.post("/ratings", json={"stars": "x"})).json()

    message = "0 is less than the minimum of 1"
    assert in_query == {
        "detail": [{"loc": ["query", "limit"], "msg": message, "type": "value_error"}]
    }
    assert in_body["detail"][0]["loc"] == ["body", "stars"]


@pytest.mark.parametrize(
    ("address", "code", "expected"),
    [
        ("/ratings", 404, "not_found"),
        ("/ratings?cursor=none", 0, "bad_cursor"),
        ("/ratings?limit=0", 0, "bad_limit"),
        ("/ratings", 503, "bad_cursor"),
    ],
)
async def test_the_nearest_code_is_chosen(address: str, code: int, expected: str) -> None:
    """An enum of codes has the member that fits the status and the place, else its first."""
    async with calling(service("400", "404", "503", error="Fault")) as client:
        answer = await client.get(address, headers={"prefer": f"code={code}"})

    assert answer.status_code == (code or 400)
    assert answer.json()["code"] == expected


@pytest.mark.parametrize(
    ("options", "expected"), [({}, [400, 422]), ({"refuses_with": 422}, [422, 422])]
)
async def test_the_status_of_a_refusal(options: dict[str, int], expected: list[int]) -> None:
    """Where 400 and 422 are documented, bodies get 422; a test may choose one for all."""
    async with calling(service("400", "422", error="Fault", **options)) as client:
        answers = [
            await client.get("/ratings?limit=0"),
            await client.post("/ratings", json={"stars": "x"}),
        ]

    assert [one.status_code for one in answers] == expected
