"""`true` in a body is a boolean, and never a number."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from enum import Enum, IntEnum
from typing import Annotated, Any, Generic, Literal, NamedTuple, TypeVar

import pytest
from fastapi import APIRouter, Body, Depends
from pydantic import AliasChoices, AliasPath, BaseModel, ByteSize, ConfigDict, Field, RootModel
from pydantic.dataclasses import dataclass as pydantic_dataclass
from typing_extensions import TypedDict

from bff_core import Settings, gateway
from bff_core.rest.views import Views
from tests.shop_with_view_cache import client_of

T = TypeVar("T")


class Level(IntEnum):
    """Numbers."""

    LOW = 1


class Kind(Enum):
    """Values that are numbers."""

    ONE = 1


class Switch(Enum):
    """A value that is a boolean."""

    ON = True


class Word(Enum):
    """Values that are text."""

    ONE = "1"


class Model(BaseModel):
    """A number."""

    n: int


class Flagged(BaseModel):
    """A boolean."""

    n: bool


class Tree(BaseModel):
    """Itself, nested."""

    n: int = 0
    trees: list["Tree"] = []


class Aliased(BaseModel):
    """By name or alias."""

    model_config = ConfigDict(populate_by_name=True)
    n: int = Field(alias="N")


class Chosen(BaseModel):
    """By one of several places."""

    n: int = Field(validation_alias=AliasChoices("a", AliasPath("b", 0)))


class Extra(BaseModel):
    """Fields without a declaration."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, int]


class Root(RootModel[list[int]]):
    """A list."""


class Box(BaseModel, Generic[T]):
    """Whatever it is given."""

    item: T


class Left(BaseModel):
    """One of two."""

    kind: Literal["left"]
    n: int


class Right(BaseModel):
    """The other one."""

    kind: Literal["right"]
    n: bool


@dataclass
class Plain:
    """A dataclass."""

    n: int
    inner: list[Model]


@pydantic_dataclass
class Rich:
    """One of pydantic's."""

    n: float


class Named(BaseModel):
    """Fields with names that pydantic's schemas have as well."""

    type: int
    config: int = 0


class Dict(TypedDict):
    """A dictionary."""

    n: int


class Pair(NamedTuple):
    """A tuple."""

    n: int
    m: str


Tagged = Annotated[Left | Right, Field(discriminator="kind")]

REFUSED: list[tuple[Any, Any]] = [
    *((int, True), (int, False), (float, True), (Decimal, True), (int | None, True)),
    *((int | str, True), (float | int, True), (complex, True), (timedelta, True), (ByteSize, True)),
    *((Annotated[int, Field(ge=0)], True), (Annotated[float, Field(gt=0)], True)),
    *((Level, True), (Kind, True), (Literal[1, 2], True), (Word, True), (Literal["1"], True)),
    *((list[int], [1, True]), (set[int], [True]), (tuple[int, str], [True, "a"])),
    *(
        (tuple[int, ...], [1, False]),
        (dict[str, int], {"a": True}),
        (dict[str, list[int]], {"a": [True]}),
    ),
    *(
        (Model, {"n": True}),
        (list[Model], [{"n": 1}, {"n": True}]),
        (dict[str, Model], {"a": {"n": True}}),
    ),
    *((Tree, {"trees": [{"trees": [{"n": True}]}]}), (Box[int], {"item": True})),
    *(
        (Aliased, {"N": True}),
        (Aliased, {"n": True}),
        (Chosen, {"a": True}),
        (Chosen, {"b": [True]}),
    ),
    *((Named, {"type": True}), (Named, {"type": 1, "config": True})),
    *((Extra, {"x": True}), (Root, [True]), (Box[Model], {"item": {"n": True}})),
    *((Plain, {"n": True, "inner": []}), (Plain, {"n": 1, "inner": [{"n": True}]})),
    *((Rich, {"n": True}), (Dict, {"n": True}), (Pair, {"n": True, "m": "a"})),
    *(
        (Tagged, {"kind": "left", "n": True}),
        (Model | str, {"n": True}),
        (Model | None, {"n": True}),
    ),
]
TAKEN: list[tuple[Any, Any]] = [
    *((bool, True), (bool | int, True), (int | bool, False), (Any, True), (dict, {"a": True})),
    *((Switch, True), (Literal[1, True], True), (list[bool], [True]), (Flagged, {"n": True})),
    *(
        (Tagged, {"kind": "right", "n": True}),
        (Model | Flagged, {"n": True}),
        (Box[Any], {"item": True}),
    ),
    *((int, 1), (int, 0), (int, "1"), (int, 1.0), (float, 1), (float, "1.5"), (Decimal, "1")),
    *((int | str, 1), (int | str, "1"), (Level, 1), (Kind, 1), (timedelta, 1), (Literal[1], 1)),
    *((Model, {"n": "7"}), (Tree, {"n": 1, "trees": [{}]}), (Aliased, {"n": 1}), (Root, [1])),
    *((Plain, {"n": 1, "inner": [{"n": 2}]}), (Extra, {"x": 1}), (Pair, {"n": 1, "m": "a"})),
]


