"""Hostile requests are answered within the limits, or refused before they cost much."""

import json
from functools import partial

import pytest
from graphql import GraphQLError, Node, Source, Visitor, get_location, visit
from hostile import DOCUMENTS, HUGE, TOKENS
from hypothesis import given, settings
from hypothesis import strategies as st

from bff_core.graphql import QueryLimits
from bff_core.graphql.documents import Documents, RequestRefused
from bff_core.graphql.parsing import formatted, parsed
from bff_core.graphql.validation import MAX_ERRORS
from bff_core.testing.scripted import reply
from bffs.web.schema import schema
from tests.cpu_time import cpu_seconds, cpu_seconds_of

DOCUMENTS_OF_WEB = Documents(schema, QueryLimits(), with_introspection=False)

MOST_SECONDS = 0.1
"""Of CPU time; an idle machine takes a tenth of it. Without limits it takes a second."""


def refused(query: str, variables=None) -> RequestRefused | None:
    """Return the code with which a query is refused; None for one that is executed."""
    try:
        DOCUMENTS_OF_WEB.admit(query, None, variables)
    except RequestRefused as error:
        return error
    return None


@pytest.mark.mostly_slow
@pytest.mark.parametrize("name", DOCUMENTS)
def test_hostile_document_is_refused_fast(name):
    """Whatever and wherever its mistakes are; the errors are few, and none is repeated."""
    query = DOCUMENTS[name]
    error = refused(query)

    if error is not None:
        messages = [one.message for one in error.errors]
        assert len(messages) == len(set(messages)) <= MAX_ERRORS
    assert cpu_seconds(partial(refused, query)) < MOST_SECONDS


def test_nearly_all_hostile_documents_are_refused():
    """Those that are executed cost little."""
    costs = {
        name: DOCUMENTS_OF_WEB.admit(query, None, None)[1]
        for name, query in DOCUMENTS.items()
        if refused(query) is None
    }

    assert costs == {"a chain of fragments": 2, "nested inline fragments": 2, "mutations": 2_520}


WORDS = st.sampled_from(
    ["id", "title", "items", "products", "product", "home", "cart", "lines", "orders", "nope"]
) | st.sampled_from(["viewer", "F", "G", "Query", "Product", "fragment", "query", "mutation", "on"])
PIECES = st.one_of(
    WORDS,
    st.sampled_from([*"{}()[]:!=@$|&", "...", "@skip", "@include", '"', '"""', "#", "$id"]),
    st.sampled_from(["(first: 50)", '(id: "42")', "... on Product", "...F", "a: ", "{ items {"]),
    st.integers().map(str),
    st.text(max_size=3),
)
SELECTIONS = st.recursive(
    WORDS,
    lambda inner: st.one_of(
        st.builds("{} {{ {} }}".format, WORDS, st.lists(inner, min_size=1).map(" ".join)),
        st.builds("... on {} {{ {} }}".format, WORDS, inner),
        st.builds("{}: {}".format, WORDS, inner),
        st.builds("{}(first: {}) {{ {} }}".format, WORDS, st.integers(), inner),
        st.builds("...{} {}".format, WORDS, inner),
    ),
    max_leaves=60,
)
QUERIES = st.one_of(
    st.builds(lambda pieces, count: " ".join(pieces) * count, st.lists(PIECES), st.integers(1, 60)),
    st.builds("{{ {} }} fragment F on Query {{ {} }}".format, SELECTIONS, SELECTIONS),
    st.builds(
        "query ($id: ID) {{ {} ...F }} fragment F on {} {{ {} }}".format,
        SELECTIONS,
        WORDS,
        SELECTIONS,
    ),
)


@pytest.mark.slow
@settings(deadline=None, max_examples=150)
@given(QUERIES, st.dictionaries(st.sampled_from(["id", "first"]), st.integers() | st.none()))
def test_any_text_has_a_cost_or_an_error(query, variables):
    """Whatever text a client sends, checking it is fast."""
    error = refused(query, variables)

    assert error is None or 1 <= len(error.errors) <= MAX_ERRORS
    assert error is None or error.code.startswith(("query_", "operation_"))
    assert cpu_seconds(partial(refused, query, variables)) < MOST_SECONDS


