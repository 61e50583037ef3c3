"""`Views(case="camel")`: names in camelCase in answers, inputs and OpenAPI."""

import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from functools import cache, partial
from typing import Annotated, Any, Generic, Literal, TypeVar
from uuid import UUID

import httpx
import jsonschema
import pytest
from fastapi import Body, Cookie, Depends, File, Form, Header, Query, UploadFile
from fastapi.responses import JSONResponse
from msgspec import UNSET, Struct, UnsetType
from msgspec import field as struct_field
from openapi_spec_validator import validate
from pydantic import BaseModel, ConfigDict, Field, computed_field
from pydantic.alias_generators import to_camel
from typing_extensions import TypedDict

from bff_core import (
    ANYONE,
    BulkAnswer,
    Composition,
    ConfigurationError,
    Views,
    bulk,
    bulk_answer,
    compose,
    critical,
    early,
    optional,
)
from tests.rest.conformance.three_ways import Ask, gateway_of, is_compiled

T = TypeVar("T")


class Kind(Enum):
    """A value that is no name."""

    IN_STOCK = "in_stock"


@dataclass(frozen=True, slots=True)
class Money:
    """A class without a name to change."""

    amount: int


@dataclass(frozen=True, slots=True)
class Card:
    """A class with names to change."""

    long_title: str
    list_price: Money | None
    stock_kind: Kind = Kind.IN_STOCK


@dataclass
class Home:
    """A class that holds others."""

    first_card: Card
    all_cards: Sequence[Card]
    by_sku: Mapping[str, Card]
    free_form: dict[str, Any]
    placed_at: datetime | None = None
    unit_id: UUID | None = None
    exact_sum: Decimal | None = None


@dataclass
class Boxed(Generic[T]):
    """A generic class."""

    the_item: T


@dataclass
class Tree:
    """A class that holds itself."""

    node_name: str
    sub_trees: list["Tree"] = field(default_factory=list)


@dataclass
class Left:
    """A class of a union."""

    left_side: int


@dataclass
class Right:
    """Another class of a union."""

    right_side: int


class Profile(BaseModel):
    """A model with names to change, one that the author chose, and one that is computed."""

    first_name: str
    nick_name: str = Field(alias="nick_of")
    last_card: Card

    @computed_field  # type: ignore[prop-decorator]
    @property
    def full_name(self) -> str:
        return f"{self.first_name} B."


class Cased(BaseModel):
    """A model that has its own names."""

    model_config = ConfigDict(alias_generator=lambda name: name.upper(), populate_by_name=True)

    first_name: str


class Deal(Struct, tag="deal_of"):
    """A Struct with names to change."""

    list_price: int
    end_date: str | UnsetType = UNSET
    own_name: int = struct_field(default=3, name="own_name_2")


class Gift(Struct, tag="gift_of", tag_field="gift_kind"):
    """A Struct whose author chose the name of the tag."""

    gift_name: str


class Offer(Struct, omit_defaults=True):
    """A Struct that holds others."""

    best_deal: Deal
    other_deals: list[Deal] = []
    seen_at: datetime | None = None


class Typed(TypedDict):
    """A dictionary whose keys are declared."""

    first_name: str


CARD = Card("A tent", Money(7))
SHOWN = {"longTitle": "A tent", "listPrice": {"amount": 7}, "stockKind": "in_stock"}
NOW = datetime(2026, 11, 29, 9, 30, tzinfo=UTC)
ID = UUID("6ba7b810-9dad-11d1-80b4-00c04fd430c8")
HOME = Home(
    CARD,
    [CARD],
    {"red_one": CARD},
    {"as_it_is": {"a_b": 1}},
    NOW,
    ID,
    Decimal("1.50"),
)
SHOWN_HOME = {
    "firstCard": SHOWN,
    "allCards": [SHOWN],
    "bySku": {"red_one": SHOWN},
    "freeForm": {"as_it_is": {"a_b": 1}},
    "placedAt": "2026-11-29T09:30:00Z",
    "unitId": str(ID),
    "exactSum": "1.50",
}
PROFILE = Profile(first_name="Ada", nick_of="A", last_card=CARD)

