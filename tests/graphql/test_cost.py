"""Query cost analysis: the cost is known before validation, by declarations or by convention."""

from typing import Annotated

import pytest
import strawberry
from graphql import OperationDefinitionNode, parse

from bff_core import ANYONE, ConfigurationError, Limit, access
from bff_core.graphql import Cost, ListSize, QueryLimits
from bff_core.graphql.cost import CostAnalysis
from bff_core.graphql.documents import Documents, RequestRefused
from bff_core.graphql.schema import graphql_schema


@strawberry.input
class Window:
    """An input object that bounds a list."""

    size: int = 6


@strawberry.interface
class Named:
    """What has a name."""

    name: str


@strawberry.type
class Leaf(Named):
    """The end of a branch."""

    words: list[str]
    table: list[list[int]]


@strawberry.type
class Branch:
    """Holds leaves, in lists of all kinds."""

    id: int
    heavy: int = strawberry.field(directives=[Cost(weight=25)])
    free: int = strawberry.field(directives=[Cost(weight=0)])
    few: list[Leaf] = strawberry.field(directives=[ListSize(assumed_size=3)])
    undeclared: list[Leaf]

    @strawberry.field
    def leaves(self, first: int = 4, last: int | None = None) -> list[Leaf]:
        return []

    @strawberry.field(directives=[ListSize(slicing_arguments=["take", "window.size"])])
    def taken(self, take: int | None = None, window: Window | None = None) -> list[Leaf]:
        return []


@strawberry.type
class Connection:
    """A page of branches, as Relay has it."""

    total: int
    edges: list[Branch]
    other: list[Branch] = strawberry.field(directives=[ListSize(assumed_size=2)])

    @strawberry.field
    def own(self, first: int = 5) -> list[Branch]:
        return []


@access(ANYONE)
@strawberry.type
class Query:
    """What can be read."""

    branch: Branch
    named: Named

    @strawberry.field
    def branches(self, ids: list[strawberry.ID]) -> list[Branch]:
        return []

    @strawberry.field
    def conventional(self, limit: int | None = None) -> Connection | None:
        return None

    @strawberry.field(
        directives=[ListSize(assumed_size=7, slicing_arguments=["most"], sized_fields=["edges"])]
    )
    def declared(self, most: float | None = None) -> Connection | None:
        return None

    @strawberry.field
    def either(self, first: int = 5) -> Annotated[Connection | Leaf, strawberry.union("Either")]:
        return Connection(total=0, edges=[], other=[])

    @strawberry.field(directives=[ListSize(slicing_arguments=["keys"])])
    def keyed(self, keys: list[int] | None = None) -> list[Branch]:
        return []


@strawberry.type
class Mutation:
    """What can be changed."""

    @strawberry.mutation
    def grow(self) -> Branch | None:
        return None

    @strawberry.mutation(directives=[Cost(weight=100)])
    def fell(self) -> bool:
        return True


SCHEMA = strawberry.Schema(Query, Mutation, types=[Leaf])


def documents(**limits) -> Documents:
    """Return the documents of a face with these limits."""
    return Documents(SCHEMA, QueryLimits(**limits), with_introspection=True)


