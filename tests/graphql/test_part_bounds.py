"""`most`: it bounds a list also where the argument is null, left out, or a list of lists."""

from collections.abc import Sequence

import pytest
import strawberry
from small_schema import answer_of

from bff_core import ANYONE, Composition, access, critical
from bff_core.graphql import GraphQL, QueryLimits, ShapeOf, part, screen
from bff_core.graphql.documents import Documents


class Numbers(Composition):
    """Parts whose lists are unlimited without an argument."""

    @critical
    async def some(self, first: int | None = None) -> Sequence[int]:
        return range(100 if first is None else first)

    @critical
    async def needed(self, first: int | None) -> Sequence[int]:
        return range(100 if first is None else first)

    @critical
    async def both(self, last: int | None = None, first: int | None = None) -> str:
        return f"first {first}, last {last}"

    @critical
    async def three(self, limit: int | None = 3) -> Sequence[int]:
        return range(100 if limit is None else limit)

    @critical
    async def nested(self, ids: tuple[tuple[int, ...], ...] = ()) -> int:
        return sum(map(len, ids))


class Limited(Composition):
    """A screen with such an input."""

    first: int | None = None

    @critical
    async def numbers(self) -> Sequence[int]:
        return range(100 if self.first is None else self.first)


@strawberry.type
class WebNumbers(ShapeOf[Numbers]):
    """Fields with bounds."""

    some: list[int] = part(Numbers.some, most=5)
    needed: list[int] = part(Numbers.needed, most=5)
    both: str = part(Numbers.both, most=5)
    three: list[int] = part(Numbers.three, most=5)
    nested: int = part(Numbers.nested, most=4)


@access(ANYONE)
@strawberry.type
class Query:
    """The root."""

    at: WebNumbers = screen(Numbers, WebNumbers.of)
    limited: list[int] = screen(Limited.numbers, most=4)


@pytest.mark.parametrize(
    ("selected", "size"),
    [
        ("some", 5),
        ("some(first: null)", 5),
        ("some(first: 2)", 2),
        ("needed", 5),
        ("needed(first: null)", 5),
        ("three", 3),
        ("three(limit: null)", 5),
    ],
)
async def test_null_and_a_default_of_none_mean_the_most(selected, size):
    """No client gets an unlimited list by leaving the limit out, or by sending null."""
    answer = await answer_of(f"{{ at {{ got: {selected} }} }}", Query)

    assert answer["data"]["at"]["got"] == [*range(size)]


async def test_null_in_a_variable_means_the_most_as_well():
    """Variables are bounded as literals are, also for the input of a screen."""
    query = "query ($n: Int) { limited(first: $n) again: limited at { some(first: $n) } }"

    answer = await answer_of(query, Query, variables={"n": None})

    assert {len(one) for one in (answer["data"]["limited"], answer["data"]["again"])} == {4}
    assert answer["data"]["at"]["some"] == [*range(5)]


@pytest.mark.parametrize(
    ("selected", "text"),
    [
        ("both", "first 5, last None"),
        ("both(first: null, last: null)", "first 5, last None"),
        ("both(last: 2)", "first None, last 2"),
        ("both(first: 3)", "first 3, last None"),
    ],
)
async def test_one_of_first_and_last_is_enough(selected, text):
    """The most is not added to the limit that the client gave."""
    answer = await answer_of(f"{{ at {{ got: {selected} }} }}", Query)

    assert answer["data"]["at"]["got"] == text


@pytest.mark.parametrize(
    ("ids", "items"),
    [("[[1, 2, 3, 4, 5]]", 5), ("[[1, 2, 3], [4, 5]]", 5), ("[[], [], [], [], []]", 5)],
)
async def test_items_of_lists_in_lists_are_counted(ids, items):
    """One list of five is as long as five lists."""
    answer = await answer_of(f"{{ at {{ nested(ids: {ids}) }} }}", Query)

    assert answer["errors"][0]["message"] == f"ids takes at most 4 items, not {items}."
    assert (await answer_of("{ at { nested(ids: [[1, 2], [3, 4]]) } }", Query))["data"]


def test_null_costs_as_much_as_the_most():
    """The cost of a query counts the list that null gets."""
    face = GraphQL(strawberry.Schema(Query))
    documents = Documents(face.schema, QueryLimits(), with_introspection=False)

    costs = [
        documents.admit(f"{{ at {{ {one} }} }}", None, None)[1]
        for one in ("some", "some(first: null)", "some(first: 2)", "three(limit: null)")
    ]

    assert costs == [6, 6, 3, 6]