ANSWERS: dict[str, tuple[Any, Any, Any]] = {
    "dataclass": (Home, HOME, SHOWN_HOME),
    "nothing to change": (Money, Money(7), {"amount": 7}),
    "list": (list[Card], [CARD], [SHOWN]),
    "dictionary": (dict[str, Card], {"red_one": CARD}, {"red_one": SHOWN}),
    "generic": (Boxed[Card], Boxed(CARD), {"theItem": SHOWN}),
    "nested generic": (Boxed[Boxed[int]], Boxed(Boxed(7)), {"theItem": {"theItem": 7}}),
    "itself": (
        Tree,
        Tree("a", [Tree("b")]),
        {"nodeName": "a", "subTrees": [{"nodeName": "b", "subTrees": []}]},
    ),
    "union": (list[Left | Right], [Left(1), Right(2)], [{"leftSide": 1}, {"rightSide": 2}]),
    "optional": (Card | None, None, None),
    "model": (
        Profile,
        PROFILE,
        {"firstName": "Ada", "nick_of": "A", "lastCard": SHOWN, "fullName": "Ada B."},
    ),
    "model with names of its own": (Cased, Cased(FIRST_NAME="Ada"), {"FIRST_NAME": "Ada"}),
    "dataclass with a model": (Boxed[Profile], Boxed(PROFILE), None),
    "Struct": (
        Offer,
        Offer(Deal(7), [Deal(8, "now")], NOW),
        {
            "bestDeal": {"type": "deal_of", "listPrice": 7, "own_name_2": 3},
            "otherDeals": [{"type": "deal_of", "listPrice": 8, "endDate": "now", "own_name_2": 3}],
            "seenAt": "2026-11-29T09:30:00Z",
        },
    ),
    "Struct without its defaults": (
        Offer,
        Offer(Deal(7)),
        {"bestDeal": {"type": "deal_of", "listPrice": 7, "own_name_2": 3}},
    ),
    "Struct with a tag of its own": (
        Gift,
        Gift("rope"),
        {"gift_kind": "gift_of", "giftName": "rope"},
    ),
    "dataclass with Structs": (
        Boxed[list[Gift]],
        Boxed([Gift("rope")]),
        {"theItem": [{"gift_kind": "gift_of", "giftName": "rope"}]},
    ),
    "declared keys": (Typed, {"first_name": "Ada"}, {"firstName": "Ada"}),
    "dictionary for a class": (Card, {"long_title": "A tent", "list_price": None}, None),
    "values of other types": (Card, Card(7, None), None),  # type: ignore[arg-type] # no check
}


@asynccontextmanager
async def served(
    made: Views | Callable[[], Views], way: str = ""
) -> AsyncIterator[tuple[Any, httpx.AsyncClient]]:
    """Serve views on one of their ways; those of a function are made once."""
    app = app_of(made, way) if isinstance(made, Views) else made_once(made, way)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://testserver") as client,
    ):
        yield app, client


def app_of(views: Views, way: str) -> Any:
    app = gateway_of(views, [])
    if way == "the slow path":
        app.add_middleware(lambda app: app)
    return app


@cache
def made_once(make: Callable[[], Views], way: str) -> Any:
    return app_of(make(), way)


BOTH_WAYS = pytest.mark.parametrize("way", ["the fast path", "the slow path"])


def answering(declared: Any, value: object, **options: Any) -> Views:
    """Return views in camelCase and without, each with one view that answers with a value."""

    async def show() -> Any:
        return value

    show.__annotations__["return"] = declared
    views = Views(access=ANYONE, case="camel")
    views.get("/x", **options)(show)
    return views


def camelised(plain: Any) -> Any:
    """Return plain JSON with the names in camelCase, for values without data as keys."""
    if isinstance(plain, list):
        return [camelised(one) for one in plain]
    if isinstance(plain, dict):
        chosen = {"nick_of"}
        return {
            name if name in chosen else to_camel(name): camelised(one)
            for name, one in plain.items()
        }
    return plain


@BOTH_WAYS
@pytest.mark.parametrize("name", ANSWERS)
async def test_fields_of_an_answer_are_in_camel_case(way, name):
    """Nested classes too; keys that are data, values and names that an author chose stay."""
    declared, value, expected = ANSWERS[name]

    async with served(answering(declared, value), way) as (app, client):
        if way == "the fast path":
            assert is_compiled(app, Ask())
        answer = await client.get("/x")
    if expected is None:
        plain = Views(access=ANYONE)
        plain.get("/x")(answering_function(declared, value))
        async with served(plain, way) as (_, client):
            expected = camelised((await client.get("/x")).json())

    assert answer.status_code == 200
    assert answer.json() == expected


