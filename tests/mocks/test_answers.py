"""What a mock answers: examples, made values, lists, pages, and what clients have changed."""

from typing import Any

import pytest

from bff_core.contracts.openapi import parse
from bff_core.mocks import MockCall, MockReply, MockService
from tests.mocks.contract import calling, content, document, of, pets

KEY = {"x-key": "any"}


async def test_a_resource_has_the_id_of_its_path() -> None:
    """GET /pets/7 answers pet 7, with values that fit their names, formats and limits."""
    async with calling(pets()) as client:
        pet = (await client.get("/pets/7")).json()

    assert pet["id"] == 7
    assert "@" in pet["email"]
    assert 1 <= pet["price"] <= 500
    assert pet["status"] in {"available", "sold"}
    assert pet["chip"][3] == "-"
    assert "secret" not in pet, "a write-only property is in no answer"


async def test_the_same_request_gets_the_same_answer() -> None:
    """Answers depend on the contract, the request and the seed, on nothing else."""
    answers = []
    for seed in (0, 0, 1):
        async with calling(pets(seed=seed)) as client:
            answers.append([(await client.get(f"/pets/{id_}")).json() for id_ in (7, 8)])

    assert answers[0] == answers[1] != answers[2]
    assert answers[0][0]["name"] != answers[0][1]["name"] or answers[0][0] != answers[0][1]


async def test_a_pet_is_the_same_in_a_list_and_alone() -> None:
    """The name of pet 2 is the same in the list, in a batch and on its own."""
    async with calling(pets()) as client:
        alone = (await client.get("/pets/2")).json()
        listed = (await client.get("/pets")).json()["items"][1]
        batch = (await client.get("/pets?ids=9&ids=2")).json()["items"]

    assert listed["id"] == 2
    assert {one["name"] for one in (alone, listed, batch[1])} == {alone["name"]}
    assert [one["id"] for one in batch] == [9, 2]


async def test_cursors_lead_to_the_end() -> None:
    """Pages by cursor have all items once, and the last one has no cursor."""
    found, cursor = [], ""
    async with calling(pets()) as client:
        for _ in range(10):
            page = (await client.get("/pets", params={"limit": 5, "cursor": cursor})).json()
            found += [one["id"] for one in page["items"]]
            cursor = page["next_cursor"]
            assert page["has_more"] == (cursor is not None)
            assert page["total"] == 12
            if cursor is None:
                break

    assert found == list(range(1, 13))


async def test_links_lead_to_the_end() -> None:
    """A list without an envelope names its next page in `Link`, with the query of the request."""
    async with calling(pets()) as client:
        address, found = "/pets/4/toys?sort=x", []
        for _ in range(10):
            answer = await client.get(address)
            found += answer.json()
            if "next" not in answer.links:
                break
            address = answer.links["next"]["url"]
            assert "sort=x" in address

    assert len({one["sku"] for one in found}) == len(found) == 12
    assert {one["pet_id"] for one in found} == {4}, "they belong to the pet of the path"


async def test_an_unknown_cursor_is_refused() -> None:
    """A cursor that the mock did not give is a 400, as at a real service."""
    async with calling(pets()) as client:
        answer = await client.get("/pets?cursor=nonsense")

    assert answer.status_code == 400
    assert "cursor" in answer.json()["detail"]


async def test_batches_by_text_and_by_key() -> None:
    """`?skus=a,b` gets an object with these keys where the contract has a map."""
    async with calling(pets()) as client:
        found = (await client.get("/toys?skus=T-1,T-9")).json()

    assert {key: one["sku"] for key, one in found.items()} == {"T-1": "T-1", "T-9": "T-9"}


async def test_filters_are_those_of_the_items() -> None:
    """`?status=sold` gets pets that are sold, where the items have a status."""
    schemas = {**document()["components"]["schemas"]}
    schemas["PetSummary"] = schemas["Pet"]
    app = MockService(parse(document(components={**document()["components"], "schemas": schemas})))
    async with calling(app) as client:
        found = (await client.get("/pets?status=sold")).json()["items"]

    assert {one["status"] for one in found} == {"sold"}


