"""Values that a mock makes within the limits of a schema, and limits that no answer can have."""

from typing import Any

import jsonschema_rs
import pytest

from bff_core.contracts.openapi import parse
from bff_core.mocks import MockService
from tests.mocks.contract import calling, content, document

MAP = {"type": "object", "additionalProperties": {"type": "integer"}}

VALID: dict[str, dict[str, Any]] = {
    "an exclusive range": {"type": "integer", "exclusiveMinimum": 5, "exclusiveMaximum": 7},
    "a narrow range": {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 0.001},
    "both kinds of a limit": {"type": "integer", "minimum": 10, "exclusiveMinimum": 1},
    "limits between whole numbers": {"type": "integer", "minimum": 1.5, "maximum": 2.5},
    "a multiple": {"type": "integer", "multipleOf": 7, "minimum": 10, "maximum": 15},
    "a tiny multiple": {"type": "number", "multipleOf": 1e-300},
    "a large number": {"type": "integer", "minimum": 1e308},
    "a pattern with a length": {"type": "string", "pattern": "^[a-z0-9]+$", "minLength": 40},
    "a format with a length": {"type": "string", "format": "email", "maxLength": 24},
    "all values of an enum": {
        "type": "array",
        "items": {"enum": ["a", "b"]},
        "minItems": 2,
        "uniqueItems": True,
    },
    "many properties": {
        "type": "object",
        "additionalProperties": {"type": "integer"},
        "minProperties": 12,
    },
    "one property": {
        "type": "object",
        "additionalProperties": {"type": "integer"},
        "maxProperties": 1,
    },
    "a default of another type": {
        "type": "object",
        "required": ["size"],
        "properties": {"size": {"type": "integer", "default": "large"}},
    },
}


@pytest.mark.parametrize("name", VALID)
async def test_values_are_within_the_limits(name: str) -> None:
    """Each answer of a mock is one that the service could have sent."""
    value = await _value(VALID[name])

    jsonschema_rs.validator_for(VALID[name], validate_formats=True).validate(value)


LISTS = {"type": "array", "minItems": 1000}

HOSTILE: dict[str, dict[str, Any]] = {
    "a hundred million items": {"type": "array", "items": {"type": "string"}, "minItems": 10**8},
    "a million lists": {**LISTS, "items": {**LISTS, "items": {**LISTS, "items": {}}}},
    "a text of a gigabyte": {"type": "string", "minLength": 10**9},
    "repetitions in one another": {"type": "string", "pattern": "(" * 200 + "a" + ")+" * 200},
    "a pattern that backtracks": {"type": "string", "pattern": "^(a+)+$", "examples": ["a" * 99]},
}


@pytest.mark.parametrize("name", HOSTILE)
async def test_no_limit_makes_an_answer_endless(name: str) -> None:
    """A contract of others can't make a mock work for minutes, or fill the memory."""
    value = await _value(HOSTILE[name])

    assert len(str(value)) < 1_000_000


async def test_a_preference_in_quotes_may_have_a_comma() -> None:
    """`Prefer: example="small, red"` is one preference."""
    pen = content({}, examples={"blue": {"value": 1}, "small, red": {"value": 2}})
    async with calling(_mock(pen)) as client:
        reply = await client.get("/value", headers={"Prefer": 'example="small, red"; wait=0'})

    assert reply.json() == 2


async def _value(schema: dict[str, Any]) -> object:
    async with calling(_mock(content(schema))) as client:
        return (await client.get("/value")).json()


def _mock(response: dict[str, Any]) -> MockService:
    paths = {"/value": {"get": {"responses": {"200": response}}}}
    return MockService(parse(document(openapi="3.1.0", paths=paths)))