def answering_function(declared: Any, value: object) -> Callable[..., Any]:
    async def show() -> Any:
        return value

    show.__annotations__["return"] = declared
    return show


@pytest.mark.parametrize("name", [one for one in ANSWERS if one != "values of other types"])
async def test_answers_fit_their_documented_schema(name):
    """OpenAPI has the names that are sent, and requires the same fields as without a case."""
    declared, value, _ = ANSWERS[name]
    async with served(answering(declared, value)) as (app, client):
        answer = await client.get("/x")
        document = app.openapi()

    validate(document)
    schema = document["paths"]["/x"]["get"]["responses"]["200"]["content"]["application/json"]
    whole = schema["schema"] | {"components": document["components"]}

    jsonschema.validate(answer.json(), whole)
    if declared is Home:
        found = document["components"]["schemas"]["Home"]
        assert found["required"] == ["firstCard", "allCards", "bySku", "freeForm"]


@dataclass(frozen=True, slots=True)
class Wider(Card):
    """A class with a field that the view does not declare."""

    secret_key: str = "hidden"


async def test_undeclared_fields_are_not_sent():
    """A subclass exposes no more fields than without a case."""
    async with served(answering(list[Card], [Wider("A tent", None)])) as (_, client):
        answer = await client.get("/x")

    assert answer.json() == [{"longTitle": "A tent", "listPrice": None, "stockKind": "in_stock"}]


@pytest.mark.parametrize(
    ("declared", "value"),
    [(Card, {"long_title": 7}), (Boxed[float], Boxed(float("nan"))), (list[Card], 7)],
)
async def test_answer_that_does_not_fit_is_an_error(declared, value):
    """As without a case."""
    async with served(answering(declared, value)) as (_, client):
        answer = await client.get("/x")

    assert answer.status_code == 500


async def test_answer_that_was_not_awaited_is_explained():
    """The error says what to await, as without a case."""

    async def price() -> int:
        return 7

    heard: list[Any] = []
    app = gateway_of(answering(Boxed[int], Boxed(price())), heard)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://testserver") as client,
    ):
        answer = await client.get("/x")

    assert answer.status_code == 500
    assert "await it" in str(heard)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"response_model_include": {"long_title"}}, {"longTitle": "A tent"}),
        (
            {"response_model_exclude_none": True, "response_model_exclude": {"stock_kind"}},
            {"longTitle": "A tent", "listPrice": {"amount": 7}},
        ),
        ({"response_class": JSONResponse}, SHOWN),
    ],
)
@BOTH_WAYS
async def test_options_of_answers_work(way, options, expected):
    """Their names are those in Python, as in FastAPI."""
    async with served(answering(Card, CARD, **options), way) as (_, client):
        answer = await client.get("/x")

    assert answer.json() == expected


@dataclass
class Line:
    """A body with names to change."""

    sku_code: str
    line_quantity: Annotated[int, Field(ge=1, le=9)] = 1


@dataclass
class Order:
    """A body that holds others."""

    order_lines: Annotated[list[Line], Field(max_length=2)]
    free_form: dict[str, int] = field(default_factory=dict)


class ModelLine(BaseModel):
    """A model as a body, nested in another."""

    sku_code: str
    own_name: str = Field("", alias="own_name_2")


class ModelOrder(BaseModel):
    """A model whose nested model has a validator already."""

    first_line: ModelLine


class StructLine(Struct, rename={"own_name": "own_name_2"}):
    """A Struct as a body."""

    sku_code: str
    own_name: str = ""


class Desk(Composition):
    """A screen with inputs to rename."""

    shop_id: str
    page_size: Annotated[int, Query(le=50)] = 10
    sort_words: Annotated[list[str], Query()] = field(default_factory=list)
    x_language: Annotated[str, Header()] = "en"
    dark_theme: Annotated[str, Cookie()] = "no"
    own_name: Annotated[str, Query(alias="own_name_2")] = ""

    def found(self) -> dict[str, Any]:
        return {
            "shop": self.shop_id,
            "size": self.page_size,
            "words": self.sort_words,
            "language": self.x_language,
            "theme": self.dark_theme,
            "own": self.own_name,
        }


class Fast(Composition):
    """A screen whose inputs the fast path reads."""

    shop_id: str
    page_size: Annotated[int, Query(le=50)] = 10


