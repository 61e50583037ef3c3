"""Requests to GraphQL in the list: they are named by the fields that they select."""

import strawberry

from bff_core import gateway
from bff_core.graphql import GraphQL
from bff_core.settings.model import Settings
from bff_core.testing import running
from tests.console.conftest import browser
from tests.console.test_origins_of_graphql import schema

URL = "/console/api/requests"


async def test_fields_are_the_route():
    """By their names in the schema, each once; what was refused has the path of the endpoint."""
    settings = Settings(env="development", upstreams={}, log="off")
    app = gateway("shop", faces=[GraphQL(schema)], settings=settings)
    queries = ("{ numbers { one } }", "{ a: numbers { one } version b: numbers { one } }", "{ no }")
    async with running(app) as client, browser(app) as console:
        for query in queries:
            await client.post("/graphql", json={"query": query})
        rows = (await console.get(URL)).json()["rows"]
        found = {
            route: len((await console.get(URL, params={"route": route})).json()["rows"])
            for route in ("numbers", "version", "numbers, version", "POST /graphql", "no")
        }
        detail = (await console.get(f"{URL}/{rows[1]['id']}")).json()

    assert [(row["route"], row["screen"]) for row in reversed(rows)] == [
        ("numbers", "Numbers"), ("numbers, version", "Numbers"), ("/graphql", "")
    ]  # fmt: skip
    assert found == {
        "numbers": 2, "version": 1, "numbers, version": 1, "POST /graphql": 3, "no": 0
    }  # fmt: skip
    assert detail["row"]["route"] == "numbers, version"


@strawberry.type
class Library:
    """Books by their numbers."""

    @strawberry.field
    def book(self, number: int, edition: int = 1) -> str:
        """Return a title."""
        return f"{number}, {edition}"


async def test_arguments_are_named_without_their_values():
    """A row is found by its fields with their arguments and without; the fields stay few."""
    settings = Settings(env="development", upstreams={}, log="off")
    app = gateway("shop", faces=[GraphQL(strawberry.Schema(query=Library))], settings=settings)
    query = (
        "query ($n: Int!) { a: book(number: $n) book(number: 1, edition: 2) b: book(number: 3) }"
    )
    async with running(app) as client, browser(app) as console:
        await client.post("/graphql", json={"query": query, "variables": {"n": 77}})
        (row,) = (await console.get(URL)).json()["rows"]
        found = [
            len((await console.get(URL, params={"route": route})).json()["rows"])
            for route in ("book", "book(number)", row["route"])
        ]

    assert row["route"] == "book(number), book(number, edition)"
    assert found == [1, 1, 1]
