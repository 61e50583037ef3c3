"""Return types filter the result of a view and name its fields, as `response_model` does."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, IntEnum
from ipaddress import IPv4Address
from pathlib import Path
from typing import Annotated, Any, Generic, Literal, NamedTuple, TypeVar
from uuid import UUID

import pydantic
import pytest
from pydantic import (
    AliasGenerator,
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    RootModel,
    SecretStr,
    computed_field,
    field_serializer,
)
from pydantic.alias_generators import to_camel
from typing_extensions import TypedDict

from bff_core import BulkAnswer
from bff_core.rest.bulk import BulkItem
from bff_core.rest.openapi import SCHEMAS
from tests.rest.conformance.three_ways import Ask, answer_of, assert_alike, serving

T = TypeVar("T")


@dataclass
class User:
    """The fields of a user that clients see."""

    name: str


@dataclass
class UserInDB(User):
    """The fields of a user in the service."""

    password: str = "secret"


class Model(BaseModel):
    """The same as a pydantic model."""

    name: str


class ModelInDB(Model):
    """The same with a secret."""

    password: str = "secret"


class Row:
    """An object of some other library with more attributes."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.password = "secret"


@dataclass
class Team:
    """Users in all kinds of places."""

    lead: User
    deputy: User | None = None
    members: Sequence[User] = ()
    by_role: Mapping[str, User] = field(default_factory=dict)
    teams: Sequence[Sequence[User]] = ()
    either: User | str = ""
    pets: Sequence[Model] = ()


@dataclass
class PlainTeam:
    """Users in all kinds of places, without a pydantic model."""

    lead: User
    deputy: User | None = None
    members: Sequence[User] = ()
    by_role: Mapping[str, User] = field(default_factory=dict)
    teams: Sequence[Sequence[User]] = ()
    either: User | str = ""
    note: str = ""


@dataclass
class Page(Generic[T]):
    """A generic list."""

    items: Sequence[T]
    total: int = 0


@dataclass
class Numbers:
    """A list in a dataclass."""

    items: Sequence[int]


class Camel(BaseModel):
    """A model whose fields have other names in JSON."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    first_name: str
    home_town: str | None = None


class Aliased(BaseModel):
    """Aliases of all kinds."""

    both: int = Field(alias="Both")
    written: int = Field(serialization_alias="Written")
    read: int = Field(validation_alias="Read")


class Generated(BaseModel):
    """An alias generator for serialization only."""

    model_config = ConfigDict(alias_generator=AliasGenerator(serialization_alias=str.upper))

    name: str


@dataclass
class Envelope:
    """A dataclass around models with aliases."""

    user: Camel
    others: list[Camel]


class Tree(BaseModel):
    """A model that contains itself."""

    name: str
    children: list["Tree"] = []


@dataclass
class Chain:
    """A dataclass that contains itself."""

    name: str
    rest: "Chain | None" = None


class Colour(Enum):
    """An enumeration of texts."""

    red = "r"


class Level(IntEnum):
    """An enumeration of numbers."""

    low = 1


class Point(NamedTuple):
    """A pair with names."""

    x: int
    y: int


class Movie(TypedDict):
    """A dictionary with known keys."""

    title: str


class Rich(BaseModel):
    """Features of pydantic that change a field when it is serialized."""

    amount: int
    pin: SecretStr = SecretStr("x")
    rounded: Annotated[float, PlainSerializer(round, return_type=int)] = 1.5

    @computed_field
    @property
    def doubled(self) -> int:
        return self.amount * 2

    @field_serializer("amount")
    def as_text(self, amount: int) -> str:
        return f"{amount} EUR"


@pydantic.dataclasses.dataclass
class Checked:
    """A dataclass of pydantic's, with an alias."""

    first_name: str = Field(serialization_alias="firstName")


@dataclass
class WithFields:
    """A dataclass that uses pydantic's fields."""

    first_name: Annotated[str, Field(serialization_alias="firstName")]
    hidden: Annotated[int, Field(exclude=True)] = 1


@dataclass(slots=True)
class Slotted:
    """A dataclass with slots, and a field that no client may change."""

    name: str
    made: list[int] = field(default_factory=list, init=False)


