"""In development a view whose result is not of its type is a 500 that names place and types."""

from collections.abc import AsyncIterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Generic, Literal, NamedTuple, TypeVar

import pytest
from fastapi import Query, Request
from msgspec import Struct
from pydantic import BaseModel, Field
from starlette.responses import PlainTextResponse, Response
from typing_extensions import TypedDict

from bff_core import ANYONE, Settings, Views, gateway
from bff_core.events import Events
from bff_core.observe.exceptions import described
from bff_core.testing import running

T = TypeVar("T")


@dataclass
class Item:
    """An item of a list."""

    name: str
    price: float


@dataclass
class Sale(Item):
    """A subclass with a further field."""

    before: float = 0.0


@dataclass(frozen=True, slots=True)
class Page:
    """A page with items."""

    items: Sequence[Item]
    by_name: Mapping[str, Item] = field(default_factory=dict)
    note: str | None = None
    made: int = field(init=False, default=1)


@dataclass
class Box(Generic[T]):
    """A box of anything."""

    inside: T


@dataclass
class Row:
    """Another class with the fields of an item."""

    name: str
    price: float


class Model(BaseModel):
    """A pydantic model, which validates itself."""

    price: float = Field(alias="listPrice", gt=0)


class Deal(Struct, rename="camel"):
    """A Struct."""

    list_price: int
    tags: list[str] = []


class Deals(Struct):
    """A Struct with Structs."""

    deals: list[Deal]


class Named(TypedDict):
    """A typed dictionary."""

    name: str


class Pair(NamedTuple):
    """A named tuple."""

    name: str
    count: int


@dataclass
class Counted:
    """A class that counts its objects."""

    made: list[int]

    def __post_init__(self) -> None:
        self.made.append(1)


class Paged(BaseModel, Generic[T]):
    """A generic model."""

    item: T


@dataclass
class Aliased:
    """A class whose field has another name in JSON."""

    a: Annotated[int, Field(alias="A")]


class Holder(Struct):
    """A Struct with a field for anything."""

    held: Any


def broken() -> Page:
    """Return a page without its items."""
    return Page.__new__(Page)


LAMP: Any = Item("lamp", 3)
WRONG: dict[str, tuple[Any, Any, str]] = {
    "scalar": (int, "7", "$: expected a valid integer, got str"),
    "boolean for a number": (int, True, "$: expected a valid integer, got bool"),
    "none": (str, None, "$: expected a valid string, got NoneType"),
    "something for none": (None, 1, "$: expected None, got int"),
    "field": (Item, Item("lamp", "3"), "$.price: expected a valid number, got str"),
    "nested": (
        Page,
        Page([LAMP, LAMP, LAMP, Item("lamp", None)]),
        "$.items[3].price: expected a valid number, got NoneType",
    ),
    "value of a mapping": (
        Page,
        Page([], {"lamp": Item(1, 2)}),
        "$.by_name.lamp.name: expected a valid string, got int",
    ),
    "key": (dict[str, int], {"a b": "x"}, "$['a b']: expected a valid integer, got str"),
    "optional": (Page, Page([], note=1), "$.note: expected a valid string, got int"),
    "list": (list[int], {1: 2}, "$: expected a valid list, got dict"),
    "another class": (list[Item], [Row("a", 1)], "$[0]: expected an instance of Item, got Row"),
    "dict for a dataclass": (Item, {"name": "a", "price": 1}, "$: expected an instance of Item"),
    "model": (list[Model], [{"listPrice": 1}], "$[0]: expected an instance of Model, got dict"),
    "missing field": (Page, broken(), "$: "),
    "typed dictionary": (Named, {"nam": "a"}, "$.name: expected a value, got nothing"),
    "union": (
        Item | Page,
        Item("lamp", "3"),
        "$.price: expected a valid number, got str",
    ),
    "no member of a union": (Item | int, 1.5, "$: expected an instance of Item or a valid integer"),
    "literal": (Literal["a", "b"], "c", "$: expected 'a' or 'b', got str"),
    "generic": (Box[int], Box("x"), "$.inside: expected a valid integer, got str"),
    "named tuple": (Pair, Pair("a", "b"), "$.count: expected a valid integer, got str"),
    "decimal for a float": (
        Item,
        Item("lamp", Decimal("1.5")),  # type: ignore[arg-type] # what is tested
        "$.price: expected a valid number, got Decimal",
    ),
    "item of a set": (AbstractSet[int], {"a"}, "expected a valid integer"),
    "list for a set": (set[int], [1], "$: expected a valid set, got list"),
    "item of a sequence": (Sequence[int], ("a",), "expected a valid integer, got str"),
    "string for a sequence": (Sequence[str], 7, "$: expected an instance of Sequence, got int"),
    "another generic model": (Paged[int], Model(listPrice=1), "$: expected an instance of Paged"),
    "field with an alias": (Aliased, Aliased("a"), "$.a: expected a valid integer, got str"),
    "struct with an object": (Holder, Holder(object()), "$: a view can't answer with object"),
    "struct": (Deal, Deal("7"), "$.listPrice: expected int, got str"),
    "struct in a struct": (
        Deals,
        Deals([Deal(1), Deal(2, ["a", 1])]),
        "$.deals[1].tags[1]: expected str, got int",
    ),
    "struct in a list": (list[Deal], [Item("a", 1)], "$[0]: object missing required field"),
}

