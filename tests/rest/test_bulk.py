"""Bulk answers: for each item a status and a result or a problem, in order."""

from dataclasses import dataclass
from typing import Annotated

import pytest
from fastapi import Depends

from bff_core import (
    ANYONE,
    BulkAnswer,
    Composition,
    NotFound,
    Settings,
    Views,
    bulk,
    bulk_answer,
    compose,
    gateway,
)
from bff_core.composition.bulk import ItemResult, NotAttempted
from bff_core.testing import running

KEYED = {"Idempotency-Key": "8e03978e-40d5-43dd-bc93-6894a57f9324"}


@dataclass(frozen=True)
class Renames:
    """What a client sends."""

    items: list[str]


class Names(Composition):
    """A composition that renames things."""

    @bulk(most=3)
    async def give(self, name: str) -> str:
        """Give a name."""
        if name == "bug":
            raise KeyError("hunter2")
        if name == "stranger":
            raise NotFound("There is no such person.")
        return name.upper()


@pytest.fixture
def app():
    """Return a gateway with one bulk view."""
    views = Views(access=ANYONE)

    @views.post("/names", status=207)
    async def post_names(
        names: Annotated[Names, Depends(compose(Names))], wanted: Renames
    ) -> BulkAnswer[dict[str, str]]:
        return bulk_answer(await names.give(wanted.items), lambda name: {"name": name})

    return gateway(
        "names", faces=[views], settings=Settings(env="development", log="off", gc_freeze=False)
    )


async def test_each_item_has_a_status_and_a_result_or_a_problem(app):
    """The answer is a 207; a bug is masked in its item, as in an answer of its own."""
    async with running(app) as client:
        answer = await client.post("/names", json={"items": ["ann", "stranger", "bug"]})

    answered = answer.json()
    assert (
        answer.status_code,
        answered["done"],
        answered["failed"],
        answered["not_attempted"],
    ) == (
        207,
        1,
        2,
        0,
    )
    assert [(item["index"], item["status"]) for item in answered["items"]] == [
        (0, 200),
        (1, 404),
        (2, 500),
    ]
    assert answered["items"][0]["result"] == {"name": "ANN"}
    assert answered["items"][1]["problem"] == {
        "type": "/problems/not_found",
        "title": "Not found",
        "status": 404,
        "code": "not_found",
        "detail": "There is no such person.",
    }
    assert answered["items"][2]["problem"]["code"] == "internal_error"
    assert "hunter2" not in answer.text


async def test_too_many_items_are_a_422(app):
    """None of them is attempted."""
    async with running(app) as client:
        answer = await client.post("/names", json={"items": ["a"] * 4})

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_input")


def test_items_not_attempted_are_counted_separately():
    """They have not failed: the client may send them again unchanged."""
    results = [ItemResult(0, "a", "A"), ItemResult(1, "b", error=NotAttempted("b"))]

    answer = bulk_answer(results, str.lower)

    assert (answer.done, answer.failed, answer.not_attempted) == (1, 0, 1)
    assert [(one.status, one.result) for one in answer.items] == [(200, "a"), (503, None)]


async def test_a_batch_with_undecided_items_runs_again_under_its_key(app):
    """The answer of a decided batch is replayed."""
    async with running(app) as client:
        first = [
            await client.post("/names", json={"items": ["ann", "bug"]}, headers=KEYED)
            for _ in range(2)
        ]
        other = KEYED | {"Idempotency-Key": "another-key-that-is-long-enough"}
        second = [
            await client.post("/names", json={"items": ["ann", "stranger"]}, headers=other)
            for _ in range(2)
        ]

    assert "idempotency-replayed" not in first[1].headers
    assert second[1].headers["idempotency-replayed"] == "true"
    assert second[0].json() == second[1].json()


async def test_openapi_has_the_schema_of_an_item(app):
    """The type of the result is part of it."""
    document = app.openapi()
    content = document["paths"]["/names"]["post"]["responses"]["207"]["content"]
    answer, _ = content["application/json"]["schema"]["allOf"]  # and `_meta`
    name = answer["$ref"].rpartition("/")[2]
    properties = document["components"]["schemas"][name]["properties"]

    assert properties.keys() == {"done", "failed", "not_attempted", "items"}
    item = properties["items"]["items"]["$ref"].rpartition("/")[2]
    problem = document["components"]["schemas"][item]["properties"]["problem"]
    assert problem["anyOf"] == [{"$ref": "#/components/schemas/Problem"}, {"type": "null"}]