def cost(query: str, **variables) -> int:
    """Return the cost of a query that need not be valid."""
    document = parse(query)
    analysis = CostAnalysis(graphql_schema(SCHEMA), QueryLimits())
    operation = next(
        one for one in document.definitions if isinstance(one, OperationDefinitionNode)
    )
    return analysis.cost_of(document, operation).of(variables)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        # Each field is one value; a list is as many as it has items.
        ("{ branch { id } }", 2),
        ("{ branch { __typename id } }", 3),
        ("{ branch { heavy } }", 26),
        ("{ branch { free } }", 1),
        ("{ branch { few { name } } }", 1 + 3 * 2),
        ("{ branch { undeclared { name } } }", 1 + 10 * 2),
        ("{ branch { few { words } } }", 1 + 3 * (1 + 10)),
        ("{ branch { few { table } } }", 1 + 3 * (1 + 10 * 10)),
        # Arguments by convention: given, by default, null, and none that bounds anything.
        ("{ branch { leaves { name } } }", 1 + 4 * 2),
        ("{ branch { leaves(first: 20) { name } } }", 1 + 20 * 2),
        ("{ branch { leaves(first: 2, last: 9) { name } } }", 1 + 9 * 2),
        ("{ branch { leaves(first: null) { name } } }", 1 + 10 * 2),
        ("{ branch { leaves(first: 0) { name } } }", 1 + 10 * 2),
        ("{ branch { leaves(first: -9) { name } } }", 1 + 10 * 2),
        ("{ branch { leaves(first: 999999999999) { name } } }", 1 + (2**31 - 1) * 2),
        ("{ branch { leaves(first: %s) { name } } }" % ("9" * 5000), 1 + 10 * 2),
        ('{ branch { leaves(first: "7") { name } } }', 1 + 7 * 2),
        ("{ branch { leaves(first: [1, 2]) { name } } }", 1 + 10 * 2),
        # The length of a list counts, at least as much as an undeclared list has.
        ('{ branches(ids: ["a"]) { id } }', 10 * 2),
        ("{ branches(ids: [%s]) { id } }" % ("1 " * 300), 300 * 2),
        ("{ branches(ids: 1) { id } }", 10 * 2),
        ("{ keyed(keys: [1, 2, 3]) { id } }", 3 * 2),
        ("{ keyed(keys: []) { id } }", 0),
        ("{ keyed { id } }", 10 * 2),
        # A page gives its size to the lists inside it.
        ("{ conventional(limit: 30) { total edges { id } } }", 1 + 1 + 30 * 2),
        ("{ conventional(limit: 30) { other { id } own { id } } }", 1 + 30 * 2 + 5 * 2),
        ("{ conventional { edges { few { name } } } }", 1 + 10 * (1 + 3 * 2)),
        ("{ declared { edges { id } other { id } } }", 1 + 7 * 2 + 2 * 2),
        ("{ declared(most: 3) { edges { id } other { id } } }", 1 + 3 * 2 + 2 * 2),
        ("{ declared(most: 3.0) { edges { id } } }", 1 + 3 * 2),
        ("{ declared(most: 3) { ...F } } fragment F on Connection { edges { id } }", 1 + 3 * 2),
        ("{ declared(most: 3) { ... { edges { id } } } }", 1 + 3 * 2),
        ("{ either(first: 40) { ... on Connection { edges { id } } } }", 1 + 40 * 2),
        ("{ either { ... on Leaf { words table name } } }", 1 + 5 + 5 * 10 + 1),
        # Fields of input objects.
        ("{ branch { taken(window: {size: 8}) { name } } }", 1 + 8 * 2),
        ("{ branch { taken(window: {}) { name } } }", 1 + 6 * 2),
        ("{ branch { taken(take: 2, window: {size: 8}) { name } } }", 1 + 8 * 2),
        # Whatever is selected again counts again.
        ("{ branch { id id id } }", 4),
        ("{ a: branch { id } b: branch { id } }", 4),
        ("{ ...F ...F } fragment F on Query { branch { id } }", 4),
        ("{ ... { branch { id } } ... on Query { branch { id } } }", 4),
        ("{ named { name ... on Leaf { words } } }", 1 + 1 + 10),
        ("{ branch { id @skip(if: true) few @include(if: false) { name } } }", 2 + 3 * 2),
        # Changes cost more, each by each.
        ("mutation { grow { id } }", 10 + 1),
        ("mutation { a: grow { id } b: grow { id } fell }", 2 * 11 + 100),
        # What is not valid has a cost as well.
        ("{ nope { nope } }", 2),
        ("{ branch { nope(first: 50) { id } } }", 3),
        ("{ ...Nope branch { ... on Nope { id } } }", 2),
        ("{ branch }", 1),
        ("{ branch { id { id } } }", 3),
        ("subscription { ticks }", 1),
        ("{ __schema { types { fields { name } } } branch { id } }", 3),
    ],
)
def test_cost_is_the_number_of_values_that_an_answer_can_hold(query, expected):
    """Counted by hand for each way in which a query can select more values."""
    assert cost(query) == expected