@dataclass
class Scalars:
    """One of each."""

    at: datetime = datetime(2024, 5, 1, 12, tzinfo=UTC)
    local: datetime = datetime(2024, 5, 1, 12, 0, 0, 1)  # noqa: DTZ001 - one without a zone
    day: date = date(2024, 5, 1)
    hour: time = time(1, 2)
    price: Decimal = Decimal("1.50")
    id: UUID = field(default_factory=lambda: UUID(int=1))
    colour: Colour = Colour.red
    level: Level = Level.low
    kind: Literal["a", 1] = "a"
    big: int = 2**70
    ratio: float = 0.1
    is_it: bool = True
    tags: frozenset[int] = frozenset({1})
    pair: tuple[int, ...] = (1, 2)
    keys: dict[int, str] = field(default_factory=lambda: {1: "a"})
    anything: Any = None


SUB, MODEL = UserInDB("Ada"), ModelInDB(name="Ada")
CAMEL = Camel(first_name="Ada")
LEAKING = PlainTeam(SUB, SUB, [User("B"), SUB], {"a": SUB}, [[SUB]], SUB, "{braces}")

RETURNED = {
    "subclass": (User, SUB),
    "exact": (User, User("Ada")),
    "subclass of a model": (Model, MODEL),
    "object with more attributes": (Model, Row("Ada")),
    "dict with more keys": (User, {"name": "Ada", "password": "secret"}),
    "dict for a model": (Model, {"name": "Ada", "password": "secret"}),
    "value to convert": (Camel, {"firstName": "Ada", "home_town": None}),
    "list": (list[User], [SUB, User("B")]),
    "list of models": (list[Model], [MODEL]),
    "list of dicts": (list[User], [{"name": "Ada", "password": "secret"}]),
    "tuple": (tuple[User, ...], (SUB,)),
    "pair": (tuple[User, int], (SUB, 1)),
    "dict": (dict[str, User], {"a": SUB}),
    "mapping": (Mapping[str, list[User]], {"a": [SUB]}),
    "optional": (User | None, SUB),
    "none": (User | None, None),
    "union": (User | int, SUB),
    "union of models": (Model | int, MODEL),
    "nested everywhere": (PlainTeam, LEAKING),
    "nested with a model": (Team, Team(SUB, SUB, [SUB], {"a": SUB}, [[SUB]], SUB, [MODEL])),
    "nested in a subclass": (Page[User], Page([SUB, SUB], 2)),
    "generic": (Page[User], Page([User("A")], 1)),
    "generic of a model": (Page[Camel], Page([CAMEL], 1)),
    "aliases": (Camel, CAMEL),
    "aliases of all kinds": (Aliased, Aliased(Both=1, written=2, Read=3)),
    "aliases for writing": (Generated, Generated(name="Ada")),
    "aliases in a dataclass": (Envelope, Envelope(CAMEL, [CAMEL])),
    "aliases in a list": (list[Camel], [CAMEL]),
    "aliases in a dict": (dict[str, Camel], {"a": CAMEL}),
    "aliases in anything": (dict[str, Any], {"a": CAMEL, "b": [CAMEL]}),
    "no type": (None, CAMEL),
    "no type, dict": (None, {"a": [CAMEL], "d": Decimal("1.5"), "t": timedelta(hours=1)}),
    "aliases in a batch": (
        BulkAnswer[Camel],
        BulkAnswer(1, 0, 0, [BulkItem(0, "a", 200, CAMEL, None)]),
    ),
    "recursive model": (Tree, Tree(name="a", children=[Tree(name="b")])),
    "recursive dataclass": (Chain, Chain("a", Chain("b"))),
    "scalars": (Scalars, Scalars()),
    "bytes": (dict[str, bytes], {"a": b"text"}),
    "timedelta": (list[timedelta], [timedelta(days=1, hours=2)]),
    "path": (list[Path], [Path("/a/b")]),
    "address": (IPv4Address, IPv4Address("127.0.0.1")),
    "named tuple": (Point, Point(1, 2)),
    "typed dict": (Movie, {"title": "M"}),
    "set": (set[int], {1}),
    "computed and serialized fields": (Rich, Rich(amount=2)),
    "dataclass of pydantic": (Checked, Checked(first_name="Ada")),
    "dataclass with pydantic's fields": (WithFields, WithFields("Ada")),
    "dataclass with slots": (Slotted, Slotted("Ada")),
    "root model": (RootModel[list[int]], RootModel[list[int]]([1])),
    "annotated": (Annotated[User, "note"], SUB),
    "text with braces": (User, User("{Ada}")),
    "text": (str, "text"),
    "text for a number": (list[int], ["1"]),
    "numbers for floats": (list[float], [1]),
    "numbers for optional floats": (list[float | None], [1, None]),
    "keys to convert": (dict[str, int], {"a": "1"}),
    "literal": (Literal["a"], "a"),
}
"""The declared types, and the results."""

