"""`Views(case="camel")`: names in camelCase in bodies, forms, queries and their errors."""

import json
from dataclasses import dataclass
from typing import Annotated, Any

import pytest
from fastapi import Query
from openapi_spec_validator import validate
from pydantic import Field

from bff_core import (
    ANYONE,
    Views,
)
from tests.rest.camel_case import (
    BOTH_WAYS,
    Card,
    Kind,
    served,
)
from tests.rest.camel_inputs import inputs
from tests.rest.conformance.three_ways import Ask, is_compiled


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