class OrderDesk(Composition):
    """A screen with a body, and a value beside it."""

    new_order: Order
    method_id: Annotated[str, Body(max_length=5)] = "card"


class EmbeddedDesk(Composition):
    """A screen with one embedded value."""

    method_id: Annotated[str, Body(embed=True, max_length=5)]


class Cat(BaseModel):
    """A class of a union that a field decides."""

    pet_kind: Literal["cat"]
    nine_lives: int = 9


class Dog(BaseModel):
    """Another class of it."""

    pet_kind: Literal["dog"]
    good_dog: bool = True


class Owner(BaseModel):
    """A model with such a union."""

    first_pet: Annotated[Cat | Dog, Field(discriminator="pet_kind")]


class Filters(BaseModel):
    """A model of query parameters."""

    first_word: str = ""
    all_words: list[str] = []


def inputs() -> Views:  # noqa: C901 - a list of views, none of them complex
    """Return views with inputs of each kind."""
    views = Views(access=ANYONE, case="camel")

    @views.get("/{shop_id}/desk")
    async def get_desk(desk: Desk) -> dict[str, Any]:
        return desk.found()

    @views.get("/{shop_id}/fast")
    async def get_fast(fast: Fast, last_page: int, other_page: int = Query(3)) -> list[Any]:
        return [fast.shop_id, fast.page_size, last_page, other_page]

    @views.post("/n/order")
    async def post_order(order: Order) -> Order:
        return order

    @views.put("/n/order")
    async def put_order(desk: OrderDesk) -> list[Any]:
        return [type(desk.new_order).__name__, asdict(desk.new_order), desk.method_id]

    @views.patch("/n/method")
    async def patch_method(desk: EmbeddedDesk) -> str:
        return desk.method_id

    @views.post("/n/model")
    async def post_model(order: ModelOrder) -> ModelOrder:
        return order

    @views.post("/n/struct")
    async def post_struct(line: StructLine) -> StructLine:
        return line

    @views.post("/n/lines")
    async def post_lines(lines: list[Line]) -> list[Line]:
        return lines

    @views.post("/n/pet")
    async def post_pet(
        pet: Annotated[Cat | Dog, Body(discriminator="pet_kind")],
    ) -> Annotated[Cat | Dog, Field(discriminator="pet_kind")]:
        return pet

    @views.post("/n/owner")
    async def post_owner(owner: Owner) -> Owner:
        return owner

    @views.post("/n/old-style")
    async def post_old(
        new_order: Order = Body(embed=True),  # noqa: B008 # how FastAPI was written once
        other_line: Line = Body(alias="one_line"),  # noqa: B008 # likewise
        page_size: int = Query(3, ge=1),
    ) -> list[Any]:
        return [new_order.order_lines[0].sku_code, other_line.sku_code, page_size]

    @views.post("/n/form")
    async def post_form(
        sku_code: Annotated[str, Form()], product_picture: Annotated[UploadFile, File()]
    ) -> list[Any]:
        return [sku_code, (await product_picture.read()).decode()]

    @views.post("/n/form-model")
    async def post_form_model(filters: Annotated[Filters, Form()]) -> Filters:
        return filters

    @views.get("/n/filters")
    async def get_filters(filters: Annotated[Filters, Query()]) -> Filters:
        return filters

    return views


def sent(body: Any) -> dict[str, Any]:
    return {"json": body}


LINES = [{"skuCode": "tent", "lineQuantity": 2}]

