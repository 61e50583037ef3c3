"""The root fields of a GraphQL schema as metrics call them, with their objectives."""

import strawberry

from bff_core import ANYONE, Composition, access, critical, objective
from bff_core.graphql import GraphQL, Info, ShapeOf, part, screen


class Home(Composition):
    """A screen."""

    @critical
    async def title(self) -> str:
        """Return a title."""
        return "Home"


class WebHome(ShapeOf[Home], name="Home"):
    """The screen as browsers get it."""

    title: str = part(Home.title)


@strawberry.type
class Query:
    """The root."""

    home: WebHome = screen(Home, WebHome.of, access=ANYONE, objective="complete 99 %")

    @objective("≤ 300 ms")
    @strawberry.field
    @access(ANYONE)
    def above(self, info: Info) -> int:
        """Return a number."""
        return 1

    @strawberry.field
    @objective("≤ 200 ms")
    @access(ANYONE)
    def below(self, info: Info) -> int:
        """Return a number."""
        return 1


@strawberry.type
class Mutation:
    """The changes."""

    @strawberry.mutation
    @access(ANYONE)
    def forget(self, info: Info) -> int:
        """Return a number."""
        return 1


def test_each_root_field_has_its_label_its_screen_and_its_objective():
    """The decorator may stand above the field or above its function."""
    assert list(GraphQL(strawberry.Schema(Query, Mutation)).fields()) == [
        ("query home", "Home", "complete 99 %"),
        ("query above", "", "≤ 300 ms"),
        ("query below", "", "≤ 200 ms"),
        ("mutation forget", "", ""),
    ]