@pytest.mark.parametrize(
    ("value", "size"),
    [
        ({"n": 20}, 20),
        ({"n": 20.0}, 20),
        ({"n": "20"}, 20),
        ({"n": None}, 10),
        ({"n": True}, 10),
        ({"n": [20]}, 10),
        ({"n": {"n": 20}}, 10),
        ({"n": float("inf")}, 10),
        ({"n": -1}, 10),
        ({"n": 10**30}, 2**31 - 1),
        ({"n": "9" * 100_000}, 2**31 - 1),
        ({}, 4),
    ],
)
def test_size_by_a_variable_is_that_of_its_value(value, size):
    """A value of a wrong type limits nothing, unless it is a number in another form."""
    query = "query ($n: Int) { branch { leaves(first: $n) { name } } }"

    assert cost(query, **value) == 1 + size * 2


def test_default_of_a_variable_counts_if_it_has_no_value():
    """The default of the variable overrides that of the argument."""
    query = "query ($n: Int = 8) { branch { leaves(first: $n) { name } } }"

    assert cost(query) == 1 + 8 * 2
    assert cost(query, n=2) == 1 + 2 * 2
    assert cost(query, n=None) == 1 + 10 * 2


def test_variables_within_values_are_found():
    """In lists, in input objects, and in the lists of a page."""
    keyed = "query ($a: Int!, $b: Int!) { keyed(keys: [$a, $b, 3]) { id } }"
    taken = "query ($n: Int!) { branch { taken(window: {size: $n}) { name } } }"
    window = "query ($w: Window) { branch { taken(window: $w) { name } } }"
    page = "query ($n: Int) { conventional(limit: $n) { edges { leaves(first: $n) { name } } } }"

    assert cost(keyed, a=1, b=2) == 3 * 2
    assert cost(taken, n=20) == 1 + 20 * 2
    assert [cost(window, w={"size": 9}), cost(window, w={})] == [1 + 9 * 2, 1 + 6 * 2]
    assert cost("query ($k: [Int!]) { keyed(keys: $k) { id } }", k=[1] * 40) == 40 * 2
    assert cost(page, n=5) == 1 + 5 * (1 + 5 * 2)
    fixed = "query ($n: Int) { keyed(keys: [1, 2, 3]) { id leaves(first: $n) { name } } }"
    assert cost(fixed, n=5) == 3 * (1 + 1 + 5 * 2)


def test_query_that_costs_too_much_is_refused_by_its_cost():
    """The error says the cost and the limit; at the limit a query is accepted."""
    query = "query ($n: Int) { branch { leaves(first: $n) { name } } }"
    found = documents(cost=101)

    with pytest.raises(RequestRefused) as refused:
        found.admit(query, None, {"n": 51})

    (error,) = refused.value.errors
    assert refused.value.code == "query_too_expensive"
    assert error.message.startswith("The query costs 103; at most 101 is accepted.")
    assert error.extensions == {"code": "query_too_expensive", "cost": 103, "limit": 101}
    assert found.admit(query, None, {"n": 50})[1] == 101


def test_cost_of_a_cached_document_is_checked_for_each_request():
    """A query that was accepted once is refused with other variables, or for another operation."""
    query = (
        """query A($n: Int) { branch { leaves(first: $n) { name } } } query B { branch { id } }"""
    )
    found = documents(cost=50)

    operation, _ = found.admit(query, "A", {"n": 5})
    with pytest.raises(RequestRefused):
        found.admit(query, "A", {"n": 50})

    assert operation.node.name.value == "A"
    assert found.admit(query, "A", {"n": 6})[0] is operation
    other, cost = found.admit(query, "B", {"n": 50})
    assert (other.node.name.value, other.document, cost) == ("B", operation.document, 2)