ACCEPTED: dict[str, tuple[Ask, Any]] = {
    "query, header and cookie": (
        Ask(
            "/north/desk?pageSize=3&sortWords=a&sortWords=b&own_name_2=me",
            options={"headers": {"x-language": "de", "cookie": "dark_theme=yes"}},
        ),
        {
            "shop": "north",
            "size": 3,
            "words": ["a", "b"],
            "language": "de",
            "theme": "yes",
            "own": "me",
        },
    ),
    "defaults": (
        Ask("/north/desk"),
        {"shop": "north", "size": 10, "words": [], "language": "en", "theme": "no", "own": ""},
    ),
    "the fast path": (
        Ask("/north/fast?pageSize=3&lastPage=4&otherPage=5", is_compiled=True),
        ["north", 3, 4, 5],
    ),
    "defaults of the fast path": (
        Ask("/north/fast?lastPage=4", is_compiled=True),
        ["north", 10, 4, 3],
    ),
    "body": (
        Ask("/n/order", "POST", options=sent({"orderLines": LINES, "freeForm": {"a_b": 1}})),
        {"orderLines": LINES, "freeForm": {"a_b": 1}},
    ),
    "body of a screen": (
        Ask("/n/order", "PUT", options=sent({"newOrder": {"orderLines": LINES}, "methodId": "x"})),
        [
            "Order",
            {"order_lines": [{"sku_code": "tent", "line_quantity": 2}], "free_form": {}},
            "x",
        ],
    ),
    "embedded value": (Ask("/n/method", "PATCH", options=sent({"methodId": "x"})), "x"),
    "model": (
        Ask(
            "/n/model",
            "POST",
            options=sent({"firstLine": {"skuCode": "tent", "own_name_2": "me"}}),
        ),
        {"firstLine": {"skuCode": "tent", "own_name_2": "me"}},
    ),
    "Struct": (
        Ask("/n/struct", "POST", options=sent({"skuCode": "tent", "own_name_2": "me"})),
        {"skuCode": "tent", "own_name_2": "me"},
    ),
    "tagged union": (
        Ask("/n/pet", "POST", options=sent({"petKind": "cat", "nineLives": 3})),
        {"petKind": "cat", "nineLives": 3},
    ),
    "tagged union in a model": (
        Ask("/n/owner", "POST", options=sent({"firstPet": {"petKind": "dog", "goodDog": False}})),
        {"firstPet": {"petKind": "dog", "goodDog": False}},
    ),
    "values of FastAPI as defaults": (
        Ask(
            "/n/old-style?pageSize=4",
            "POST",
            options=sent({"newOrder": {"orderLines": LINES}, "one_line": {"skuCode": "a"}}),
        ),
        ["tent", "a", 4],
    ),
    "list": (Ask("/n/lines", "POST", options=sent(LINES)), LINES),
    "form": (
        Ask(
            "/n/form",
            "POST",
            options={"data": {"skuCode": "tent"}, "files": {"productPicture": b"pixels"}},
        ),
        ["tent", "pixels"],
    ),
    "model of a form": (
        Ask("/n/form-model", "POST", options={"data": {"firstWord": "a", "allWords": ["b", "c"]}}),
        {"firstWord": "a", "allWords": ["b", "c"]},
    ),
    "model of a query": (
        Ask("/n/filters?firstWord=a&allWords=b&allWords=c"),
        {"firstWord": "a", "allWords": ["b", "c"]},
    ),
}


@BOTH_WAYS
@pytest.mark.parametrize("name", ACCEPTED)
async def test_inputs_are_in_camel_case(way, name):
    """Queries, forms and bodies; paths, headers, cookies and chosen names stay."""
    ask, expected = ACCEPTED[name]

    async with served(inputs, way) as (app, client):
        if way == "the fast path":
            assert is_compiled(app, ask) == ask.is_compiled
        answer = await client.request(ask.method, ask.path, **ask.options)

    assert (answer.status_code, answer.json()) == (200, expected)


REFUSED: dict[str, tuple[Ask, tuple[str, str]]] = {
    "query": (Ask("/n/fast?pageSize=51&lastPage=1"), ("query", "/pageSize")),
    "missing query": (Ask("/n/fast"), ("query", "/lastPage")),
    "name in Python": (Ask("/n/fast?last_page=1"), ("query", "/lastPage")),
    "field": (
        Ask(
            "/n/order", "POST", options=sent({"orderLines": [{"skuCode": "a", "lineQuantity": 0}]})
        ),
        ("body", "/orderLines/0/lineQuantity"),
    ),
    "missing field": (
        Ask("/n/order", "POST", options=sent({"orderLines": [{"sku_code": "a"}]})),
        ("body", "/orderLines/0/skuCode"),
    ),
    "too many": (
        Ask("/n/order", "POST", options=sent({"orderLines": [LINES[0]] * 3})),
        ("body", "/orderLines"),
    ),
    "boolean": (
        Ask("/n/lines", "POST", options=sent([{"skuCode": "a", "lineQuantity": True}])),
        ("body", "/0/lineQuantity"),
    ),
    "nested model": (
        Ask("/n/model", "POST", options=sent({"firstLine": {"sku_code": "a"}})),
        ("body", "/firstLine/skuCode"),
    ),
    "value beside a body": (
        Ask(
            "/n/order",
            "PUT",
            options=sent({"newOrder": {"orderLines": []}, "methodId": "too long"}),
        ),
        ("body", "/methodId"),
    ),
    "body of a screen": (
        Ask("/n/order", "PUT", options=sent({"newOrder": {}})),
        ("body", "/newOrder/orderLines"),
    ),
}