RIGHT: dict[str, tuple[Any, Any]] = {
    "subclass": (list[Item], [Sale("lamp", 3, 4.0)]),
    "integer for a float": (Item, LAMP),
    "tuple for a sequence": (Page, Page((LAMP,), {"a": LAMP}, "note")),
    "model": (Model, Model(listPrice=2)),
    "struct": (Deals, Deals([Deal(1)])),
    "generic model": (Paged[int], Paged(item=1)),
    "field with an alias": (Aliased, Aliased(1)),
    "set for an abstract set": (AbstractSet[int], {1}),
    "range for a sequence": (Sequence[int], range(3)),
    "view of a mapping": (Mapping[str, int], MappingProxyType({"a": 1})),
    "model in a struct": (Holder, Holder([Model(listPrice=1), Path("a"), LAMP])),
    "anything": (Any, {"a": [1, None]}),
    "generic": (Box[Item], Box(LAMP)),
    "named tuple": (Pair, Pair("a", 1)),
    "alias": (Annotated[int, Query(gt=0)], 7),
}


@asynccontextmanager
async def serving(views: Views, **options: Any) -> AsyncIterator[Any]:
    """Run a gateway with these views, in development unless they say otherwise."""
    settings = Settings(**{"env": "development", "gc_freeze": False, **options})
    app = gateway("shop", faces=[views], settings=settings, events=Events())
    async with running(app) as client:
        yield client


def views_of(declared: Any, returned: Any) -> Views:
    """Return views that return a value, on the fast path, on the slow path and as a stream."""
    views = Views(access=ANYONE)

    async def fast():
        return returned

    async def slow(request: Request):
        del request
        return returned

    async def lines():
        yield returned

    for one in (fast, slow, lines):
        one.__qualname__ = one.__name__
    fast.__annotations__["return"] = slow.__annotations__["return"] = declared
    views.get("/fast")(fast)
    views.get("/slow")(slow)
    if declared is not None:
        lines.__annotations__["return"] = AsyncIterator[declared]
        views.stream("/lines")(lines)
    return views


@pytest.mark.parametrize("path", ["fast", "slow", "lines"])
@pytest.mark.parametrize(("declared", "returned", "expected"), WRONG.values(), ids=WRONG)
async def test_a_wrong_result_is_named(declared, returned, expected, path):
    """The error has the view, the path inside the value, what was expected and what was found."""
    if path == "lines" and declared is None:
        return
    async with serving(views_of(declared, returned)) as client:
        answer = await client.get(f"/{path}")

    kind = "stream lines yielded" if path == "lines" else f"view {path} returned"
    detail = answer.json()["detail"]
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert f"{kind} a value that is not of its type " in detail
    assert expected in detail


@pytest.mark.parametrize("path", ["fast", "slow", "lines"])
@pytest.mark.parametrize(("declared", "returned"), RIGHT.values(), ids=RIGHT)
async def test_a_right_result_is_sent(declared, returned, path):
    """Subclasses, and what type checkers take for the type, are no fault."""
    async with serving(views_of(declared, returned)) as client:
        answer = await client.get(f"/{path}")

    assert answer.status_code == 200


