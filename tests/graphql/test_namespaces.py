"""Namespaces of a mutation: their fields run one after the other, and share nothing."""

import asyncio
from dataclasses import dataclass

import pytest
import strawberry
from graphql import parse
from small_schema import run_query

from bff_core import ANYONE, Composition, Require, access, critical
from bff_core.compat.strawberry import graphql_schema
from bff_core.graphql import Info, QueryLimits, ShapeOf, screen
from bff_core.graphql.cost import CostAnalysis
from bff_core.graphql.namespaces import mutation_types

CART: list[str] = []
RUNNING: list[str] = []


@dataclass(frozen=True)
class Line:
    """A line of the cart."""

    sku: str


class Contents(Composition):
    """A screen that reads the cart."""

    @critical
    async def skus(self) -> tuple[str, ...]:
        return tuple(CART)


class Adding(Composition):
    """A screen that changes the cart."""

    sku: str

    @critical
    async def line(self) -> Line:
        assert RUNNING == []
        RUNNING.append(self.sku)
        await asyncio.sleep(1)
        RUNNING.remove(self.sku)
        if self.sku == "wrong":
            raise ValueError
        CART.append(self.sku)
        return Line(self.sku)


@strawberry.type
class WebLine(ShapeOf[Line]):
    """A line, and the cart after it was added."""

    sku: str
    cart: list[str] = screen(Contents.skus, list)


@strawberry.type
class Wishes:
    """A namespace in a namespace."""

    wish: WebLine = screen(Adding.line, WebLine.of)


@strawberry.type
class CartChanges:
    """A namespace."""

    add: WebLine = screen(Adding.line, WebLine.of)

    @strawberry.field
    def empty(self, info: Info) -> list[str]:
        info.context.compose(Contents)
        CART.clear()
        return []

    @strawberry.field
    @access(Require("cart:admin"))
    async def replace(self, info: Info, sku: str) -> WebLine:
        return WebLine.of(await info.context.compose(Adding, sku=sku).line())

    @strawberry.field
    def wishes(self) -> Wishes:
        return Wishes()


@access(ANYONE)
@strawberry.type
class Query:
    """The root."""

    cart: list[str] = screen(Contents.skus, list)


@access(ANYONE)
@strawberry.type
class Mutation:
    """Changes, two of them in a namespace."""

    add: WebLine = screen(Adding.line, WebLine.of)

    @strawberry.field
    def cart(self) -> CartChanges:
        return CartChanges()

    @strawberry.field
    async def other_cart(self) -> CartChanges | None:
        return CartChanges()


@pytest.fixture(autouse=True)
def empty_cart():
    """Start with an empty cart."""
    CART.clear()
    RUNNING.clear()


async def change(query, **options):
    """Return the data of an answer to a mutation, and the codes of its errors."""
    return await run_query(f"mutation {query}", Query, mutation=Mutation, **options)


@pytest.mark.virtual_time
@pytest.mark.parametrize(
    "query",
    [
        '{ a: add(sku: "x") {F} b: add(sku: "x") {F} c: add(sku: "y") {F} }',
        '{ cart { a: add(sku: "x") {F} b: add(sku: "x") {F} c: add(sku: "y") {F} } }',
        """{ cart { a: add(sku: "x") {F} ...Two } }
        fragment Two on CartChanges { b: add(sku: "x") {F} c: add(sku: "y") {F} }""",
        '{ cart { a: add(sku: "x") {F} } otherCart { b: add(sku: "x") {F} c: add(sku: "y") {F} } }',
        '{ cart { a: add(sku: "x") {F} wishes { b: wish(sku: "x") {F} c: wish(sku: "y") {F} } } }',
        '{ cart { wishes { a: wish(sku: "x") {F} } b: add(sku: "x") {F} } c: add(sku: "y") {F} }',
    ],
)
async def test_each_change_runs_after_the_one_before(query):
    """Equal changes happen twice, and each answer has the state after its own change."""
    data, errors = await change(query.replace("{F}", "{ sku cart }"))

    assert errors == []
    assert leaves(data) == {
        "a": {"sku": "x", "cart": ["x"]},
        "b": {"sku": "x", "cart": ["x", "x"]},
        "c": {"sku": "y", "cart": ["x", "x", "y"]},
    }


def leaves(data):
    """Return the answers of changes by their aliases, without their namespaces."""
    found = {}
    for name, one in data.items():
        found |= {name: one} if "sku" in one else leaves(one)
    return found


@pytest.mark.virtual_time
async def test_a_change_without_await_is_in_order_too():
    """A resolver that does not await runs after the changes that are selected before it."""
    data, errors = await change('{ cart { add(sku: "x") { cart } empty } add(sku: "y") { cart } }')

    assert errors == []
    assert data == {"cart": {"add": {"cart": ["x"]}, "empty": []}, "add": {"cart": ["y"]}}


@pytest.mark.virtual_time
async def test_fields_of_a_namespace_cost_what_changes_cost():
    """An alias in a namespace is no cheaper than one at the root."""
    document = parse("mutation { cart { empty again: empty wishes { __typename } } }")
    schema = graphql_schema(strawberry.Schema(Query, Mutation))

    cost = CostAnalysis(schema, QueryLimits()).cost_of(document, document.definitions[0])

    assert cost.of(None) == 10 + 100 + 100 + 10 + 1


@pytest.mark.virtual_time
async def test_access_rules_of_a_namespace_are_checked():
    """A field of a namespace may require more than the namespace."""
    query = '{ cart { replace(sku: "x") { sku } } }'

    _, refused = await change(query, scopes=[])
    data, errors = await change(query, scopes=["cart:admin"])

    assert refused == ["not_allowed"]
    assert (data, errors) == ({"cart": {"replace": {"sku": "x"}}}, [])


@strawberry.type
class Receipt:
    """The answer to a change: it holds data, so its fields may share a composition."""

    number: strawberry.Private[str]

    @strawberry.field
    async def line(self, info: Info) -> str:
        return (await info.context.compose(Adding, sku=self.number).line()).sku

    @strawberry.field
    async def same_line(self, info: Info) -> str:
        return (await info.context.compose(Adding, sku=self.number).line()).sku


@access(ANYONE)
@strawberry.type
class Buying:
    """Changes without a namespace."""

    @strawberry.mutation
    def buy(self) -> Receipt:
        return Receipt(number="x")


@strawberry.type
class Facts:
    """A type without data, which queries select as well."""

    @strawberry.field
    async def skus(self, info: Info) -> list[str]:
        return [*(await info.context.compose(Contents).skus())]


@access(ANYONE)
@strawberry.type
class Reading:
    """Returns such a type."""

    @strawberry.field
    def facts(self) -> Facts:
        return Facts()


@strawberry.type
class Looking(Reading):
    """A mutation that returns it."""


@pytest.mark.virtual_time
async def test_other_types_are_no_namespaces():
    """The fields of an answer run together, and share the composition of the change."""
    data, _ = await run_query("mutation { buy { line sameLine } }", Query, mutation=Buying)
    schema = graphql_schema(strawberry.Schema(Reading, Looking))

    assert data == {"buy": {"line": "x", "sameLine": "x"}}
    assert CART == ["x"]
    assert [one.name for one in mutation_types(schema)] == ["Looking"]
