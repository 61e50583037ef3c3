"""Shapes by the class of a value: unions of shapes, and interfaces."""

from dataclasses import dataclass
from typing import Annotated

import pytest
import strawberry
from small_schema import run_query

from bff_core import ANYONE, Composition, ConfigurationError, access, critical
from bff_core.graphql import GraphQL, ShapeOf, screen, value


@dataclass(frozen=True)
class User:
    """Someone."""

    id: str


@dataclass(frozen=True)
class Admin(User):
    """A user with a badge."""

    badge: str


@dataclass(frozen=True)
class Owner(Admin):
    """An administrator without a shape of its own."""


@dataclass(frozen=True)
class Team:
    """Users of several classes."""

    lead: User
    members: tuple[User, ...]


class Teams(Composition):
    """A screen."""

    @critical
    async def team(self) -> Team:
        return Team(Admin("1", "a"), (User("2"), Admin("3", "b"), Owner("4", "c")))


@strawberry.type
class WebUser(ShapeOf[User]):
    """The shape of the base."""

    id: str


@strawberry.type
class WebAdmin(ShapeOf[Admin]):
    """The shape of the subclass."""

    badge: str


BaseFirst = Annotated[WebUser | WebAdmin, strawberry.union("BaseFirst")]
BaseLast = Annotated[WebAdmin | WebUser, strawberry.union("BaseLast")]


@strawberry.type
class First(ShapeOf[Team]):
    """A union that names the base first."""

    lead: BaseFirst
    members: list[BaseFirst]


@strawberry.type
class Last(ShapeOf[Team]):
    """A union that names the base last."""

    lead: BaseLast
    members: list[BaseLast]


@access(ANYONE)
@strawberry.type
class Query:
    """The root."""

    first: First = screen(Teams.team, First.of)
    last: Last = screen(Teams.team, Last.of)


@pytest.mark.parametrize("name", ["first", "last"])
async def test_a_value_has_the_shape_of_its_most_specific_class(name):
    """The order of the types in a union does not matter."""
    query = f"{{ got: {name} {{ lead {{ __typename }} members {{ __typename }} }} }}"

    data, errors = await run_query(query, Query)

    names = [one["__typename"] for one in (data["got"]["lead"], *data["got"]["members"])]
    assert errors == []
    assert names == ["WebAdmin", "WebUser", "WebAdmin", "WebAdmin"]


@strawberry.type
class Guest:
    """A GraphQL type that is no shape, since the service's reply is of it already."""

    seat: int


@dataclass(frozen=True)
class Table:
    """Users and guests."""

    seats: tuple[User | Guest, ...]


class Tables(Composition):
    """A screen."""

    @critical
    async def table(self) -> Table:
        return Table((Guest(seat=1), User("2")))


@strawberry.type
class WebTable(ShapeOf[Table]):
    """A union of one shape and another type."""

    seats: list[Annotated[WebUser | Guest, strawberry.union("Seat")]]


@strawberry.type
class LazyTable(ShapeOf[Table]):
    """A union whose shape is imported later."""

    seats: list[
        Annotated[
            Annotated["WebUser", strawberry.lazy(__name__)] | Guest,
            strawberry.union("LazySeat"),
        ]
    ]


@access(ANYONE)
@strawberry.type
class Dinner:
    """The root."""

    table: WebTable = screen(Tables.table, WebTable.of)
    lazy: LazyTable = screen(Tables.table, LazyTable.of)


@pytest.mark.parametrize("name", ["table", "lazy"])
async def test_only_values_of_the_source_get_the_shape_in_a_union(name):
    """A value of another type of the union stays as it is."""
    query = f"{{ got: {name} {{ seats {{ __typename ... on Guest {{ seat }} }} }} }}"

    data, errors = await run_query(query, Dinner)

    assert errors == []
    assert data["got"]["seats"] == [
        {"__typename": "Guest", "seat": 1},
        {"__typename": "WebUser"},
    ]


@strawberry.interface
class WebPerson(ShapeOf[User]):
    """An interface that is a shape."""

    id: str


@strawberry.type
class WebMember(WebPerson):
    """Its implementation."""

    @strawberry.field
    def name(self) -> str:
        return f"user {self.source.id}"


@pytest.mark.parametrize("kind", [WebPerson, WebPerson | None, list[WebPerson]])
def test_an_interface_cannot_shape_an_attribute(kind):
    """The error at start says what to write."""

    class Lead(ShapeOf[Team]):
        pass

    name = "members" if kind == list[WebPerson] else "lead"
    Lead.__annotations__ = {name: kind}

    @strawberry.type
    class Root:
        """The root."""

        team: strawberry.type(Lead) = screen(Teams.team, Lead.of)

    schema = strawberry.Schema(Root, types=[WebMember])
    with pytest.raises(ConfigurationError, match="WebPerson can't shape, since it is an interface"):
        GraphQL(schema)


@strawberry.type
class WebTeam(ShapeOf[Team]):
    """What the error says."""

    lead: WebPerson = value(Team, lambda team: WebMember.of(team.lead))


@access(ANYONE)
@strawberry.type
class Root:
    """The root."""

    team: WebTeam = screen(Teams.team, WebTeam.of)


async def test_a_function_gives_an_implementation_of_an_interface():
    """`value()` makes the shape that the interface can't."""
    query = "{ team { lead { id ... on WebMember { name } } } }"

    data, errors = await run_query(query, Root, types=[WebMember])

    assert errors == []
    assert data == {"team": {"lead": {"id": "1", "name": "user 1"}}}


class Named(ShapeOf[Admin], name="Admin"):
    """What may be shown of an administrator."""

    id: str
    badge: str = value(Admin, lambda admin: admin.badge.upper())

    @strawberry.field
    def initial(self) -> str:
        """Return the first letter."""
        return self.source.badge[0]


class NamedOwner(Named, name="Owner"):
    """The same fields, in another type."""


async def test_a_shape_with_a_name_needs_no_decorator():
    """It has the fields that it would have with one, and so does a subclass with a name."""

    @strawberry.type
    class Query:
        """The root."""

        @strawberry.field
        @access(ANYONE)
        def admin(self) -> Named:
            """Return one."""
            return Named.of(Admin("3", "b"))

        @strawberry.field
        @access(ANYONE)
        def owner(self) -> NamedOwner:
            """Return another one."""
            return NamedOwner.of(Owner("4", "c"))

    query = "{ admin { id badge initial } owner { __typename badge } }"

    data, codes = await run_query(query, Query)

    assert codes == []
    assert data == {
        "admin": {"id": "3", "badge": "B", "initial": "b"},
        "owner": {"__typename": "Owner", "badge": "C"},
    }


def test_a_shape_with_a_name_and_a_decorator_is_refused():
    """The second one would lose fields."""

    @strawberry.type
    class Twice(ShapeOf[User], name="User"):
        """Both."""

        id: str

    @strawberry.type
    class Query:
        """The root."""

        @strawberry.field
        @access(ANYONE)
        def user(self) -> Twice:
            """Return one."""
            return Twice.of(User("1"))

    with pytest.raises(ConfigurationError, match="Twice has a name= and a decorator"):
        GraphQL(strawberry.Schema(Query))
