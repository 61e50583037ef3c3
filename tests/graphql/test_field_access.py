"""Access rules of fields that types inherit, merge or override: no subclass opens them."""

from typing import Annotated, Generic, Self, TypeVar

import pytest
import strawberry
from small_schema import run_query
from strawberry.tools import merge_types

from bff_core import ANYONE, Composition, Require, access, critical
from bff_core.graphql import GraphQL, ShapeOf, part, screen

ADMIN = Require("admin")
STAFF = Require("staff")

T = TypeVar("T")


@access(ANYONE)
@strawberry.type
class Open:
    """Fields for anyone."""

    @strawberry.field
    def a(self) -> str:
        return "open"


@access(ADMIN)
@strawberry.type
class Closed:
    """Fields for administrators."""

    @strawberry.field
    def b(self) -> str:
        return "closed"


@strawberry.type
class Plain:
    """Fields without a rule."""

    @strawberry.field
    def c(self) -> str:
        return "plain"


@strawberry.type
class OpenFirst(Open, Closed):
    """Two classes with rules."""


@strawberry.type
class ClosedFirst(Closed, Open):
    """The same, the other way round."""


@access(ANYONE)
@strawberry.type
class OpenedClosed(Closed, Plain):
    """A subclass that is open to anyone."""


@access(STAFF)
@strawberry.type
class ClosedOpen(Open, Plain):
    """A subclass with a requirement of its own."""


@strawberry.type
class MixedIn(Open, Plain):
    """A class with a field of its own, and an open base."""

    @strawberry.field
    def d(self) -> str:
        return "mine"


@strawberry.type
class Below(OpenFirst):
    """Two levels down."""


@access(ANYONE)
@strawberry.type
class Overriding(Closed):
    """The field of the base, declared again."""

    @strawberry.field
    @access(ANYONE)
    def b(self) -> str:
        return "overridden"


@strawberry.federation.type(extend=True, name="Query")
class Federated(Open, Closed):
    """A type of a federation."""


class Screen(Composition):
    """A screen."""

    @critical
    async def secret(self) -> str:
        """Return what only administrators may read."""
        return "secret"


@access(ADMIN)
@strawberry.type
class ClosedParts:
    """Fields of `screen()`."""

    secret: str = screen(Screen.secret)


@access(ANYONE)
@strawberry.type
class OpenParts(ClosedParts):
    """An open type that inherits them."""

    fine: str = screen(Screen.secret)


@strawberry.type
class AboveField:
    """A rule above `@strawberry.field`, not below it."""

    @access(ANYONE)
    @strawberry.field
    def a(self) -> str:
        return "open"

    @access(ADMIN)
    @strawberry.field
    def b(self) -> str:
        return "closed"

    @access(ADMIN)
    @strawberry.field
    def again(self) -> Self:
        return self


SHAPES = {
    "merged": merge_types("Query", (Open, Closed)),
    "merged the other way": merge_types("Query", (Closed, Open)),
    "two bases": OpenFirst,
    "two bases the other way": ClosedFirst,
    "two levels": Below,
    "federation": Federated,
    "rule above the field": AboveField,
}


@pytest.mark.parametrize("root", SHAPES.values(), ids=SHAPES)
async def test_each_field_has_the_rule_of_the_class_that_declares_it(root):
    """Merging or inheriting an open type opens no field of a closed one, and closes none."""
    assert await run_query("{ a }", root) == ({"a": "open"}, [])
    assert await run_query("{ b }", root) == (None, ["not_authenticated"])
    assert await run_query("{ b }", root, scopes={"staff"}) == (None, ["not_allowed"])
    assert await run_query("{ b }", root, scopes={"admin"}) == ({"b": "closed"}, [])


async def test_the_rule_of_a_subclass_adds_to_that_of_the_field_it_inherits():
    """An open subclass opens what declares no rule; one with a requirement closes everything."""
    assert await run_query("{ c }", OpenedClosed) == ({"c": "plain"}, [])
    assert await run_query("{ b }", OpenedClosed) == (None, ["not_authenticated"])
    for name in "ac":
        query = f"{{ {name} }}"
        assert await run_query(query, ClosedOpen, scopes=set()) == (None, ["not_allowed"])
        assert (await run_query(query, ClosedOpen, scopes={"staff"}))[1] == []


async def test_an_open_base_opens_only_its_own_fields():
    """Root fields of other classes require a signed-in viewer, as without the open base."""
    assert await run_query("{ a }", MixedIn) == ({"a": "open"}, [])
    for name in "cd":
        assert await run_query(f"{{ {name} }}", MixedIn) == (None, ["not_authenticated"])
        assert (await run_query(f"{{ {name} }}", MixedIn, scopes=set()))[1] == []


async def test_an_override_does_not_open_a_field_of_the_base():
    """A rule on the overriding field comes on top."""
    assert await run_query("{ b }", Overriding) == (None, ["not_authenticated"])
    assert await run_query("{ b }", Overriding, scopes={"admin"}) == ({"b": "overridden"}, [])


@strawberry.federation.type(keys=["id"])
class Entity:
    """An entity with a closed field."""

    id: strawberry.ID

    @strawberry.field
    @access(ADMIN)
    def secret(self) -> str:
        return "secret"

    @classmethod
    def resolve_reference(cls, id: strawberry.ID) -> "Entity":  # noqa: A002 # the name of the key
        return cls(id=id)


