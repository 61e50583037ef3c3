"""A gateway serves a copy of a schema, and does not change the author's."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Annotated

import httpx
import pytest
import strawberry
from graphql import GraphQLSchema, print_schema

from bff_core import ANYONE, Require, Settings, access, gateway
from bff_core.auth.demo import DemoViewer
from bff_core.auth.viewer import Viewer
from bff_core.graphql import GraphQL, Info
from bff_core.graphql.schema_copy import copy_schema

DISCOUNT = Require("orders:write")


class Colour(Enum):
    """An enumeration, whose members resolvers get."""

    RED = "r"
    BLUE = "b"


@strawberry.interface
class Named:
    """What has a name."""

    name: str


@strawberry.type
class Tent(Named):
    """A thing."""

    colour: strawberry.Private[Colour]

    @strawberry.field
    async def shade(self) -> str | None:
        """Return a colour."""
        return self.colour.name


@strawberry.type
class Stove(Named):
    """Another thing."""


Item = Annotated[Tent | Stove, strawberry.union("Item")]


@strawberry.input
class Wish:
    """What is wanted."""

    price: Decimal = Decimal(1)
    colour: strawberry.enum(Colour) = Colour.RED


@access(ANYONE)
@strawberry.type
class Query:
    """What can be read."""

    @strawberry.field
    def items(self) -> list[Item]:
        """Return things of both kinds."""
        return [Tent(name="tent", colour=Colour.BLUE), Stove(name="stove")]

    @strawberry.field
    def named(self) -> Named:
        """Return a thing by its interface."""
        return Tent(name="tent", colour=Colour.RED)

    @strawberry.field
    def wished(self, info: Info, wish: Wish) -> str:
        """Return what was understood; of the schema, whether it is the author's."""
        return f"{wish.price} {wish.colour} {info.schema is SCHEMA}"


@strawberry.type
class Mutation:
    """What can be changed."""

    @strawberry.mutation
    @access(DISCOUNT)
    async def discount(self) -> Decimal | None:
        """Change something that few may change."""
        return Decimal("9.5")


SCHEMA = strawberry.Schema(Query, Mutation)

QUERY = """{
  items { __typename ... on Named { name } ... on Tent { shade } }
  named { name }
  wished(wish: {price: "2.50", colour: BLUE})
}"""

ANSWER = {
    "items": [
        {"__typename": "Tent", "name": "tent", "shade": "BLUE"},
        {"__typename": "Stove", "name": "stove"},
    ],
    "named": {"name": "tent"},
    "wished": "2.50 Colour.BLUE True",
}


def parts_of(schema: GraphQLSchema) -> dict[str, int]:
    """Return the identities of a schema's types, fields, arguments and functions."""
    found = {"": id(schema)}
    for name, kind in schema.type_map.items():
        found[name] = id(kind)
        for member in ("resolve_type", "is_type_of", "coerce_input_value", "coerce_input_literal"):
            function = getattr(kind, member, None)
            found[f"{name}.{member}"] = id(getattr(function, "__func__", function))
        for each, field in getattr(kind, "fields", {}).items():
            found[f"{name}.{each}"] = id(field)
            found[f"{name}.{each}()"] = id(getattr(field, "resolve", None))
            for argument, one in getattr(field, "args", {}).items():
                found[f"{name}.{each}({argument})"] = id(one)
    return found


@dataclass
class Site:
    """A running gateway."""

    client: httpx.AsyncClient

    async def post(self, query: str, **variables: object) -> dict[str, object]:
        """Return the answer to a query of the viewer 9."""
        headers = {"authorization": "Bearer demo-9"}
        body = {"query": query, "variables": variables}
        return (await self.client.post("/graphql", json=body, headers=headers)).json()


