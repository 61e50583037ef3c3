"""A small GraphQL service, written with Strawberry, and a client of it whose layers are real."""

from dataclasses import dataclass
from typing import Annotated

import strawberry
from graphql import GraphQLError
from strawberry.asgi import GraphQL

from bff_core import GraphQLUpstream, Policy
from bff_core.scope import Scope
from bff_core.testing.layer_runtime import LayerRuntime
from bff_core.testing.scripted import Scripted, ScriptedTransport, Step
from bff_core.upstream.runtime import Runtime
from bff_core.upstream.stack import UpstreamStack
from bff_core.upstream.transport.interface import Endpoint

PRODUCT = """
query Product($id: ID!, $currency: String = "EUR") {
  product(id: $id) { id title price(currency: $currency) }
}
"""
RENAME = """
mutation Rename($id: ID!, $title: String!) { rename(id: $id, title: $title) { id title } }
"""


def failure(code: str) -> GraphQLError:
    """Return an error as a resolver raises it, with a code."""
    return GraphQLError("because of Ada's data", extensions={"code": code})


@strawberry.type
class Product:
    """A product; number 13 has no price, since the service of prices fails."""

    id: strawberry.ID
    title: str

    @strawberry.field
    def price(self, currency: str = "EUR") -> int | None:
        if self.id == "13":
            raise failure("INTERNAL_SERVER_ERROR")
        return {"EUR": 100, "USD": 110}[currency]


@strawberry.type
class Query:
    """What the service answers: products by number, of which only some exist."""

    @strawberry.field
    def product(self, id: strawberry.ID) -> Product | None:  # noqa: A002 # the name in the schema
        if not id.isdecimal():
            raise failure(id)
        return Product(id=id, title=f"Product {id}")


@strawberry.type
class Mutation:
    """What the service changes."""

    @strawberry.mutation
    def rename(self, id: strawberry.ID, title: Annotated[str, "new"]) -> Product | None:  # noqa: A002 # the name in the schema
        if not title:
            raise failure("BAD_USER_INPUT")
        return Product(id=id, title=title)


SERVICE = GraphQL(strawberry.Schema(Query, Mutation))
"""The service as an ASGI app."""


@dataclass(frozen=True)
class ProductModel:
    """A product as the client reads it."""

    id: str
    title: str
    price: int | None = None


@dataclass(frozen=True)
class ProductResult:
    """The data of the query."""

    product: ProductModel | None


@dataclass(frozen=True)
class RenameResult:
    """The data of the mutation."""

    rename: ProductModel | None


class Catalog(GraphQLUpstream):
    """The client of the service."""

    policy = Policy(hedge=None)

    async def product(self, number: str, **options) -> ProductModel | None:
        data = await self.query(PRODUCT, ProductResult, variables={"id": number}, **options)
        return data.product

    async def rename(self, number: str, title: str, **options) -> ProductModel | None:
        variables = {"id": number, "title": title}
        data = await self.mutate(RENAME, RenameResult, variables=variables, **options)
        return data.rename


class Client:
    """A client whose stack ends at a script, with the calls that the script received."""

    def __init__(self, *steps: Step, kind=Catalog, policy=None, cache=None) -> None:
        self.bench = LayerRuntime("catalog")
        self.script = Scripted(*steps)
        runtime = self.bench.runtime
        shared = Runtime(
            *("catalog", runtime.loop, runtime.clock, runtime.chance, runtime.events),
            runtime.spawn,
            cache=cache,
            is_graphql=True,
        )
        transport = ScriptedTransport({"10.0.0.1": self.script})
        origins = [Endpoint("http", "10.0.0.1", 80, "10.0.0.1")]
        self.stack = UpstreamStack(policy or kind.policy, origins, shared, transport)
        self.service = kind(self.stack, clock=runtime.clock)

    def bound(self, **facts) -> Catalog:
        """Return the client as a request binds it."""
        now = self.bench.now
        return self.service.bind(Scope(deadline=now + 10, **facts))