@pytest.mark.parametrize(
    ("root", "expected"), [(Open, ANYONE), (Closed, ADMIN), (OpenFirst, ADMIN), (Plain, Require())]
)
def test_fields_of_federation_have_the_rule_of_the_query(root, expected):
    """`_service` and `_entities` are as open as the class of the query; entities have rules."""
    schema = strawberry.federation.Schema(root, types=[Entity])
    rules = {str(one).partition(": ")[0]: one.access for one in GraphQL(schema).access(("demo",))}

    assert rules["* /graphql Query._service"] == expected
    assert rules["* /graphql Query._entities"] == expected
    assert rules["* /graphql Entity.secret"] == ADMIN


async def test_a_rule_above_a_field_of_the_type_itself_is_checked():
    """Strawberry copies a field whose type is `Self`."""
    assert await run_query("{ again { a } }", AboveField) == (None, ["not_authenticated"])


async def test_inherited_screens_have_the_rule_of_their_class():
    """Fields of `screen()` have rules as those with resolvers have."""
    assert await run_query("{ fine }", OpenParts) == ({"fine": "secret"}, [])
    assert await run_query("{ secret }", OpenParts) == (None, ["not_authenticated"])


async def test_roots_of_mutations_have_the_rule_of_the_class_that_declares_them():
    """Merged mutations are checked as merged queries are."""
    merged = merge_types("Mutation", (Open, Closed))

    assert await run_query("mutation { a }", Open, mutation=merged) == ({"a": "open"}, [])
    assert await run_query("mutation { b }", Open, mutation=merged) == (None, ["not_authenticated"])


def test_rules_of_all_roots_are_listed():
    """`app.access` has a line for each rule of a field, and so for subscriptions."""

    @strawberry.type
    class Ticks(Open, Closed):
        pass

    schema = strawberry.Schema(ClosedOpen, subscription=Ticks)
    listed = {str(one) for one in GraphQL(schema).access(("demo",))}

    assert listed == {
        "* /graphql ClosedOpen.c: signed in, with staff",
        "* /graphql ClosedOpen.a: signed in, with staff",
        "* /graphql Ticks.b: signed in, with admin",
        "* /graphql Ticks.a: anyone",
    }


@access(ADMIN)
@strawberry.type
class Page(Generic[T]):
    """A generic type with a rule."""

    items: list[T]


@access(ANYONE)
@strawberry.type
class OpenPage(Page[T], Generic[T]):
    """An open subclass of it."""

    total: int = 1


@strawberry.interface
class Node:
    """An interface with a rule on a field."""

    @strawberry.field
    @access(ADMIN)
    def secret(self) -> str:
        return "base"

    @strawberry.field
    def free(self) -> str:
        return "free"


@access(ADMIN)
@strawberry.interface
class ClosedNode:
    """An interface with a rule."""

    name: str


@access(ANYONE)
@strawberry.type
class Leaf(Node):
    """An implementation that overrides the field."""

    @strawberry.field
    def secret(self) -> str:
        return "leaf"


@strawberry.type
class Renamed(Node):
    """An implementation whose field has another name in Python."""

    @strawberry.field(name="secret")
    @access(ANYONE)
    def other(self) -> str:
        return "renamed"


@access(ANYONE)
@strawberry.type
class Named(ClosedNode):
    """An implementation that declares the field again, open to anyone."""

    name: str


@strawberry.type
class Shaped(ShapeOf[Screen]):
    """A shape with a field for administrators."""

    secret: str = part(Screen.secret, access=ADMIN)


@access(ANYONE)
@strawberry.type
class ShapedAgain(Shaped):
    """An open shape that declares the field again."""

    secret: str = part(Screen.secret)


@access(ANYONE)
@strawberry.type
class Holder:
    """Fields of these types, alone and in lists."""

    shaped: ShapedAgain = screen(Screen, ShapedAgain.of)

    @strawberry.field
    def page(self) -> Page[str]:
        return Page(items=["secret"])

    @strawberry.field
    def open_page(self) -> OpenPage[str]:
        return OpenPage(items=["secret"])

    @strawberry.field
    def leaf(self) -> Node:
        return Leaf()

    @strawberry.field
    def nodes(self) -> list[Node]:
        return [Renamed()]

    @strawberry.field
    def named(self) -> list[ClosedNode]:
        return [Named(name="secret")]

    @strawberry.field
    def either(self) -> Annotated[Leaf | Named, strawberry.union("Either")]:
        return Named(name="secret")


@pytest.mark.parametrize(
    "query",
    [
        "{ shaped { secret } }",
        "{ page { items } }",
        "{ openPage { items } }",
        "{ leaf { secret } }",
        "{ leaf { ... on Leaf { again: secret } } }",
        "{ nodes { secret } }",
        "{ named { name } }",
        "{ either { ... on Named { name } } }",
    ],
)
async def test_rules_of_bases_and_interfaces_hold_in_each_kind_of_type(query):
    """An implementation, a specialized type or a shape does not open what its base closes."""
    types = [Leaf, Named, Renamed]

    assert await run_query(query, Holder, types=types) == (None, ["not_authenticated"])
    data, errors = await run_query(query, Holder, types=types, scopes={"admin"})
    assert data is not None
    assert errors == []


async def test_fields_beside_a_closed_one_stay_open():
    """What declares no rule is as open as the field above it."""
    query = "{ openPage { total } leaf { free } nodes { free } }"

    data, errors = await run_query(query, Holder, types=[Leaf, Named, Renamed])

    assert errors == []
    assert data == {
        "openPage": {"total": 1},
        "leaf": {"free": "free"},
        "nodes": [{"free": "free"}],
    }