@asynccontextmanager
async def opened(demo: DemoViewer, schema: strawberry.Schema = SCHEMA) -> AsyncIterator[Site]:
    """Run a gateway that serves the schema to viewers of one kind."""
    app = gateway(
        "shop",
        faces=[GraphQL(schema)],
        demo=demo,
        settings=Settings(
            env="development", auth="demo", gc_freeze=False, allowed_hosts=["testserver"]
        ),
    )
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://testserver") as client,
    ):
        yield Site(client)


def anybody(user: str) -> Viewer:
    """Return a viewer who may do little."""
    return Viewer(user)


def editor(user: str) -> Viewer:
    """Return a viewer who may write."""
    return Viewer(user, scopes=frozenset({"orders:write"}))


async def test_a_schema_is_not_changed():
    """Types, fields, arguments, resolvers and scalars of a schema stay the same objects."""
    inner, text = SCHEMA._schema, print_schema(SCHEMA._schema)
    before = parts_of(inner)

    async with opened(editor) as site:
        await site.post(QUERY)

    assert SCHEMA._schema is inner
    assert parts_of(inner) == before
    assert print_schema(inner) == text
    assert inner._strawberry_schema is SCHEMA


async def test_a_copy_prints_and_answers_alike():
    """Interfaces, unions, enums, inputs and defaults work as in the schema that was copied."""
    assert print_schema(copy_schema(SCHEMA._schema)) == print_schema(SCHEMA._schema)

    async with opened(editor) as site:
        answer = await site.post(QUERY)
        defaults = await site.post("{ wished(wish: {}) }")

    assert answer["data"] == ANSWER
    assert defaults["data"] == {"wished": "1 Colour.RED True"}


async def test_two_gateways_serve_one_schema():
    """Each gateway checks the access rules of fields once, for its own viewers."""
    query = "mutation { discount }"

    async with opened(anybody) as one, opened(editor) as other:
        refused, done = await one.post(query), await other.post(query)

    assert refused["errors"][0]["extensions"]["code"] == "not_allowed"
    assert done["data"] == {"discount": "9.5"}


async def test_a_schema_that_is_served_can_be_executed_without_a_gateway():
    """A test, or a script, executes the author's schema as if no gateway served it."""
    async with opened(anybody):
        result = await SCHEMA.execute("mutation { discount }")
        infinite = await SCHEMA.execute('{ wished(wish: {price: "NaN"}) }')

    assert result.data == {"discount": "9.5"}
    assert infinite.data == {"wished": "NaN Colour.RED True"}


@pytest.mark.parametrize("price", ["NaN", "Infinity", "-Infinity"])
async def test_only_the_copy_refuses_infinite_numbers(price):
    """The served copy refuses NaN and infinity, also in variables; the schema does not."""
    async with opened(editor) as site:
        literal = await site.post(f'{{ wished(wish: {{price: "{price}"}}) }}')
        variable = await site.post("query ($w: Wish!) { wished(wish: $w) }", w={"price": price})

    assert "not finite" in literal["errors"][0]["message"]
    assert "not finite" in variable["errors"][0]["message"]


def test_a_copy_shares_only_what_no_gateway_wraps():
    """The two schemas share no type with fields, no field and no custom scalar."""
    original = SCHEMA._schema
    copied = copy_schema(original)

    shared = {name for name, kind in original.type_map.items() if copied.type_map[name] is kind}

    assert {"Query", "Named", "Item", "Wish", "Decimal"}.isdisjoint(shared)
    assert {"Colour", "String", "__Type"} <= shared
    assert copied.query_type.fields["wished"] is not original.query_type.fields["wished"]
    assert list(copied.type_map["Tent"].interfaces) == [copied.type_map["Named"]]
    assert list(copied.type_map["Item"].types) == [
        copied.type_map[one] for one in ("Tent", "Stove")
    ]
    assert copied.query_type.fields["wished"].args["wish"].type.of_type is copied.type_map["Wish"]
    assert copied.type_map["Wish"].fields["price"].type.of_type is copied.type_map["Decimal"]