@BOTH_WAYS
@pytest.mark.parametrize("name", REFUSED)
async def test_errors_have_the_names_that_clients_send(way, name):
    """A pointer in a 422 leads into the body that the client sent."""
    ask, expected = REFUSED[name]

    async with served(inputs, way) as (_, client):
        answer = await client.request(ask.method, ask.path, **ask.options)

    assert answer.status_code == 422
    first = answer.json()["errors"][0]
    assert (first["in"], first["pointer"]) == expected


async def test_inputs_are_documented_in_camel_case():
    """OpenAPI has the names, bounds and required fields of parameters and bodies."""
    async with served(inputs) as (app, _):
        document = app.openapi()

    validate(document)
    paths, schemas = document["paths"], document["components"]["schemas"]
    desk = {(one["in"], one["name"]) for one in paths["/{shop_id}/desk"]["get"]["parameters"]}
    assert desk == {
        ("path", "shop_id"),
        ("query", "pageSize"),
        ("query", "sortWords"),
        ("query", "own_name_2"),
        ("query", "_meta"),
        ("header", "x-language"),
        ("cookie", "dark_theme"),
    }
    filters = {one["name"] for one in paths["/n/filters"]["get"]["parameters"]}
    assert filters >= {"firstWord", "allWords"}
    order = schemas["Order"]
    assert order["required"] == ["orderLines"]
    assert order["properties"]["orderLines"]["maxItems"] == 2
    assert schemas["Line"]["properties"]["lineQuantity"]["maximum"] == 9
    assert set(schemas["StructLine"]["properties"]) == {"skuCode", "own_name_2"}
    assert schemas["Owner"]["properties"]["firstPet"]["discriminator"]["propertyName"] == "petKind"
    whole = json.dumps(document)
    for name in ("sku_code", "order_lines", "page_size", "method_id", "new_order", "first_word"):
        assert f'"{name}"' not in whole


@dataclass
class Trip:
    """A class whose fields have titles."""

    trip_name: str
    max_stops: int | None
    first_card: Card
    own_title: Annotated[int, Field(title="Mine")] = 1


async def test_titles_are_those_of_the_names_in_python():
    """`tripName` is "Trip Name", as without a case; classes and authors have their own titles."""
    documents = []
    for case in (None, "camel"):
        views = Views(access=ANYONE, case=case)

        @views.post("/trips")
        async def add(
            trip: Trip,
            max_stops: int = 3,
            trip_name: Annotated[str, Query(title="Name")] = "",
            stock_kind: Kind = Kind.IN_STOCK,
            page_size: int = Query(3),
        ) -> Trip:
            del max_stops, trip_name, stock_kind, page_size
            return trip

        async with served(views) as (app, _):
            documents.append(app.openapi())
    plain, renamed = documents

    def titles(document: Any) -> list[Any]:
        parameters = document["paths"]["/trips"]["post"]["parameters"]
        fields = document["components"]["schemas"]["Trip"]["properties"].values()
        return [*(one["schema"].get("title") for one in parameters), *map(str, fields)]

    assert titles(plain) == titles(renamed)
    assert {"Max Stops", "Name", "Page Size"} <= set(titles(plain)[:5])


class Shelf(Composition):
    """A screen with parts."""

    @critical
    async def first_card(self) -> Card:
        return CARD

    @optional
    async def all_cards(self) -> list[Card]:
        raise RuntimeError


def early_card(card: Card, _: Shelf) -> dict[str, object]:
    return {"first_card": card, "unknown_name": {"a_b": 1}}


def early_cards(cards: list[Card] | None, _: Shelf) -> Boxed[list[Card]]:
    return Boxed(cards or [])


class Items(Composition):
    """A screen with a bulk write."""

    @bulk(key=lambda line: line.sku_code, most=5)
    async def put(self, line: Line) -> Line:
        if line.line_quantity == 9:
            raise ValueError
        return line


