"""Malformed GraphQL requests are refused before execution, with the codes and places of REST."""

import gzip
import json
from contextlib import asynccontextmanager
from decimal import Decimal
from urllib.parse import urlencode

import httpx
import pytest
import strawberry

from bff_core import Settings, gateway
from bff_core.events import Events
from bff_core.graphql import GraphQL

JSON = {"content-type": "application/json"}
DIGITS = "1" * 5000


@strawberry.type
class Query:
    """Fields that return what they are given."""

    @strawberry.field
    def number(self, value: float = 0.0) -> float:
        return value

    @strawberry.field
    def text(self, value: str = "") -> str:
        return value

    @strawberry.field
    def exact(self, value: Decimal = Decimal(0)) -> str:
        return str(value)

    @strawberry.field
    def whole(self, value: int = 0) -> int:
        return value


@asynccontextmanager
async def opened():
    """Run a gateway with the fields."""
    app = gateway(
        "shop",
        faces=[GraphQL(strawberry.Schema(Query))],
        settings=Settings(env="production", gc_freeze=False, allowed_hosts=["testserver"]),
        events=Events(),
    )
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://testserver") as client,
    ):
        yield client


async def posted(body, **headers):
    """Return the answer to one body."""
    async with opened() as client:
        return await client.post("/graphql", content=body, headers=JSON | headers)


@pytest.mark.parametrize(
    ("text", "pointer", "kind"),
    [
        ('{"value": NaN}', "/value", "finite_number"),
        ('{"value": 1e999}', "/value", "finite_number"),
        ('{"value": ["a\\ud83d"]}', "/value/0", "string_unicode"),
        ('{"value": ' + DIGITS + "}", "/value", "int_parsing_size"),
        ('{"value": }', "", "json_invalid"),
        ("[" * 300, "", "json_invalid"),
        ("[1]", "", "invalid"),
    ],
)
async def test_malformed_variables_are_refused_with_their_place(text, pointer, kind):
    """In a query string they have a place of their own; in a body it is a place in the body."""
    query = "query($value: Float) { number(value: $value) }"
    async with opened() as client:
        answer = await client.get("/graphql?" + urlencode({"query": query, "variables": text}))

    (error,) = answer.json()["errors"]
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_input")
    assert (error["in"], error["type"]) == ("query", kind)
    assert error["pointer"] == "/variables" + pointer


@pytest.mark.parametrize(
    ("body", "pointer", "kind"),
    [
        (b'{"query": "{number}", "variables": {"a": NaN}}', "/variables/a", "finite_number"),
        (b'{"query": "{number}", "variables": {"a": 1e999}}', "/variables/a", "finite_number"),
        (b'{"query": "{number}", "variables": {"a": "\\ud83d"}}', "/variables/a", "string_unicode"),
        (b'{"query": "a\\ud83d"}', "/query", "string_unicode"),
        (b'{"operationName": 1}', "/operationName", "invalid"),
        (b'{"query": "{number}", "variables": [1]}', "/variables", "invalid"),
        (b"{}", "/query", "missing"),
    ],
)
async def test_error_in_a_body_has_a_pointer(body, pointer, kind):
    """As in REST, but with status 400, as GraphQL over HTTP requires."""
    answer = await posted(body)

    (error,) = answer.json()["errors"]
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_input")
    assert (error["in"], error["pointer"], error["type"]) == ("body", pointer, kind)


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (b"", (1, 1)),
        (b'{"query":\n tru}', (2, 2)),
        (b'{"query": "\xff"}', (1, 12)),
        ('{"query": "{number}"}'.encode("utf-16"), (1, 1)),
        (b"[" * 10_000, (1, 101)),
        (b'{"query": "{number}", "variables": {"a": ' + b"[" * 10_000, (1, 140)),
    ],
    ids=["empty", "malformed", "latin-1", "utf-16", "deep", "deep variables"],
)
async def test_malformed_and_deep_json_are_one_code_with_the_place(body, place):
    """The same code and the same members as in REST."""
    answer = await posted(body)

    (error,) = answer.json()["errors"]
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_input")
    assert (error["type"], error["line"], error["column"]) == ("json_invalid", *place)


@pytest.mark.parametrize("coding", ["gzip", "br", "garbage", "identity, gzip"])
async def test_a_coded_body_is_415(coding):
    """A compressed body is refused as such, and not as malformed JSON."""
    body = gzip.compress(b'{"query": "{number}"}')

    answer = await posted(body, **{"content-encoding": coding})

    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")
    assert answer.headers["accept-encoding"] == "identity"


@pytest.mark.parametrize(
    "headers",
    [
        {"content-type": "application/json; charset=utf8"},
        {"content-type": 'application/json;charset="UTF-8"'},
        {"content-type": "application/graphql+json"},
        {"content-encoding": "identity"},
    ],
)
async def test_any_name_of_utf8_is_accepted(headers):
    """A byte order mark is accepted as well."""
    answer = await posted('\ufeff{"query": "{ text(value: \\"é\\") }"}'.encode(), **headers)

    assert answer.json() == {"data": {"text": "é"}}


@pytest.mark.parametrize(
    ("query", "column"),
    [
        ("{ number(value: 1e400) }", 17),
        ("{ number(value: -1E999) }", 17),
        (f"{{ number(value: {'9' * 400}) }}", 17),
        (f"{{ whole(value: {DIGITS}) }}", 16),
        ("query($a: Float = 1e400) { number(value: $a) }", 19),
    ],
)
async def test_a_number_too_large_for_a_float_is_an_error_of_the_query(query, column):
    """A resolver would get infinity; the error names the place in the query."""
    answer = await posted(json.dumps({"query": query}))

    (error,) = answer.json()["errors"]
    assert error["extensions"]["code"] == "query_not_parsed"
    assert error["message"].startswith("A number is too large")
    assert error["locations"] == [{"line": 1, "column": column}]


@pytest.mark.parametrize("value", ["NaN", "Infinity", 10**400, True])
async def test_variables_of_floats_are_finite_numbers(value):
    """A text, and an integer that is too large for a float, are refused."""
    query = "query($a: Float) { number(value: $a) }"

    answer = await posted(json.dumps({"query": query, "variables": {"a": value}}))

    (error,) = answer.json()["errors"]
    assert error["extensions"]["code"] == "invalid_input"
    assert error["message"].startswith("Variable '$a' has invalid value")


@pytest.mark.parametrize("value", ["NaN", "sNaN", "-Infinity"])
async def test_decimals_are_finite_numbers(value):
    """NaN and infinity are refused in the query and in variables, as in REST."""
    query = "query($a: Decimal!) { exact(value: $a) }"

    variable = await posted(json.dumps({"query": query, "variables": {"a": value}}))
    literal = await posted(json.dumps({"query": f'{{ exact(value: "{value}") }}'}))
    fine = await posted(json.dumps({"query": query, "variables": {"a": "1.50"}}))

    errors = variable.json()["errors"] + literal.json()["errors"]
    assert [one["extensions"]["code"] for one in errors] == ["invalid_input", "query_not_valid"]
    assert all("not finite" in one["message"] for one in errors)
    assert fine.json() == {"data": {"exact": "1.50"}}


async def test_half_a_surrogate_pair_in_a_literal_is_an_error_of_the_query():
    """GraphQL has its own escape sequences."""
    answer = await posted(json.dumps({"query": '{ text(value: "\\ud83d") }'}))

    assert answer.json()["errors"][0]["extensions"]["code"] == "query_not_parsed"