def test_expensive_query_is_refused_before_validation_and_not_cached():
    """Its other mistakes are not searched for."""
    found = documents(cost=50)

    for _ in range(2):
        with pytest.raises(RequestRefused) as refused:
            found.admit("{ branch { leaves(first: 50) { name nope } } }", None, None)
        assert refused.value.code == "query_too_expensive"
    first, _ = found.admit("{ branch { id } }", None, None)
    assert found.admit("{ branch { id } }", None, None)[0] is first


def test_undeclared_lists_have_the_size_in_the_limits():
    """An author whose lists are short declares it in one place."""
    found = documents(list_size=2)

    assert found.admit("{ branch { undeclared { table } } }", None, None)[1] == 1 + 2 * (1 + 2 * 2)


def test_introspection_has_its_own_limit():
    """Tools read the whole schema once; a query that reads it thirty times is refused."""
    types = "{ types { fields { name args { name } } } }"
    bomb = "{" + " ".join(f"a{n}: __schema {types}" for n in range(30)) + "}"

    assert documents().admit(f"{{ __schema {types} }}", None, None)[1] == 1
    with pytest.raises(RequestRefused, match="The introspection costs") as refused:
        documents().admit(
            "{ __schema { types %s } }" % ("{ fields { type " * 6 + "{ name" + "} }" * 6) + "}",
            None,
            None,
        )
    assert refused.value.code == "query_too_expensive"
    with pytest.raises(RequestRefused, match="The introspection costs"):
        documents().admit(bomb, None, None)


def test_declarations_are_in_the_schema():
    """Tools that know the cost directives read the same numbers."""
    printed = SCHEMA.as_str()

    assert "heavy: Int! @cost(weight: 25)" in printed
    assert "few: [Leaf!]! @listSize(assumedSize: 3)" in printed
    assert (
        '@listSize(assumedSize: 7, slicingArguments: ["most"], sizedFields: ["edges"])' in printed
    )


@pytest.mark.parametrize(
    ("declared", "complaint"),
    [
        (
            ListSize(slicing_arguments=["frist"]),
            "ListSize of Query.page: it has no argument 'frist'",
        ),
        (ListSize(slicing_arguments=["first.size"]), "it has no argument 'first.size'"),
        (ListSize(sized_fields=["egdes"]), r"its type lacks one of \['egdes'\]"),
        (ListSize(sized_fields=["total"]), r"its type lacks one of \['total'\]"),
        (ListSize(assumed_size=-1), "must be at least 1, not -1"),
        (Cost(weight=-1), "Cost of Query.page must be at least 0, not -1"),
    ],
)
def test_wrong_declaration_is_a_configuration_error(declared, complaint):
    """A misspelt argument is found at start-up."""

    def page(first: int = 5) -> Connection | None:
        return None

    root = type("Query", (), {"page": strawberry.field(resolver=page, directives=[declared])})
    schema = strawberry.Schema(strawberry.type(root))

    with pytest.raises(ConfigurationError, match=complaint):
        Documents(schema, QueryLimits(), with_introspection=True)


async def test_rate_limit_is_charged_with_the_cost_of_the_query(shop):
    """An expensive query uses up its caller's quota faster; a refused one costs 1."""
    budget = Limit(quota=100, per=86_400, cost="query")
    ids = "query ($ids: [ID!]!) { products(ids: $ids) { id title } }"
    async with shop(rate_limits=[budget], limits=QueryLimits(cost=60)) as open_shop:
        answers = [
            await open_shop.ask("{ language }"),
            await open_shop.ask(ids, ids=["7"] * 20),
            await open_shop.ask(ids, ids=["7"] * 21),
            await open_shop.ask("{ nope"),
            await open_shop.ask(ids, ids=[]),
            await open_shop.ask(ids, ids=["7"] * 10),
            await open_shop.ask("{ language }"),
        ]

    left = [int(one.headers["ratelimit"].split(";")[1].removeprefix("r=")) for one in answers]
    assert left == [100, 99, 39, 38, 37, 7, 0]
    assert [one.status_code for one in answers] == [200] * 6 + [429]
    assert answers[0].headers["ratelimit-policy"] == (
        '"viewer-query-cost";q=100;w=86400;qu="query-cost"'
    )
