"""A mock refuses what the contract does not allow, and names the place."""

from typing import Any

import pytest

from bff_core.contracts.openapi import parse
from bff_core.mocks import MockService
from tests.mocks.contract import calling, pets

KEY = {"x-key": "any"}

REFUSED: list[tuple[str, str, dict[str, Any], int, str]] = [
    ("GET", "/nothing", {}, 404, "the contract has no path /nothing"),
    ("PUT", "/pets", {}, 405, "/pets has no PUT"),
    ("GET", "/pets/x", {}, 400, 'path petId: "x" is not of type "integer"'),
    ("GET", "/toys", {}, 400, "query skus: it is required"),
    ("POST", "/pets", {}, 400, "body: it is required"),
    ("POST", "/pets", {"json": {"status": "sold"}}, 400, 'body: "name" is a required property'),
    ("POST", "/pets", {"json": {"name": "Rex", "price": 0}}, 400, "body /price: 0 is less than"),
    ("POST", "/pets", {"json": {"name": "Rex", "email": "x"}}, 400, "body /email:"),
    ("POST", "/pets", {"json": {"name": "R"}}, 400, "body /name:"),
    ("POST", "/pets", {"content": b"{", "headers": {"content-type": "application/json"}}, 400, ""),
    ("POST", "/pets", {"content": b"{}", "headers": {"content-type": "text/plain"}}, 415, "use "),
    ("POST", "/pets", {"content": b"{}"}, 415, "the request has no Content-Type"),
    ("GET", "/pets/1", {"headers": {"accept": "text/html"}}, 406, "text/html"),
    ("GET", "/orders/1", {"headers": {**KEY, "x-shop": "one"}}, 400, "header X-Shop:"),
    ("GET", "/orders/1?filter[year]=new", {"headers": KEY}, 400, "query filter /year:"),
    ("GET", "/pets/1", {"headers": {"prefer": "code=abc"}}, 400, "no status"),
]


@pytest.mark.parametrize(("method", "path", "request_", "status", "detail"), REFUSED)
async def test_wrong_requests(
    method: str, path: str, request_: dict[str, Any], status: int, detail: str
) -> None:
    """A wrong request gets its status, and problem details that say where it is wrong."""
    async with calling(pets()) as client:
        answer = await client.request(method, path, **request_)

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert detail in answer.json()["detail"]
    assert answer.json()["status"] == status


async def test_all_faults_are_listed() -> None:
    """Each fault of a body is listed with its pointer."""
    async with calling(pets()) as client:
        answer = await client.post("/pets", json={"name": 5, "price": "x"})

    places = {(one["in"], one["pointer"]) for one in answer.json()["errors"]}
    assert places == {("body", "/name"), ("body", "/price")}


async def test_the_documented_error_is_sent() -> None:
    """Where the contract documents a 422 and no 400, a wrong parameter gets it, as it describes."""
    async with calling(pets()) as client:
        answer = await client.get("/pets?limit=0")

    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["message"] == "query limit: 0 is less than the minimum of 1"


async def test_allowed_methods_are_listed() -> None:
    """A 405 lists the methods of the path."""
    async with calling(pets()) as client:
        answer = await client.post("/pets/1")

    assert answer.headers["allow"] == "GET, PUT, PATCH, DELETE, HEAD"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"authorization": "Basic eDp5"}, 401),
        ({"authorization": "Bearer any"}, 200),
        ({"x-key": "any"}, 200),
    ],
)
async def test_credentials(headers: dict[str, str], status: int) -> None:
    """An operation that needs credentials gets a 401 without; any value is accepted."""
    async with calling(pets()) as client:
        answer = await client.get("/orders/1", headers=headers)

    assert answer.status_code == status
    assert ("www-authenticate" in answer.headers) == (status == 401)


async def test_credentials_can_be_switched_off() -> None:
    """A test of something else needs no credentials."""
    async with calling(pets(needs_credentials=False)) as client:
        answer = await client.get("/orders/1")

    assert answer.status_code == 200


async def test_the_path_of_the_server_may_come_first() -> None:
    """`https://pets.example/v2/pets/7` and `/pets/7` are the same at the mock."""
    async with calling(pets()) as client:
        answers = [(await client.get(path)).json() for path in ("/v2/pets/7", "/pets/7")]

    assert answers[0] == answers[1]


async def test_readiness() -> None:
    """`bff dev` waits for /healthz, which answers although the contract does not have it."""
    async with calling(pets()) as client:
        answer = await client.get("/healthz")

    assert answer.status_code == 200


async def test_encoded_ids() -> None:
    """An id with a slash is one id, and comes back as it was sent."""
    async with calling(pets()) as client:
        answer = await client.get("/orders/a%2Fb", headers=KEY)

    assert answer.json()["id"] == "a/b"


async def test_a_body_without_its_discriminator() -> None:
    """A union needs the property that its discriminator names, though no option requires it."""
    person = {"type": "object", "properties": {"kind": {"const": "person", "default": "person"}}}
    document = {
        "openapi": "3.1.0",
        "info": {"title": "Shop", "version": "1"},
        "paths": {"/authors": {"post": {
            "requestBody": {"content": {"application/json": {"schema": {
                "oneOf": [{"$ref": "#/components/schemas/Person"}, {"type": "string"}],
                "discriminator": {"propertyName": "kind"},
            }}}},
            "responses": {"204": {"description": "Done"}},
        }}},
        "components": {"schemas": {"Person": person}},
    }  # fmt: skip
    async with calling(MockService(parse(document))) as client:
        refused = await client.post("/authors", json={})
        accepted = [await client.post("/authors", json=one) for one in ({"kind": "person"}, "Ada")]

    assert refused.status_code == 400
    assert '"kind" is a required property' in refused.json()["detail"]
    assert [one.status_code for one in accepted] == [204, 204]
