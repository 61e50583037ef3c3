"""Inputs of screens with a `default_factory`: each request without the input gets a new value."""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Annotated, Any

import pytest
import strawberry
from fastapi import Body, Depends, Header, Query
from fastapi.routing import APIRouter
from pydantic import BaseModel

from bff_core import (
    ANYONE,
    Composition,
    Gateway,
    Saga,
    Views,
    access,
    compose,
    critical,
    gateway,
    step,
)
from bff_core.graphql import GraphQL, screen
from bff_core.testing import client

NUMBERS = count(1)


@dataclass
class Line:
    """A body."""

    sku: str = "none"


class Filters(BaseModel):
    """A model as a body."""

    word: str = "none"


class Page(Composition):
    """A screen whose inputs have factories, in each place of a request."""

    number: int = field(default_factory=lambda: next(NUMBERS))
    limited: Annotated[int, Query(le=10_000)] = field(default_factory=lambda: next(NUMBERS))
    header: Annotated[int, Header(alias="x-number")] = field(default_factory=lambda: next(NUMBERS))

    @critical
    async def numbers(self) -> list[int]:
        return [self.number, self.limited, self.header]


class Full(Page):
    """A screen that takes a list, a body and a model as well."""

    words: Annotated[list[str], Query()] = field(default_factory=list)
    line: Annotated[Line | None, Body()] = field(default_factory=Line)
    filters: Filters = field(default_factory=Filters)

    @critical
    async def found(self) -> list[Any]:
        self.words.append("added")
        return [self.number, self.words, self.filters.word]


class Numbered(Saga):
    """A saga whose input has a factory."""

    number: int = field(default_factory=lambda: next(NUMBERS))

    @step
    async def show(self) -> int:
        return self.number


async def no_op() -> None:
    """Take a view off the fast path."""


views = Views()
camel = Views(prefix="/camel", case="camel")
router = APIRouter()


@views.get("/fast", cache=False)
@camel.get("/fast", cache=False)
async def fast(page: Page) -> list[int]:
    return await page.numbers()


@views.get("/slow", dependencies=[Depends(no_op)])
async def slow(page: Page) -> list[int]:
    return await page.numbers()


@views.get("/named/{number}")
async def named(page: Page) -> list[int]:
    return await page.numbers()


@views.post("/full")
@camel.post("/full")
async def full(page: Full) -> list[Any]:
    return await page.found()


@views.post("/saga")
async def saga(page: Numbered) -> int:
    return await page.show()


@router.get("/plain")
@access(ANYONE)
async def plain(page: Annotated[Page, Depends(compose(Page))]) -> list[int]:
    return await page.numbers()


@strawberry.type
class Root:
    """The fields of the tests."""

    numbers: list[int] = screen(Page.numbers)


def shop() -> Gateway:
    """Return a gateway that serves all of the above."""
    schema = strawberry.Schema(Root)
    app = gateway("shop", faces=[views, camel, GraphQL(schema)], sagas=[Numbered])
    app.include_router(router)
    return app


@pytest.mark.parametrize("path", ["/fast", "/slow", "/camel/fast", "/plain", "/graphql"])
async def test_each_request_without_the_input_gets_a_value_of_its_own(path: str) -> None:
    """Two requests never share what a factory made, on any way through the gateway."""
    async with client(shop) as shopper:
        found: list[int] = []
        for _ in range(2):
            if path == "/graphql":
                answer = await shopper.post(path, json={"query": "{numbers}"})
                found += answer.json()["data"]["numbers"]
            else:
                found += (await shopper.get(path)).json()
    assert len(set(found)) == 6


@pytest.mark.parametrize("path", ["/full", "/camel/full"])
async def test_a_list_that_a_factory_made_is_not_shared(path: str) -> None:
    """What one viewer adds to a list, another does not get; sent values take precedence."""
    async with client(shop) as shopper:
        first = (await shopper.post(path, json={})).json()
        second = (await shopper.post(path, json={})).json()
        sent = await shopper.post(f"{path}?words=a&number=7", json={"filters": {"word": "b"}})
    assert first[0] != second[0]
    assert first[1:] == second[1:] == [["added"], "none"]
    assert sent.json() == [7, ["a", "added"], "b"]


async def test_a_sent_input_is_validated_and_used() -> None:
    """The factory is for requests that leave the input out; constraints hold for the others."""
    async with client(shop) as shopper:
        answer = await shopper.get("/fast?number=1&limited=2", headers={"x-number": "3"})
        refused = [await shopper.get(f"{path}?limited=10001") for path in ("/fast", "/slow")]
        of_path = await shopper.get("/named/8?limited=2", headers={"x-number": "3"})
    assert answer.json() == [1, 2, 3]
    assert [one.status_code for one in refused] == [422, 422]
    assert of_path.json() == [8, 2, 3]


async def test_the_document_shows_no_made_value() -> None:
    """OpenAPI has such an input as optional, without a default that is one process's value."""
    async with client(shop) as shopper:
        document = (await shopper.get("/openapi.json")).json()
    for path in ("/fast", "/slow", "/plain"):
        for one in document["paths"][path]["get"]["parameters"]:
            assert not one["required"]
            assert "default" not in one["schema"]


async def test_each_saga_gets_a_value_of_its_own() -> None:
    """The input of a saga is made once per request, too."""
    async with client(shop) as shopper:
        found = [(await shopper.post("/saga")).json() for _ in range(2)]
    assert found[0] != found[1]


@pytest.mark.parametrize(
    ("query", "check"),
    [
        ("{numbers(number: 5)}", lambda made: made[0] == 5),
        ("{numbers(number: null)}", lambda made: made[0] is not None),
        ("{a: numbers b: numbers}", lambda made: len(set(made)) == 3),
    ],
)
async def test_graphql_fields_use_what_a_client_sends(
    query: str, check: Callable[[list[int]], bool]
) -> None:
    """A sent argument is used, null is no value, and fields with equal arguments share a screen."""
    async with client(shop) as shopper:
        answer = (await shopper.post("/graphql", json={"query": query})).json()
    assert check(next(iter(answer["data"].values())))
    assert len({tuple(one) for one in answer["data"].values()}) == 1