async def test_what_is_posted_can_be_read() -> None:
    """A new resource has an id and a location; it is in the list, and it can be changed."""
    async with calling(pets()) as client:
        made = await client.post("/pets", json={"name": "Rex", "status": "sold", "secret": "x"})
        path = made.headers["location"]
        read = (await client.get(path)).json()
        first = (await client.get("/pets")).json()["items"][0]
        await client.patch(path, json={"name": "Max"})
        changed = (await client.get(path)).json()

    assert made.status_code == 201
    assert path == f"/pets/{made.json()['id']}"
    assert (read["name"], read["status"]) == ("Rex", "sold")
    assert (first["id"], first["name"]) == (read["id"], "Rex")
    assert (changed["name"], changed["id"]) == ("Max", read["id"])


async def test_what_is_put_has_the_same_id() -> None:
    """A PUT changes the resource of its path, whatever id its body has."""
    async with calling(pets()) as client:
        await client.put("/pets/3", json={"name": "Rex", "price": 9})
        read = (await client.get("/pets/3")).json()

    assert (read["id"], read["name"], read["price"]) == (3, "Rex", 9)


async def test_what_is_deleted_is_gone() -> None:
    """A deleted resource is a 404, also below its path, and in no list."""
    async with calling(pets()) as client:
        deleted = await client.delete("/pets/2")
        statuses = [(await client.get(path)).status_code for path in ("/pets/2", "/pets/2/toys")]
        listed = (await client.get("/pets?limit=3")).json()["items"]
        again = await client.delete("/pets/2")

    assert deleted.status_code == 204
    assert statuses == [404, 404]
    assert [one["id"] for one in listed] == [1, 3, 4]
    assert again.status_code == 404
    assert again.json()["detail"] == "/pets/2 was deleted"


async def test_examples_come_before_made_values() -> None:
    """The example with the id of the path is taken, else the first one that is of its type."""
    async with calling(pets()) as client:
        found = [(await client.get(f"/orders/{id_}", headers=KEY)).json() for id_ in ("b2", "z")]

    assert found == [{"id": "b2", "sum": 900.5}, {"id": "z", "sum": 3}]


async def test_a_request_chooses_an_example() -> None:
    """`Prefer: example=` gets it as it is written; an unknown name lists those that there are."""
    async with calling(pets()) as client:
        names = ("large", "wrong", "none")
        found = [
            await client.get("/orders/z", headers={**KEY, "prefer": f"example={name}"})
            for name in names
        ]

    assert [one.status_code for one in found] == [200, 200, 400]
    assert [one.json() for one in found[:2]] == [{"id": "b2", "sum": 900.5}, {"id": 5}]
    assert "small, large, wrong" in found[2].json()["detail"]


@pytest.mark.parametrize(
    ("code", "body"),
    [
        (404, {"code": 404, "message": "Not Found"}),
        (503, {"title": "Service Unavailable", "status": 503, "detail": "Service Unavailable"}),
    ],
)
async def test_a_request_chooses_a_status(code: int, body: dict[str, Any]) -> None:
    """`Prefer: code=` gets the documented error, else a problem."""
    async with calling(pets()) as client:
        answer = await client.get("/pets/7", headers={"prefer": f"code={code}"})

    assert answer.status_code == code
    assert answer.json().keys() == body.keys()
    assert answer.json().get("message") == body.get("message")


async def test_the_example_of_an_error_is_sent_as_it_is() -> None:
    """The documented example of a 503 is its body, and a client may try again in a second."""
    async with calling(pets()) as client:
        answer = await client.get("/orders/1", headers={**KEY, "prefer": "code=503"})

    assert answer.json() == {"code": 7, "message": "closed at night"}
    assert answer.headers["retry-after"] == "1"


@pytest.mark.virtual_time
async def test_a_request_chooses_a_delay() -> None:
    """`Prefer: wait=2` delays the answer, by a minute at most."""
    async with calling(pets()) as client:
        slow = await client.get("/pets/1", headers={"prefer": "wait=2"})
        longest = await client.get("/pets/1", headers={"prefer": "wait=3600"})

    assert slow.elapsed.total_seconds() >= 0
    assert longest.status_code == 400
    assert "60 at most" in longest.json()["detail"]


async def test_other_media_types() -> None:
    """`Accept` chooses among the documented types: a picture is one, a text is its example."""
    async with calling(pets()) as client:
        picture = await client.get("/picture", headers={"accept": "image/*"})
        text = await client.get("/picture", headers={"accept": "text/csv"})

    assert picture.content.startswith(b"\x89PNG")
    assert (text.text, text.headers["content-type"]) == ("a,b", "text/csv")