def served_by(kind: Any):
    """Return a gateway that takes a body of some type on every kind of route."""
    views, router, inner = Views(prefix="/views"), APIRouter(prefix="/router"), APIRouter()
    Sent = Annotated[kind, Body()]  # noqa: N806 # a type

    async def take(body: Sent) -> None:
        del body

    async def take_two(first: Sent, second: Sent) -> None:
        del first, second

    async def embedded(body: Annotated[kind, Body(embed=True)]) -> None:
        del body

    async def depends(_: Annotated[None, Depends(take)]) -> None:
        return

    for way, handler in (("", take), ("/two", take_two), ("/in", embedded), ("/by", depends)):
        views.post(f"/x{way}")(handler)
        router.put(f"/x{way}")(handler)
        inner.post(f"/x{way}")(handler)
    router.include_router(inner, prefix="/inner")
    settings = Settings(env="development", log="off", gc_freeze=False)
    app = gateway("strict", settings=settings, faces=[views])
    app.include_router(router)
    app.post("/app/x")(take)
    return app


def ways_of(value: Any) -> Iterator[tuple[str, str, Any]]:
    """Yield requests that send a value to each kind of route."""
    yield "POST", "/app/x", value
    for method, prefix in (("POST", "/views"), ("PUT", "/router"), ("POST", "/router/inner")):
        yield method, f"{prefix}/x", value
        yield method, f"{prefix}/x/by", value
        yield method, f"{prefix}/x/in", {"body": value}
        yield method, f"{prefix}/x/two", {"first": value, "second": value}


@pytest.mark.mostly_slow
@pytest.mark.parametrize(("kind", "value"), REFUSED)
async def test_a_boolean_is_no_number(kind, value):
    """It is a 422 however it is nested, in views, routes, included routers and dependencies."""
    async with client_of(served_by(kind)) as client:
        answers = [await client.request(*one[:2], json=one[2]) for one in ways_of(value)]

    assert {answer.status_code for answer in answers} == {422}


@pytest.mark.mostly_slow
@pytest.mark.parametrize(("kind", "value"), TAKEN)
async def test_other_conversions_of_fastapi_are_the_same(kind, value):
    """Booleans are accepted as booleans, and numbers in all forms that FastAPI accepts."""
    async with client_of(served_by(kind)) as client:
        answers = [await client.request(*one[:2], json=one[2]) for one in ways_of(value)]

    assert {answer.status_code for answer in answers} <= {200, 204}


@pytest.mark.mostly_slow
@pytest.mark.parametrize(
    ("kind", "value", "errors"),
    [
        (dict[str, list[int]], {"a": [1, True], "b": 1}, {"/a/1": "int_type", "/b": "list_type"}),
        (list[Model], [{"n": False}, {}], {"/0/n": "int_type", "/1/n": "missing"}),
        (int | str, True, {"/int": "int_type", "/str": "string_type"}),
        (float, True, {"": "float_type"}),
        (Literal[1, 2], True, {"": "literal_error"}),
        (Level, True, {"": "enum"}),
        (timedelta, True, {"": "time_delta_type"}),
    ],
)
async def test_the_error_has_place_and_reason(kind, value, errors):
    """It has the form of other validation errors, and is listed beside them."""
    async with client_of(served_by(kind)) as client:
        answer = await client.post("/app/x", json=value)

    assert {one["pointer"]: one["type"] for one in answer.json()["errors"]} == errors