@pytest.mark.parametrize("path", ["fast", "slow"])
async def test_production_checks_nothing(path):
    """A subclass of a service's type does not cost a check, and a dict is filtered."""
    views = views_of(Item, {"name": "lamp", "price": "3"})
    async with serving(views, env="production", allowed_hosts="localhost") as client:
        answer = await client.get(f"/{path}")

    assert (answer.status_code, answer.json()) == (200, {"name": "lamp", "price": 3})
    assert [view.call is view.endpoint for _, _, view in views._views] == [True, True]
    assert [stream.call is stream.endpoint for stream in views._streams] == [True]


async def test_the_log_has_the_error():
    """It is a bug: the traceback is logged as for any other."""
    heard: list[Any] = []
    settings = Settings(env="development", gc_freeze=False)
    app = gateway(
        "shop", faces=[views_of(int, "7")], settings=settings, events=Events(heard.append)
    )
    async with running(app) as client:
        await client.get("/fast")

    [crashed] = [one for one in heard if type(one).__name__ == "Crashed"]
    assert "view fast returned a value that is not of its type int: $: " in str(crashed.error)


async def test_many_faults_are_counted():
    """The first three are named."""
    faulty = [Item(name, "x") for name in "abcde"]
    async with serving(views_of(list[Item], faulty)) as client:
        answer = await client.get("/fast")

    assert "$[2].price" in answer.json()["detail"]
    assert "$[3].price" not in answer.json()["detail"]
    assert answer.json()["detail"].endswith("; and 2 more")


async def test_no_value_is_in_the_error():
    """It may be personal data; the types are enough."""
    async with serving(views_of(list[Item], [Item("lamp", "4929-1234")])) as client:
        answer = await client.get("/fast")

    assert "4929" not in answer.text


async def test_responses_pass():
    """A view that returns a response decides itself, whatever its annotation."""
    async with serving(views_of(Item, PlainTextResponse("text"))) as client:
        answers = [await client.get(path) for path in ("/fast", "/slow")]

    assert [one.text for one in answers] == ["text", "text"]


async def test_the_response_model_of_an_option_converts():
    """With `response_model=` a view says that it returns something else than what is sent."""
    views = Views(access=ANYONE)

    @views.get("/item", response_model=Item)
    async def item() -> Any:
        return {"name": "lamp", "price": "3"}

    @views.get("/other", response_model=Item)
    async def other() -> Row:
        return {"name": "lamp", "price": "3"}  # type: ignore[return-value]

    async with serving(views) as client:
        answers = [await client.get(path) for path in ("/item", "/other")]

    assert [one.json() for one in answers] == [{"name": "lamp", "price": 3}] * 2


async def test_a_view_without_a_type_is_not_checked():
    """There is nothing to check it by."""
    views = Views(access=ANYONE)

    @views.get("/undeclared")
    async def undeclared():
        return {"anything": Row("a", 1)}

    @views.get("/response")
    async def response() -> Response:
        return PlainTextResponse("text")

    async with serving(views) as client:
        assert (await client.get("/undeclared")).status_code == 200
        assert (await client.get("/response")).text == "text"


async def test_the_check_makes_no_second_object():
    """A constructor may count, connect or register."""
    made: list[int] = []
    async with serving(views_of(Counted, Counted(made))) as client:
        assert (await client.get("/fast")).status_code == 200

    assert made == [1]


async def test_a_later_value_of_a_stream_cuts_it():
    """The lines before it have been sent; clients must not take them for all."""
    views, closed = Views(access=ANYONE), []

    @views.stream("/lines")
    async def lines() -> AsyncIterator[int]:
        try:
            yield 1
            yield "2"  # type: ignore[misc]
        finally:
            closed.append(True)

    heard: list[Any] = []
    settings = Settings(env="development", gc_freeze=False)
    app = gateway("shop", faces=[views], settings=settings, events=Events(heard.append))
    async with running(app) as client:
        with suppress(Exception):  # an aborted answer
            await client.get("/lines")

    assert closed == [True]
    [crashed] = [one for one in heard if type(one).__name__ == "Crashed"]
    assert described(crashed.error).startswith("WrongResult: stream ")


async def test_lines_of_parts_are_checked_as_well():
    """A progressive answer has the same error in its last line."""
    async with serving(views_of(Item, Row("a", 1))) as client:
        answer = await client.get("/fast", headers={"accept": "application/x-ndjson"})

    assert "expected an instance of Item, got Row" in answer.text