def repeated(unit: str) -> str:
    """Return a list with as many items as a body may have."""
    return (unit + ",") * (HUGE // (len(unit) + 1) - 100) + unit


@pytest.mark.mostly_slow
@pytest.mark.parametrize(
    "variables",
    [
        "{{ids}}".replace("ids", f'"ids": [{repeated(unit)}]')[1:-1]
        for unit in ("[]", "[[[[]]]]", "{}", '{"a":{}}', "1", '""', '"\\""', '"["', "null", "1e9")
    ]
    + ['{"ids": {' + ",".join(f'"k{n}": 1' for n in range(80_000)) + "}}"],
)
async def test_too_many_variables_are_not_decoded(shop, variables):
    """A body of a megabyte with half a million values is refused with 400 at once."""
    query = "query Q($ids: [ID!]!) { products(ids: $ids) { id } }"
    body = f'{{"query": {json.dumps(query)}, "variables": {variables}}}'
    headers = {
        "content-type": "application/json",
        "accept": "application/graphql-response+json",
    }
    async with shop() as open_shop:
        ask = partial(open_shop.client.post, "/graphql", content=body, headers=headers)
        answer = await ask()
        took = await cpu_seconds_of(ask)

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["extensions"]["code"] == "query_too_large"
    assert "variables of size" in answer.json()["errors"][0]["message"]
    assert took < MOST_SECONDS


@pytest.mark.parametrize("text", ["," * 100_000, '"[{,' * 30_000, "\\" * 50_000, '\\"' * 9_999])
async def test_text_is_one_value(shop, text):
    """A long review with commas and brackets is no list."""
    async with shop() as open_shop:
        answer = await open_shop.ask("query Q($id: ID!) { product(id: $id) { id } }", id=text)

    assert answer.json()["data"]["product"]["id"] == text


@pytest.mark.parametrize(
    ("count", "is_accepted"),
    [(97, True), (98, False), (196, False), (197, False)],
)
async def test_values_of_variables_are_counted(shop, count, is_accepted):
    """The list and the object around them count as well; the limit itself is accepted."""
    query = "query Q($ids: [ID!]!) { products(ids: $ids) { id } }"
    async with shop(limits=QueryLimits(values=98)) as open_shop:
        answer = await open_shop.ask(query, ids=["7"] * count)

    assert ("data" in answer.json()) is is_accepted


async def test_errors_of_variables_are_few(shop):
    """A list of a thousand wrong items does not cause a thousand errors."""
    query = "query Q($ids: [ID!]!) { products(ids: $ids) { id } }"
    async with shop() as open_shop:
        answer = await open_shop.ask(query, ids=[1.5] * 400)

    assert len(answer.json()["errors"]) == MAX_ERRORS


@pytest.mark.parametrize(
    "query",
    [
        "{ product(id: 7) @nope { id @nope } language @nope @nope }",
        "query Q @nope { language @nope ...F @nope } fragment F on Query @nope { language @nope }",
    ],
)
async def test_unknown_directive_is_one_error(shop, query):
    """However often it occurs; the error has its first place."""
    async with shop() as open_shop:
        answer = await open_shop.ask(query)

    (error,) = answer.json()["errors"]
    assert error["message"] == "Unknown directive '@nope'."
    assert len(error["locations"]) == 1


async def test_different_mistakes_are_different_errors(shop):
    """They have the order of the query; errors about variables come once the others are fixed."""
    async with shop() as open_shop:
        both = await open_shop.ask("{ nope @a nope @b product(id: $id) { id } nope }")
        mended = await open_shop.ask("query ($x: ID!) { product(id: $id) { id } }")

    messages = [[one["message"] for one in answer.json()["errors"]] for answer in (both, mended)]
    assert messages[0] == [
        "Cannot query field 'nope' on type 'Query'.",
        "Unknown directive '@a'.",
        "Unknown directive '@b'.",
    ]
    assert sorted(messages[1]) == ["Variable '$id' is not defined.", "Variable '$x' is never used."]


async def test_name_of_an_unknown_operation_is_cut(shop):
    """The error does not send a megabyte back."""
    async with shop() as open_shop:
        body = {"query": "query A { language }", "operationName": "x" * 100_000}
        answer = await open_shop.client.post("/graphql", json=body)

    assert len(answer.content) < 1_000


async def test_expensive_query_is_one_error_with_its_cost(shop):
    """No service is called; the status is 400 for GraphQL's media type, else 200."""
    query = "query ($ids: [ID!]!) { products(ids: $ids) { id reviews } }"
    ids = [str(number) for number in range(500)]
    async with shop() as open_shop:
        modern = await open_shop.ask(
            query, {"accept": "application/graphql-response+json"}, ids=ids
        )
        plain = await open_shop.ask(query, ids=ids)

    assert [modern.status_code, plain.status_code] == [400, 200]
    assert modern.json() == plain.json()
    (error,) = plain.json()["errors"]
    assert error["message"] == (
        "The query costs 6,000; at most 5,000 is accepted. Ask for fewer items or fields."
    )
    assert error["extensions"] == {
        "code": "query_too_expensive",
        "status": 400,
        "cost": 6_000,
        "limit": 5_000,
    }
    assert "no-store" in plain.headers["cache-control"]
    assert open_shop.scripts["reviews"].calls == []


HIDDEN = "query Q($ids: [ID!]!) { products(ids: $ids) { a: count b: count c: count } }"
LINES = "\n" * 19_000


async def took(open_shop, query: str, ids: list[str]) -> float:
    """Return the CPU time of a request that is answered."""
    assert (await open_shop.ask(query, ids=ids)).status_code == 200
    return await cpu_seconds_of(partial(open_shop.ask, query, ids=ids))


@pytest.mark.slow
@pytest.mark.parametrize("is_down", [False, True])
async def test_nulls_of_many_items_cost_no_more_each(shop, is_down):
    """Finding out whether a null hides a failure needs no walk over all other items."""
    async with shop(env="production") as open_shop:
        if is_down:
            open_shop.scripts["stock"].then(*[reply(503)] * 99)
        few = await took(open_shop, HIDDEN, [f"n{n}" for n in range(80)])
        many = await took(open_shop, HIDDEN, [f"n{n}" for n in range(640)])

    assert many < 14 * few


async def test_errors_of_many_items_cost_the_same_below_many_lines(shop):
    """The lines before an error are not counted again for each item."""
    query = "query Q($ids: [ID!]!) { products(ids: $ids) { @broken } }"
    async with shop(env="production") as open_shop:
        ids = [str(n) for n in range(100)]
        flat = await took(open_shop, query.replace("@", ""), ids)
        tall = await took(open_shop, query.replace("@", LINES), ids)
        answer = await open_shop.ask(query.replace("@", LINES + "  "), ids=ids[:1])

    assert tall < 4 * flat + 0.02
    assert answer.json()["errors"][0]["locations"] == [{"line": 19_001, "column": 3}]


@pytest.mark.mostly_slow
@pytest.mark.parametrize("name", DOCUMENTS)
def test_places_in_errors_are_those_of_graphql(name):
    """Lines and columns are read from tokens, and equal the counted ones."""
    query = DOCUMENTS[name]
    try:
        document = parsed(query, max_tokens=TOKENS)
    except (GraphQLError, RecursionError):
        return
    found: list[Node] = []

    class All(Visitor):
        def enter(self, node, *_):
            found.append(node)

    visit(document, All())
    for node in found[:: max(1, len(found) // 20)]:
        (place,) = formatted(GraphQLError("", [node]))["locations"]
        assert tuple(place.values()) == get_location(Source(query), node.loc.start)
