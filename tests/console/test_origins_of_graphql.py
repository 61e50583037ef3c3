"""Origins of GraphQL answers whose fields have resolvers of their own, and of escaped names."""

import strawberry

from bff_core import Composition, critical, gateway, optional
from bff_core.console.origins.applied import apply
from bff_core.console.origins.cached import LearnedOrigins
from bff_core.console.origins.learned import Learned
from bff_core.graphql import GraphQL, Info, part
from bff_core.testing import client


class Numbers(Composition):
    """Two numbers."""

    @critical
    async def first(self) -> int:
        """One."""
        return 1

    @optional
    async def second(self) -> int:
        """Another one."""
        return 2


@strawberry.type(name="Numbers")
class WebNumbers:
    """Fields of several kinds."""

    page: strawberry.Private[Numbers]
    one: int = part(Numbers.first)

    @strawberry.field
    async def double(self, info: Info) -> int:
        """Compute of one part."""
        return await info.context.compose(Numbers).first() * 2

    @strawberry.field
    async def total(self, info: Info) -> int:
        """Compute of two parts."""
        page = info.context.compose(Numbers)
        return await page.first() + (await page.second() or 0)

    @strawberry.field
    def version(self) -> str:
        """Compute of none."""
        return "v1"


@strawberry.type
class Query:
    """The root."""

    @strawberry.field
    def numbers(self, info: Info) -> WebNumbers:
        """Compose the screen."""
        return WebNumbers(page=info.context.compose(Numbers))

    @strawberry.field
    def version(self) -> str:
        """Compose nothing."""
        return "v1"


schema = strawberry.Schema(query=Query)


async def parts_of(query: str, operation: str = "") -> dict[str, str] | None:
    """Return the parts of a query's answer."""
    async with client(lambda: gateway("numbers", faces=[GraphQL(schema)]), {}) as sending:
        found = LearnedOrigins(sending.app).of_query("/graphql", query, operation)
    return None if found is None else dict(found.parts)


async def test_resolvers():
    """A resolver that awaits one part gives its value; of several parts, or of none, it is open."""
    assert await parts_of("{ numbers { __typename one double total version } }") == {
        "/data/numbers/one": "first",
        "/data/numbers/double": "first",
    }


async def test_an_operation_by_its_name():
    """Of several operations the named one counts; a mutation or a broken query has no parts."""
    both = "query A { numbers { one } } query B { other: numbers { x: one } }"

    assert await parts_of(both, "B") == {"/data/other/x": "first"}
    assert await parts_of(both) is None
    assert await parts_of("mutation { numbers }") is None
    assert await parts_of("{ numbers {") is None


async def test_a_type_condition():
    """Fields below a condition, and in fragments that use others, have their parts."""
    query = """{ numbers { ... on Numbers { ...A } } }
    fragment A on Numbers { ...B } fragment B on Numbers { one }"""

    assert await parts_of(query) == {"/data/numbers/one": "first"}


async def test_one_name_of_several_types():
    """Of a union, each type may have another part under a name: which one it is is unknown."""
    one, two = "... on Numbers { x: one }", "... on Numbers { x: total }"

    for query in (f"{{ numbers {{ {one} {two} }} }}", f"{{ numbers {{ {two} {one} }} }}"):
        assert await parts_of(query) == {"/data/numbers/x": ""}
    assert await parts_of(f"{{ numbers {{ {one} {one} }} }}") == {"/data/numbers/x": "first"}


async def test_fragments_that_unfold_without_end_have_no_parts():
    """Such queries are refused, but the console shows them: it answers at once."""
    doubled = [f"fragment f{n} on Numbers {{ ...f{n + 1} ...f{n + 1} }}" for n in range(40)]
    bomb = "{ numbers { ...f0 } } fragment f40 on Numbers { one } " + " ".join(doubled)
    cycle = "{ numbers { ...A } } fragment A on Numbers { ...A }"
    deep = "{ numbers " + "{ numbers " * 3000 + "{ one }" + "}" * 3001

    assert [await parts_of(one) for one in (bomb, cycle, deep)] == [None, None, None]


def test_the_longest_pointer_wins():
    """A pointer covers what is below it, but for longer ones; an empty part is an unknown one."""
    learned = Learned({"/items": "page", "/items/*/price": "price", "/items/*/price/note": ""})
    found = apply(learned, {"items": [{"id": 1, "price": {"note": "x", "sum": 2}}, {"id": 3}]})

    assert found.parts == {"/items": "page", "/items/0/price": "price", "/items/0/price/note": ""}
    assert found.bytes == {
        "": len("{}") + len('"note":"x"'),
        "page": len('"items":[{"id":1,},{"id":3}]'),
        "price": len('"price":{,"sum":2}'),
    }


def test_names_with_slashes():
    """They are escaped in pointers (RFC 6901)."""
    learned = Learned({"/a~1b": "first", "/c~0d/*": "second"})
    found = apply(learned, {"a/b": 1, "c~d": [2, 3]})

    assert found.parts == {"/a~1b": "first", "/c~0d/0": "second", "/c~0d/1": "second"}
