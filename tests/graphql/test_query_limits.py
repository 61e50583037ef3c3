"""Limits of queries: large queries are refused before they cost anything."""

import pytest
import strawberry
from graph_shop import Mutation, Query
from graphql import parse

from bff_core import ConfigurationError
from bff_core.graphql import QueryLimits
from bff_core.graphql.documents import CACHED_CHARACTERS, Documents, RequestRefused
from bff_core.graphql.query_limits import QueryTooLarge, check_extent
from tests.cpu_time import cpu_seconds

SCHEMA = strawberry.Schema(Query, Mutation)


def documents(**limits):
    """Return the documents of a face with these limits."""
    return Documents(SCHEMA, QueryLimits(**limits), with_introspection=True)


def found_in(documents, query):
    """Return the operation that a query is executed as."""
    return documents.admit(query, None, None)[0]


def nested(depth):
    """Return a query whose innermost field has `depth` fields around it, itself included."""
    return "{ product(id: 7) " + "{ itself " * (depth - 2) + "{ id }" + " }" * (depth - 1)


@pytest.mark.parametrize(
    ("query", "limit"),
    [
        ("{ language }" + " " * 100, {"length": 100}),
        ("{ " + "language " * 50 + "}", {"tokens": 40}),
        (nested(6), {"depth": 5}),
        ("{ " + " ".join(f"a{n}: language" for n in range(6)) + " }", {"aliases": 5}),
        ("{ " + "product(id: 7) { id } " * 6 + "}", {"repeats": 5}),
        ("{ ...F } fragment F on Query { " + "product(id: 7) { id } " * 6 + "}", {"repeats": 5}),
        ("{ ...F ...F } fragment F on Query { a: language b: language }", {"aliases": 3}),
        ("{" + "...F " * 9 + "} fragment F on Query {" + "language " * 9 + "}", {"tokens": 80}),
        (
            "{ ... on Query { product(id: 7) { ...F } } } fragment F on Product { itself { id } }",
            {"depth": 2},
        ),
    ],
)
async def test_query_over_a_limit_is_refused(shop, query, limit):
    """The error names the limit; the query is not executed."""
    async with shop(limits=QueryLimits(**limit)) as open_shop:
        answer = await open_shop.ask(query)

    assert "data" not in answer.json()
    assert answer.json()["errors"][0]["extensions"] == {"code": "query_too_large", "status": 400}
    assert open_shop.scripts["catalog"].calls == []


def test_query_at_its_limits_is_accepted():
    """The bounds are inclusive: depth, aliases and repeats as counted by hand."""
    found = found_in(documents(depth=5), nested(5))
    check_extent(parse("{ a: x b: y }"), QueryLimits(aliases=2))
    check_extent(parse("{ x { y } x { z } }"), QueryLimits(repeats=2, depth=2))

    assert found.document == parse(nested(5))


def test_fragments_that_multiply_are_counted_without_walking_them():
    """Sixty fragments, each spread twice by the one before, are refused fast."""
    bomb = "{ ...F0 }" + "".join(
        f"fragment F{n} on Query {{ ...F{n + 1} ...F{n + 1} }}" for n in range(60)
    )
    document = parse(bomb + "fragment F60 on Query { a: language }")

    def refuse() -> None:
        with pytest.raises(QueryTooLarge, match=f"aliases {2**60}"):
            check_extent(document, QueryLimits())

    assert cpu_seconds(refuse) < 1


def test_cyclic_fragments_are_not_valid():
    """A cycle of fragments is refused as an invalid query."""
    query = "{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }"

    with pytest.raises(RequestRefused) as refused:
        found_in(documents(), query)
    assert refused.value.code == "query_not_valid"


def test_deep_nesting_is_refused_not_a_crash():
    """Neither brackets nor a chain of fragments can exhaust the stack."""
    chain = "{ ...F0 }" + "".join(f"fragment F{n} on Query {{ ...F{n + 1} }}" for n in range(900))
    for query in ("{a" * 5_000, chain + "fragment F900 on Query { language }"):
        with pytest.raises(RequestRefused):
            found_in(documents(tokens=100_000, length=1_000_000), query)


def test_validation_of_repeated_fields_stays_cheap():
    """The number of fields that validation compares pairwise is limited before."""
    query = "{ " + "product(id: 7) { id } " * 400 + "}"

    def refuse() -> None:
        with pytest.raises(RequestRefused):
            found_in(documents(tokens=10_000), query)

    assert cpu_seconds(refuse) < 1


def test_introspection_is_not_deep():
    """The depth limit does not apply to the introspection of tools."""
    query = "{ __schema { types { fields { type " + "{ ofType " * 9 + "{ name }" + " }" * 13

    assert found_in(documents(depth=3), query)


def test_document_is_cached():
    """A query is parsed and validated once."""
    found = documents()

    assert found_in(found, "{ language }") is found_in(found, "{ language }")


def test_memory_of_documents_is_bounded():
    """The cache evicts the least recently used documents by their length."""
    found = documents()
    first = found_in(found, "{ language }")
    size = 15_000
    for number in range(CACHED_CHARACTERS // size + 2):
        found_in(found, f"{{ language }} #{number}".ljust(size))

    assert found_in(found, "{ language }") is not first


def test_refused_query_is_not_cached():
    """Invalid queries evict nothing; they are checked each time."""
    found = documents()
    first = found_in(found, "{ language }")
    for number in range(50):
        with pytest.raises(RequestRefused):
            found_in(found, f"{{ nope }} #{number}".ljust(15_000))

    assert found_in(found, "{ language }") is first


@pytest.mark.parametrize("name", ["length", "tokens", "depth", "aliases", "repeats"])
def test_limit_below_one_is_a_configuration_error(name):
    """A limit that no query could meet is refused."""
    with pytest.raises(ConfigurationError, match=rf"Limits\.{name} must be at least 1, not 0"):
        QueryLimits(**{name: 0})