def screens() -> Views:
    """Return views with a progressive answer, a stream and a bulk write."""
    views = Views(access=ANYONE, case="camel")

    @views.get(
        "/home",
        meta=True,
        progressive=[early(Shelf.first_card, early_card), early(Shelf.all_cards, early_cards)],
    )
    async def get_home(shelf: Shelf) -> Home:
        cards = await shelf.all_cards()
        return Home(await shelf.first_card(), cards or [], {}, {})

    @views.stream("/cards")
    async def stream_cards(shelf: Shelf) -> AsyncIterator[Card]:
        yield await shelf.first_card()
        yield Wider("A sock", None)

    @views.post("/lines", status=207)
    async def post_lines(lines: list[Line], items: Items) -> BulkAnswer[Line]:
        return bulk_answer(await items.put(lines), lambda line: line)

    return views


@BOTH_WAYS
async def test_names_of_parts_and_problems_stay(way):
    """`_meta.parts`, `Part-Status` and problem details have the names that they have everywhere."""
    async with served(screens, way) as (_, client):
        answer = await client.get("/home")

    assert answer.headers["part-status"].startswith("all_cards=missing;reason=error")
    body = answer.json()
    assert body["firstCard"] == SHOWN
    assert set(body["_meta"]["parts"]) == {"first_card", "all_cards"}


@BOTH_WAYS
async def test_progressive_lines_hold_pieces_of_the_answer(way):
    """The pieces that a view sends early have the names of the whole answer."""
    async with served(screens, way) as (_, client):
        answer = await client.get("/home", headers={"accept": "application/x-ndjson"})

    lines = [json.loads(line) for line in answer.text.splitlines()]
    values = {one["part"]: one["value"] for one in lines if "part" in one}
    assert values["first_card"] == {"firstCard": SHOWN, "unknown_name": {"a_b": 1}}
    assert values["all_cards"] == {"theItem": []}
    assert lines[-1]["answer"]["firstCard"] == SHOWN


class Shown(Struct):
    """A value that is sent early."""

    the_card: Card

    @classmethod
    def of(cls, card: Card, _: Shelf) -> "Shown":
        """Present a card."""
        return cls(card)


class Named(BaseModel):
    """A model that is sent early."""

    given_name: str


class Naming:
    """A presenter that is an object."""

    def __call__(self, card: Card, _: Shelf) -> Named | None:
        """Present a card by a model."""
        return Named(given_name=card.long_title)


def named(prefix: str, card: Card, _: Shelf) -> Named:
    """Present a card by a model."""
    return Named(given_name=prefix + card.long_title)


PRESENTERS: list[tuple[Any, Any, str | None]] = [
    (lambda card, _: card, SHOWN, None),
    (lambda card, _: [Shown(card)], [{"theCard": SHOWN}], None),
    (lambda card, _: {"any_name": [card], "own": {"a_b": card}},
     {"any_name": [SHOWN], "own": {"a_b": SHOWN}}, None),
    (lambda _, __: None, None, None),
    (Shown.of, {"theCard": SHOWN}, "theCard"),
    (partial(named, "A "), {"givenName": "A A tent"}, "givenName"),
    (Naming(), {"givenName": "A tent"}, "givenName"),
]  # fmt: skip


@pytest.mark.parametrize(("present", "expected", "documented"), PRESENTERS)
async def test_a_value_of_any_presenter_is_in_camel_case(present, expected, documented):
    """Lambdas, methods and objects may present a part; OpenAPI has the names of declared types."""
    views = Views(access=ANYONE, case="camel")

    @views.get("/home", progressive=[early(Shelf.first_card, present)])
    async def get_home(shelf: Shelf) -> Money:
        await shelf.first_card()
        return Money(1)

    async with served(views) as (app, client):
        answer = await client.get("/home", headers={"accept": "application/x-ndjson"})
        document = json.dumps(app.openapi())

    assert json.loads(answer.text.splitlines()[0])["value"] == expected
    assert documented is None or f'"{documented}"' in document


@BOTH_WAYS
async def test_lines_of_a_stream_are_in_camel_case(way):
    """Each with the fields of the declared type, as OpenAPI documents them."""
    async with served(screens, way) as (app, client):
        answer = await client.get("/cards")
        schemas = app.openapi()["components"]["schemas"]

    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert lines == [
        SHOWN,
        {"longTitle": "A sock", "listPrice": None, "stockKind": "in_stock"},
    ]
    assert list(schemas["Card"]["properties"]) == ["longTitle", "listPrice", "stockKind"]