async def test_a_handler_replaces_an_answer() -> None:
    """A handler gets the valid request and the answer, and may change status and body."""
    app = pets()

    @app.get("/pets/{petId}")
    def pet(call: MockCall) -> object:
        if call.parameters["petId"] == 5:
            return MockReply(410, {"message": "sold"}, {"X-Why": "sold"})
        assert isinstance(call.answer, dict)
        return {**call.answer, "name": f"{call.method} {call.path}"}

    async with calling(app) as client:
        named = (await client.get("/pets/4")).json()
        gone = await client.get("/pets/5")

    assert (named["id"], named["name"]) == (4, "GET /pets/4")
    assert (gone.status_code, gone.json(), gone.headers["x-why"]) == (
        410,
        {"message": "sold"},
        "sold",
    )


def test_a_handler_for_an_unknown_operation_is_an_error() -> None:
    """A typing error in the path of a handler is reported when the mock starts."""
    with pytest.raises(ValueError, match=r"no GET /pet/\{id\}: it has GET /pets"):
        pets().get("/pet/{id}")


def made(schema: dict[str, Any], **schemas: Any) -> MockService:
    """Return the mock of a contract with one operation, GET /value."""
    paths = {"/value": {"get": {"responses": {"200": content(schema)}}}}
    return MockService(parse(document(paths=paths, components={"schemas": schemas})))


async def test_recursion_ends() -> None:
    """Types that contain themselves get values that end, even if they must contain themselves."""
    tree = {
        "type": "object",
        "required": ["children", "parent"],
        "properties": {"children": {"type": "array", "items": of("Tree")}, "parent": of("Tree")},
    }
    async with calling(made(of("Tree"), Tree=tree)) as client:
        answer = await client.get("/value")

    assert answer.status_code == 200
    assert len(answer.content) < 20_000


async def test_unions_have_their_discriminator() -> None:
    """A value of a union names its option by the property of the discriminator."""
    options = {
        name: {
            "type": "object",
            "required": ["kind"],
            "properties": {"kind": {"type": "string"}, name.lower(): {"type": "integer"}},
        }
        for name in ("Cat", "Dog")
    }
    union = {
        "oneOf": [of("Cat"), of("Dog")],
        "discriminator": {"propertyName": "kind", "mapping": {"c": of("Cat")["$ref"], "d": "Dog"}},
    }
    async with calling(made({"type": "array", "items": of("Any")}, Any=union, **options)) as client:
        found = (await client.get("/value")).json()

    assert {one["kind"] for one in found} == {"c", "d"}
    assert all({"c": "cat", "d": "dog"}[one["kind"]] in one for one in found)


LIMITS = [
    {"type": "integer", "minimum": 5, "maximum": 6},
    {"type": "integer", "multipleOf": 7, "minimum": 8},
    {"type": "number", "exclusiveMinimum": True, "minimum": 0, "maximum": 0.5},
    {"type": "string", "minLength": 30, "maxLength": 31},
    {"type": "string", "pattern": "^(?:[a-f0-9]{8}|x+)-[^a-z]{2,4}$"},
    {"type": "string", "pattern": "^\\d{3}\\.[A-Z_]+?$", "maxLength": 9},
    {"type": "array", "items": {"type": "boolean"}, "minItems": 4, "maxItems": 4},
    {"type": "array", "items": {"enum": [1, 2]}, "uniqueItems": True, "maxItems": 2},
    *(
        {"type": "string", "format": name}
        for name in ("date", "date-time", "time", "uuid", "uri", "ipv4", "ipv6", "duration")
    ),
]


@pytest.mark.parametrize("schema", LIMITS, ids=str)
async def test_values_are_within_their_limits(schema: dict[str, Any]) -> None:
    """A made value is valid against its schema, for any seed."""
    paths = {
        "/value": {
            "post": {
                "requestBody": {"required": True, **content(schema)},
                "responses": {"200": content(schema)},
            },
            "get": {"responses": {"200": content(schema)}},
        }
    }
    contract = parse(document(paths=paths, components={}))
    for seed in range(5):
        async with calling(MockService(contract, seed=seed)) as client:
            value = (await client.get("/value")).json()
            echoed = await client.post("/value", json=value)
        assert echoed.status_code == 200, (value, echoed.text)