WRONG = {
    "missing field": (User, {"password": "secret"}),
    "null for an object": (User, None),
    "another object": (User, Model(name="secret")),
    "number for a text": (list[str], [1]),
    "number for a key": (dict[str, int], {1: 1}),
    "text for an object": (list[User], ["secret"]),
    "two for one": (User, [SUB]),
    "another literal": (Literal["a"], "secret"),
    "another literal in a list": (list[Literal["a"] | None], [None, "secret"]),
    "another literal as a key": (dict[Literal["a"], int], {"secret": 1}),
    "no number": (list[Decimal], [Decimal("NaN")]),
}
"""Results that the declared type does not describe."""


@pytest.mark.mostly_slow
@pytest.mark.parametrize(("declared", "returned"), RETURNED.values(), ids=RETURNED)
async def test_declared_type_decides_what_is_sent(declared, returned):
    """Fields that the return type lacks are not sent; the others have their names in OpenAPI."""

    def declare(routes):
        async def x():
            return returned

        x.__annotations__ = {} if declared is None else {"return": declared}
        routes.get("/x")(x)
        return Ask(is_compiled=True)

    plain = await assert_alike(declare)

    assert "secret" not in plain.text


@pytest.mark.mostly_slow
@pytest.mark.parametrize(("declared", "returned"), RETURNED.values(), ids=RETURNED)
async def test_declared_type_decides_what_a_stream_sends(declared, returned):
    """Each line of a stream has the fields of its declared type."""
    if declared is None:
        return

    def declare(routes):
        async def x():
            yield returned
            yield returned

        x.__annotations__ = {"return": AsyncIterator[declared]}
        routes.stream("/x")(x)
        return Ask()

    await assert_alike(declare)


@pytest.mark.slow
@pytest.mark.parametrize(("declared", "returned"), RETURNED.values(), ids=RETURNED)
async def test_openapi_is_that_of_fastapi(declared, returned):
    """The schema of an answer, and of a line of a stream, is the one that FastAPI makes."""

    def declare(routes):
        async def x():
            return returned

        async def lines():
            yield returned

        x.__annotations__ = {} if declared is None else {"return": declared}
        lines.__annotations__ = {} if declared is None else {"return": AsyncIterator[declared]}
        routes.get("/x")(x)
        routes.stream("/lines")(lines)
        return Ask()

    schemas = []
    for way in ("plain FastAPI", "the fast path"):
        async with serving(way, declare) as (served, _):
            document = (await served.client.get("/openapi.json")).json()
        answer = document["paths"]["/x"]["get"]["responses"]["200"]["content"]
        [line] = document["paths"]["/lines"]["get"]["responses"]["200"]["content"].values()
        of_line = line.get("itemSchema", line.get("schema"))
        of_line.pop("title", None)
        of_all = document.get("components", {}).get("schemas", {})
        of_all = {name: one for name, one in of_all.items() if name not in SCHEMAS}
        for one in of_all.values():
            one.get("properties", {}).pop("problem", None)  # of an item of a batch
        schemas.append((answer["application/json"]["schema"], of_line, of_all))

    assert schemas[0] == schemas[1]


@pytest.mark.parametrize("declared", [list[int], Numbers])
async def test_iterator_is_read_once(declared):
    """A view may return a generator for a declared list; no value is lost."""

    def declare(routes):
        @routes.get("/x", response_model=declared)
        async def x() -> Any:
            numbers = (one for one in (1, 2, 3))
            return numbers if declared is not Numbers else Numbers(numbers)

        return Ask(is_compiled=True)

    plain = await assert_alike(declare)

    assert plain.status_code == 500 or "[1,2,3]" in plain.text


@pytest.mark.parametrize(("declared", "returned"), WRONG.values(), ids=WRONG)
async def test_result_of_another_type_is_an_error(declared, returned):
    """The result is not sent, and the error has our text."""

    def declare(routes):
        @routes.get("/x", response_model=declared)
        async def x():
            return returned

        return Ask(is_compiled=True)

    plain = await assert_alike(declare)
    ours = await answer_of("the fast path", declare)

    assert (plain.status_code, ours.status_code) == (500, 500)
    assert "secret" not in ours.text


@pytest.mark.mostly_slow
@pytest.mark.parametrize(("declared", "returned"), RETURNED.values(), ids=RETURNED)
async def test_response_model_overrides_the_return_type(declared, returned):
    """`response_model=` decides which fields are sent, whatever the return annotation is."""

    def declare(routes):
        @routes.get("/x", response_model=declared)
        async def x() -> dict[str, int]:
            return returned

        return Ask(is_compiled=True)

    await assert_alike(declare)