@BOTH_WAYS
async def test_bulk_answers_are_in_camel_case(way):
    """The problem of an item has the members of problem details."""
    lines = [{"skuCode": "a"}, {"skuCode": "b", "lineQuantity": 9}]
    async with served(screens, way) as (_, client):
        answer = await client.post("/lines", json=lines)

    body = answer.json()
    assert (answer.status_code, body["notAttempted"]) == (207, 0)
    assert body["items"][0]["result"] == {"skuCode": "a", "lineQuantity": 1}
    assert body["items"][1]["problem"]["code"] == "internal_error"


async def test_other_views_of_the_gateway_keep_their_names():
    """One class may be answered under both names, and OpenAPI documents both."""
    camel, plain = Views(prefix="/v2", access=ANYONE, case="camel"), Views(access=ANYONE)
    for views in (camel, plain):
        views.get("/card")(answering_function(Card, CARD))
        views.get("/money")(answering_function(Money, Money(7)))
    app = gateway_of(camel, [])
    app.include_router(plain.router)
    document = app.openapi()
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://testserver") as client,
    ):
        answers = [(await client.get(path)).json() for path in ("/v2/card", "/card")]

    validate(document)
    assert [next(iter(one)) for one in answers] == ["longTitle", "long_title"]
    shown = [
        document["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        for path in ("/v2/card", "/card", "/v2/money", "/money")
    ]
    names = [one["$ref"].rpartition("/")[2] for one in shown]
    schemas = document["components"]["schemas"]
    assert next(iter(schemas[names[0]]["properties"])) == "longTitle"
    assert next(iter(schemas[names[1]]["properties"])) == "long_title"
    assert names[2:] == ["Money", "Money"]


async def test_further_answers_are_documented_in_camel_case():
    """The models in `responses=` are those of the same client."""
    documented = {404: {"model": Boxed[Card], "description": "None"}, 410: {"description": "Gone"}}
    views = answering(Money, Money(7), responses=documented)
    views.stream("/y", responses=documented)(stream_money)
    async with served(views) as (app, _):
        document = app.openapi()

    validate(document)
    for path in ("/x", "/y"):
        answers = document["paths"][path]["get"]["responses"]
        [content] = answers["404"]["content"].values()
        name = content["schema"]["$ref"].rpartition("/")[2]
        assert list(document["components"]["schemas"][name]["properties"]) == ["theItem"]
        assert answers["410"]["description"] == "Gone"


async def stream_money() -> AsyncIterator[Money]:
    yield Money(7)


async def test_dependency_override_replaces_a_screen_in_camel_case():
    """`compose(Fast)` is the key as without a case."""
    async with served(inputs()) as (app, client):
        fake = Fast(shop_id="fake", page_size=1)
        app.dependency_overrides[compose(Fast)] = lambda: fake
        answer = await client.get("/n/fast?lastPage=4")

    assert answer.json() == ["fake", 1, 4, 3]


async def test_inputs_of_a_dependency_keep_their_names():
    """A dependency is a function of the author's, which other routes may use as well."""

    async def paging(page_size: int = 3) -> int:
        return page_size

    views = Views(access=ANYONE, case="camel")

    @views.get("/x")
    async def show(size: Annotated[int, Depends(paging)], first_page: int = 1) -> list[int]:
        return [size, first_page]

    async with served(views) as (_, client):
        answer = await client.get("/x?page_size=7&firstPage=2")

    assert answer.json() == [7, 2]


@pytest.mark.parametrize("case", ["kebab", "Camel", "", True, 7, ["camel"]])
def test_unknown_case_is_refused(case):
    """The error says what to give."""
    with pytest.raises(ConfigurationError, match='give case="camel", or leave it out'):
        Views(case=case)


@dataclass
class Clash:
    """A class whose fields would have one name."""

    a_b: int
    aB: int  # noqa: N815 # what is tested


def test_two_fields_with_one_name_are_refused():
    """One of them would be lost."""
    with pytest.raises(ConfigurationError, match="a_b and aB are both aB in camelCase"):
        answering(Clash, Clash(1, 2))


def test_names_in_python_can_not_be_sent_in_camel_case():
    """The two options contradict each other."""
    with pytest.raises(ConfigurationError, match="response_model_by_alias=False"):
        answering(Card, CARD, response_model_by_alias=False)
