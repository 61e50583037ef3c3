"""`Views(case="camel")`: names in camelCase in answers."""

from typing import Any

import httpx
import jsonschema
import pytest
from fastapi.responses import JSONResponse
from openapi_spec_validator import validate

from bff_core import (
    ANYONE,
    Views,
)
from tests.rest.camel_case import (
    ANSWERS,
    BOTH_WAYS,
    CARD,
    SHOWN,
    Boxed,
    Card,
    Home,
    Wider,
    answering,
    answering_function,
    camelised,
    served,
)
from tests.rest.conformance.three_ways import Ask, gateway_of, is_compiled


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
