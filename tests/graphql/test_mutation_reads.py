"""Mutations with several root fields: each answers with what it changed."""

from collections.abc import Mapping
from dataclasses import dataclass

import pytest
import strawberry
from small_schema import run_query

from bff_core import ANYONE, Composition, access, critical, loader
from bff_core.graphql import Info, ShapeOf, part, screen

NAMES = {"1": "old"}
READS: list[str] = []


@dataclass(frozen=True)
class User:
    """Someone with a name."""

    id: str


class Names(Composition):
    """A loader of names."""

    @loader
    async def name(self, ids: tuple[str, ...]) -> Mapping[str, str]:
        return {one: NAMES[one] for one in ids}


class Reading(Composition):
    """A screen that reads a name."""

    id: str

    @critical
    async def name(self) -> str:
        READS.append(self.id)
        return NAMES[self.id]


class Writing(Composition):
    """A screen that changes a name."""

    id: str
    name: str

    @critical
    async def user(self) -> User:
        NAMES[self.id] = self.name
        return User(self.id)


@strawberry.type
class WebUser(ShapeOf[User]):
    """A user, whose name is loaded and read again."""

    id: str
    loaded: str = part(Names.name, key="id")
    again: str = screen(Reading.name)

    @strawberry.field
    async def resolved(self, info: Info) -> str:
        return await info.context.compose(Reading, id=self.id).name()


@strawberry.type
class WebWriting(ShapeOf[Writing]):
    """The screen itself, whose part writes."""

    user: WebUser = part(Writing.user, WebUser.of)


@access(ANYONE)
@strawberry.type
class Query:
    """The root."""

    name: str = screen(Reading.name)


@access(ANYONE)
@strawberry.type
class Mutation:
    """Ways to change a name."""

    write: WebUser = screen(Writing.user, WebUser.of)
    lazily: WebWriting = screen(Writing, WebWriting.of)

    @strawberry.mutation
    async def awaited(self, info: Info, id: str, name: str) -> WebUser:  # noqa: A002 # a name of GraphQL
        await info.context.compose(Reading, id=id).name()
        return WebUser.of(await info.context.compose_anew(Writing, id=id, name=name).user())

    @strawberry.mutation
    def plainly(self, info: Info, id: str, name: str) -> WebUser:  # noqa: A002 # a name of GraphQL
        info.context.compose(Reading, id=id)
        NAMES[id] = name
        return WebUser.of(User(id))


FIELDS = '{ loaded again(id: "1") resolved }'


@pytest.mark.parametrize("field", ["write", "awaited", "plainly"])
async def test_each_field_of_a_mutation_answers_with_what_it_changed(field):
    """Loaders, screens and compositions of resolvers are not those of the field before."""
    query = f"""mutation {{
      a: {field}(id: "1", name: "A") {FIELDS}
      b: {field}(id: "1", name: "B") {FIELDS}
    }}"""

    data, errors = await run_query(query, Query, mutation=Mutation)

    assert errors == []
    assert data == {
        alias: {"loaded": name, "again": name, "resolved": name}
        for alias, name in (("a", "A"), ("b", "B"))
    }


async def test_a_screen_whose_part_writes_is_read_after_it():
    """The part of a later root field runs after the whole answer of the one before."""
    query = f"""mutation {{
      a: lazily(id: "1", name: "A") {{ user {FIELDS} }}
      b: lazily(id: "1", name: "B") {{ user {FIELDS} }}
    }}"""

    data, errors = await run_query(query, Query, mutation=Mutation)

    assert errors == []
    assert [set(data[alias]["user"].values()) for alias in "ab"] == [{"A"}, {"B"}]


async def test_fields_below_one_change_still_share_a_composition():
    """Equal fields of one answer are read once."""
    query = 'mutation { write(id: "1", name: "C") { a: again(id: "1") b: again(id: "1") } }'

    READS.clear()

    data, _ = await run_query(query, Query, mutation=Mutation)

    assert data == {"write": {"a": "C", "b": "C"}}
    assert READS == ["1"]
