"""Arguments of fields: sets and lists in Python, and errors with the names of clients."""

from typing import Annotated

import pytest
import strawberry
from fastapi import Cookie, Depends, Header
from fastapi import Query as Bound
from small_schema import answer_of

from bff_core import ANYONE, Composition, ConfigurationError, access, critical
from bff_core.graphql import Info, part, screen


class Trip(Composition):
    """A screen with a bounded input, and parts with sets and lists."""

    max_stops: Annotated[int, Bound(ge=1, le=5)] = 2

    @critical
    async def stops(self) -> int:
        return self.max_stops

    @critical
    async def bounded(self, min_stops: Annotated[int, Bound(ge=1)] = 1) -> int:
        return min_stops


class Kinds(Composition):
    """Parts with sets and lists."""

    @critical
    async def pairs(self, ids: frozenset[tuple[int, ...]]) -> str:
        return repr(sorted(ids))

    @critical
    async def sets(self, ids: tuple[set[int] | None, ...] = ()) -> str:
        return repr(ids)

    @critical
    async def deep(self, ids: set[frozenset[tuple[int, ...]]] | None = None) -> str:
        return repr(ids)


@access(ANYONE)
@strawberry.type
class Query:
    """The root."""

    stops: int = screen(Trip.stops)
    renamed: int = screen(Trip.stops, arguments={"max_stops": "upTo"})
    bounded: int = screen(Trip.bounded)
    pairs: str = screen(Kinds.pairs)
    sets: str = screen(Kinds.sets)
    deep: str = screen(Kinds.deep)

    @strawberry.field
    async def resolved(self, info: Info, max_stops: int) -> int:
        return await info.context.compose(Trip, max_stops=max_stops).stops()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("pairs(ids: [[1, 2], [1, 2], [3]])", "[(1, 2), (3,)]"),
        ("sets(ids: [[1, 1], null])", "(frozenset({1}), None)"),
        ("deep(ids: [[[1], [1]]])", "frozenset({frozenset({(1,)})})"),
        ("deep(ids: null)", "None"),
    ],
)
async def test_lists_in_lists_are_sets_and_tuples_as_declared(field, value):
    """A set in a list, or a list in a set, is hashable in Python."""
    answer = await answer_of(f"{{ got: {field} }}", Query)

    assert answer["data"] == {"got": value}


@pytest.mark.parametrize(
    ("field", "name"),
    [
        ("stops(maxStops: 9)", "maxStops"),
        ("renamed(upTo: 9)", "upTo"),
        ("bounded(minStops: 0)", "minStops"),
        ("resolved(maxStops: 9)", "maxStops"),
    ],
)
async def test_errors_name_an_argument_as_the_client_did(field, name):
    """The name in Python is no name that a client has sent."""
    answer = await answer_of(f"{{ {field} }}", Query)

    assert answer["errors"][0]["message"].startswith(f"{name}: Input should be")


@strawberry.input
class Range:
    """An input object, which is not hashable."""

    low: int


class Ranges(Composition):
    """A part with a set of them."""

    @critical
    async def count(self, ranges: set[Range]) -> int:
        return len(ranges)


def test_a_set_of_what_is_not_hashable_is_an_error_at_import():
    """The error says what to declare."""
    with pytest.raises(ConfigurationError, match=r"ranges is a set of .* declare it as a tuple"):
        part(Ranges.count)


def current_tenant() -> str:
    """Return what a dependency knows of the caller."""
    return "a"


Tenant = Annotated[str, Depends(current_tenant)]


class Tenants(Composition):
    """A screen with an input that a dependency fills."""

    tenant: Tenant


class OldTenants(Composition):
    """The same, as FastAPI was written once."""

    tenant: str = Depends(current_tenant)


@pytest.mark.parametrize("kind", [Tenants, OldTenants])
def test_an_input_that_a_dependency_fills_is_refused(kind):
    """A client could send it as an argument, and GraphQL runs no dependencies."""
    with pytest.raises(ConfigurationError, match=r"fills the input tenant, .* from_scope"):
        screen(kind)


class Greeting(Composition):
    """A screen with inputs that REST reads from a header and a cookie."""

    x_tenant: Annotated[str, Header(alias="X-Shop")] = "none"
    theme: Annotated[str, Cookie(max_length=3)] = "any"

    @critical
    async def words(self) -> str:
        return f"{self.x_tenant} {self.theme}"


@access(ANYONE)
@strawberry.type
class Greetings:
    """The root."""

    words: str = screen(Greeting.words)


async def test_inputs_of_headers_and_cookies_are_arguments():
    """The client sends them in the query; the header and the cookie are not read."""
    headers = {"x-shop": "header", "x-tenant": "header", "cookie": "theme=sea"}

    left_out = await answer_of("{ words }", Greetings, headers=headers)
    given = await answer_of('{ words(xTenant: "mine", theme: "sky") }', Greetings, headers=headers)
    long = await answer_of('{ words(theme: "much") }', Greetings)

    assert left_out["data"] == {"words": "none any"}
    assert given["data"] == {"words": "mine sky"}
    assert long["errors"][0]["message"].startswith("theme: String should have at most 3")
