"""`Views(case="camel")`: names in camelCase in bodies, forms, queries and their errors."""

import json
from dataclasses import asdict, dataclass, field
from typing import Annotated, Any, Literal

import pytest
from fastapi import Body, Cookie, File, Form, Header, Query, UploadFile
from msgspec import Struct
from openapi_spec_validator import validate
from pydantic import BaseModel, Field

from bff_core import (
    ANYONE,
    Composition,
    Views,
)
from tests.rest.camel_case import (
    BOTH_WAYS,
    Card,
    Kind,
    Line,
    served,
)
from tests.rest.conformance.three_ways import Ask, is_compiled


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
