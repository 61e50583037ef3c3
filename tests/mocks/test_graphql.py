"""The mock of a GraphQL service: values of the schema, pages, changes, errors."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from bff_core.mocks import MockGraphQL, mock_graphql

SDL = """
type Query {
  pet(id: ID!): Pet
  pets(first: Int, after: String): PetConnection!
  some(ids: [ID!]!): [Pet!]!
  anything: [Thing!]!
}
type Mutation { rename(input: RenameInput!): Pet! }
input RenameInput { id: ID! name: String! }
type Pet { id: ID! name: String! email: String born: DateTime kind: Kind! mother: Pet toys: [Toy!]
  friends: [Pet!]!
}
type Toy { sku: ID! price: Float! }
union Thing = Pet | Toy
enum Kind { CAT DOG }
scalar DateTime
type PetConnection { edges: [PetEdge!]! pageInfo: PageInfo! totalCount: Int! }
type PetEdge { node: Pet! cursor: String! }
type PageInfo { hasNextPage: Boolean! endCursor: String }
"""

ALL = "{pets(first: 5, after: AFTER) {edges {node {id name}} pageInfo {hasNextPage endCursor}}}"


@pytest.fixture
def app(tmp_path: Path) -> MockGraphQL:
    """Return the mock of the schema."""
    path = tmp_path / "schema.graphql"
    path.write_text(SDL)
    return mock_graphql(path)


async def sent(app: MockGraphQL, query: str, **options: Any) -> httpx.Response:
    """Send an operation."""
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://mock") as client:
        return await client.post("/graphql", json={"query": query}, **options)


async def test_values_are_those_of_the_schema(app: MockGraphQL) -> None:
    """An object has the id of the request, and fields of the right type; always the same."""
    query = "{pet(id: 7) {id email born kind mother {id name} toys {sku price}}}"
    first, second = [(await sent(app, query)).json()["data"]["pet"] for _ in range(2)]

    assert first == second
    assert first["id"] == "7"
    assert "@" in first["email"]
    assert first["born"].startswith("2026-")
    assert first["kind"] in {"CAT", "DOG"}
    assert len(first["toys"]) > 1


async def test_connections_have_an_end(app: MockGraphQL) -> None:
    """The cursor of each page leads to the next one, and the last says so."""
    found, after = [], "null"
    for _ in range(9):
        pets = (await sent(app, ALL.replace("AFTER", after))).json()["data"]["pets"]
        found += [one["node"]["id"] for one in pets["edges"]]
        if not pets["pageInfo"]["hasNextPage"]:
            break
        after = f'"{pets["pageInfo"]["endCursor"]}"'

    assert found == [str(number) for number in range(1, 13)]


async def test_an_object_is_the_same_everywhere(app: MockGraphQL) -> None:
    """A pet has one name: alone, in a batch, in a connection."""
    query = "{pet(id: 2) {name} some(ids: [9, 2]) {id name} pets {edges {node {id name}}}}"
    data = (await sent(app, query)).json()["data"]

    assert [one["id"] for one in data["some"]] == ["9", "2"]
    names = {data["pet"]["name"], data["some"][1]["name"], data["pets"]["edges"][1]["node"]["name"]}
    assert len(names) == 1


async def test_mutations_are_remembered(app: MockGraphQL) -> None:
    """A mutation returns what it changed, and later queries, too."""
    changed = await sent(app, 'mutation {rename(input: {id: 3, name: "Rex"}) {id name}}')
    read = await sent(app, "{pet(id: 3) {name}}")

    assert changed.json()["data"]["rename"] == {"id": "3", "name": "Rex"}
    assert read.json()["data"]["pet"]["name"] == "Rex"


async def test_unions_have_objects_of_each_type(app: MockGraphQL) -> None:
    """A list of a union shows all its types."""
    data = (await sent(app, "{anything {__typename ... on Toy {sku}}}")).json()["data"]

    assert {one["__typename"] for one in data["anything"]} == {"Pet", "Toy"}


async def test_a_handler_replaces_a_field(app: MockGraphQL) -> None:
    """A handler gets what is known of the object; an unknown field is an error at once."""

    @app.field("Pet.name")
    def name(pet: Mapping[str, object]) -> str:
        return f"Pet {pet['id']}"

    data = (await sent(app, "{pet(id: 7) {name}}")).json()["data"]

    assert data["pet"]["name"] == "Pet 7"
    with pytest.raises(ValueError, match=r"no field Pet\.nme: it has Pet\.id"):
        app.field("Pet.nme")


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("{nope}", "Cannot query field 'nope'"),
        ("{", "Syntax Error"),
        ("{pet {id}}", "of type 'ID!' is required"),
    ],
)
async def test_wrong_operations(app: MockGraphQL, query: str, message: str) -> None:
    """An operation that does not fit the schema is a 400 with the errors of GraphQL."""
    answer = await sent(app, query)

    assert answer.status_code == 400
    assert message in answer.json()["errors"][0]["message"]


async def test_a_request_chooses_a_status(app: MockGraphQL) -> None:
    """`Prefer: code=503` is the answer of a service that is down."""
    answer = await sent(app, "{pet(id: 7) {id}}", headers={"prefer": "code=503"})

    assert answer.status_code == 503


async def test_lists_in_one_another_end(app: MockGraphQL) -> None:
    """A short operation can't make the mock build millions of objects."""
    data = (await sent(app, f"{{pet(id: 1) {{{_nested(12)}}}}}")).content

    assert len(data) < 2_000_000


def _nested(depth: int) -> str:
    return f"friends {{id {_nested(depth - 1)}}}" if depth else ""


async def test_operations_are_bounded(app: MockGraphQL) -> None:
    """Twenty thousand aliases are refused at once, with the limit."""
    answer = await sent(app, "{" + " ".join(f"a{one}: anything" for one in range(20_000)) + "}")

    assert answer.status_code == 400
    assert "more than 10000 tokens" in answer.json()["errors"][0]["message"]
