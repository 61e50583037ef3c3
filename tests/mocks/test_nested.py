"""Collections below a resource: `/products/{id}/ratings`."""

from typing import Any

from bff_core.contracts.openapi import parse
from bff_core.mocks import MockService
from tests.mocks.contract import calling, content, document, listed, of

ID: dict[str, Any] = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
RATING = {
    "type": "object",
    "required": ["id", "stars"],
    "properties": {"id": {"type": "integer", "readOnly": True}, "stars": {"type": "integer"}},
}
NOTE = {"type": "object", "properties": {"text": {"type": "string"}}}


def products() -> MockService:
    """Return a mock with ratings below products, read alone as `/ratings/{id}`, and notes."""

    def collection(name: str) -> dict[str, Any]:
        return {
            "parameters": [ID],
            "get": {"responses": {"200": content(listed(name))}},
            "post": {
                "requestBody": {"required": True, **content(of(name))},
                "responses": {"201": content(of(name))},
            },
        }

    item = {
        "parameters": [ID],
        "get": {"responses": {"200": content(of("Rating"))}},
        "delete": {"responses": {"204": {"description": ""}}},
    }
    paths = {
        "/products/{id}/ratings": collection("Rating"),
        "/products/{id}/notes": collection("Note"),
        "/ratings/{id}": item,
    }
    schemas = {"Rating": RATING, "Note": NOTE}
    return MockService(parse(document(paths=paths, components={"schemas": schemas})))


async def test_what_is_posted_below_a_resource_can_be_read() -> None:
    """A rating is in the list of its product and alone, and in neither when it was deleted."""
    async with calling(products()) as client:
        made = (await client.post("/products/p1/ratings", json={"stars": 77})).json()
        other = (await client.get("/products/p2/ratings")).json()
        first = (await client.get("/products/p1/ratings")).json()[0]
        alone = (await client.get(f"/ratings/{made['id']}")).json()
        await client.delete(f"/ratings/{made['id']}")
        gone = await client.get(f"/ratings/{made['id']}")
        after = (await client.get("/products/p1/ratings")).json()

    assert first == made == alone
    assert made["stars"] == 77
    assert made["id"] not in {one["id"] for one in other}
    assert gone.status_code == 404
    assert made["id"] not in {one["id"] for one in after}


async def test_items_without_an_id_are_remembered() -> None:
    """A note has no id: it is the first of its list."""
    async with calling(products()) as client:
        await client.post("/products/p1/notes", json={"text": "mine"})
        found = (await client.get("/products/p1/notes")).json()

    assert found[0] == {"text": "mine"}


async def test_lists_of_different_parents_differ() -> None:
    """The ratings of two products have different ids; those of one product stay the same."""
    async with calling(products()) as client:
        first, again, other = [
            (await client.get(f"/products/{one}/ratings")).json() for one in ("1", "1", "2")
        ]

    assert first == again
    assert not {one["id"] for one in first} & {one["id"] for one in other}
