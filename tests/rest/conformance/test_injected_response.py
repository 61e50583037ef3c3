"""FastAPI's injected `Response`: cookies, headers and status, set in views and dependencies."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated

import pytest
from fastapi import Depends, HTTPException, Response
from fastapi.responses import JSONResponse

from bff_core import (
    BulkAnswer,
    Composition,
    ConfigurationError,
    Views,
    bulk,
    bulk_answer,
    compose,
    critical,
    early,
)
from tests.rest.conformance.three_ways import (
    OTHER_WAYS,
    Ask,
    answer_of,
    assert_alike,
    feature,
    features,
)


@dataclass
class Item:
    """A thing."""

    id: int


@dataclass
class Body:
    """What a client sends."""

    id: int


def paged(response: Response) -> int:
    """Set a header with the total."""
    response.headers["x-total-count"] = "7"
    return 7


def accepted(response: Response) -> None:
    response.status_code = 202


@feature
def header_of_a_view(routes):
    @routes.get("/x")
    async def x(response: Response) -> Item:
        response.headers["x-a"] = "1"
        return Item(1)

    return Ask()


@feature
def several_cookies_and_a_deleted_one(routes):
    @routes.get("/x")
    async def x(response: Response) -> Item:
        response.set_cookie("visited", "1", httponly=True, samesite="strict", max_age=60)
        response.set_cookie("other", "2", path="/a")
        response.delete_cookie("old")
        return Item(1)

    return Ask()


@feature
def status_of_a_view(routes):
    @routes.get("/x")
    async def x(response: Response) -> Item:
        response.status_code = 202
        return Item(1)

    return Ask()


@feature
def status_without_content(routes):
    @routes.put("/x")
    async def x(body: Body, response: Response) -> Item | None:
        response.status_code = 205
        return None

    return Ask(method="PUT", options={"json": {"id": 1}})


@feature
def header_of_a_dependency(routes):
    @routes.get("/x")
    async def x(total: Annotated[int, Depends(paged)]) -> Item:
        return Item(total)

    return Ask()


@feature
def status_of_a_dependency(routes):
    @routes.get("/x", dependencies=[Depends(accepted)])
    async def x() -> Item:
        return Item(1)

    return Ask()


@feature
def view_overrules_a_dependency(routes):
    @routes.get("/x", dependencies=[Depends(accepted)])
    async def x(response: Response) -> Item:
        response.status_code = 203
        return Item(1)

    return Ask()


@feature
def status_of_a_dependency_over_the_declared_one(routes):
    @routes.post("/x", status_code=201, dependencies=[Depends(accepted)])
    async def x() -> Item:
        return Item(1)

    return Ask(method="POST")


@feature
def header_of_a_nested_dependency(routes):
    def outer(total: Annotated[int, Depends(paged)], response: Response) -> int:
        response.headers.append("x-outer", str(total))
        response.headers.append("x-outer", "again")
        return total

    @routes.get("/x")
    async def x(total: Annotated[int, Depends(outer)]) -> Item:
        return Item(total)

    return Ask()


@feature
def cookie_of_a_dependency_with_yield(routes):
    async def session(response: Response) -> AsyncIterator[str]:
        response.set_cookie("session", "a")
        yield "a"

    @routes.get("/x")
    async def x(session: Annotated[str, Depends(session)]) -> Item:
        return Item(1)

    return Ask()


@feature
def response_of_its_own_drops_the_injected_one(routes):
    @routes.get("/x")
    async def x(response: Response) -> Response:
        response.headers["x-lost"] = "1"
        response.status_code = 202
        return JSONResponse({"id": 1}, headers={"x-own": "1"})

    return Ask()


@feature
def error_drops_the_injected_one(routes):
    @routes.get("/x")
    async def x(response: Response) -> Item:
        response.set_cookie("visited", "1")
        raise HTTPException(418, headers={"x-error": "1"})

    return Ask()


@feature
def caching_is_what_the_view_says(routes):
    @routes.get("/x")
    async def x(response: Response) -> Item:
        response.headers["cache-control"] = "public, max-age=60"
        response.headers["etag"] = '"mine"'
        return Item(1)

    return Ask(compared=("cache-control", "etag"))


@feature
def stream_with_cookies(routes):
    @routes.stream("/x", dependencies=[Depends(accepted)])
    async def x(total: Annotated[int, Depends(paged)]) -> AsyncIterator[Item]:
        yield Item(total)

    return Ask()


@feature
def answer_of_a_changing_view(routes):
    @routes.post("/x")
    async def x(body: Body, response: Response) -> Item:
        response.delete_cookie("basket")
        response.status_code = 201
        response.headers["location"] = "/x/1"
        return Item(body.id)

    return Ask(method="POST", options={"json": {"id": 1}})


@dataclass
class Greeting:
    """The answer of the view below."""

    name: str


class Screen(Composition):
    """A composition of one part."""

    @critical
    async def name(self) -> str:
        return "Ada"


Page = Annotated[Screen, Depends(compose(Screen))]
LINES = {"headers": {"accept": "application/x-ndjson"}}


async def test_progressive_answer_has_the_headers_of_dependencies():
    """Dependencies run before the first line, so their headers and status are sent."""

    def declare(routes):
        @routes.get("/x", dependencies=[Depends(accepted)])
        async def x(page: Page, total: Annotated[int, Depends(paged)]) -> Greeting:
            return Greeting(await page.name())

        return Ask(options=LINES)

    answer = await answer_of("the slow path", declare)

    assert answer.headers["content-type"] == "application/x-ndjson"
    assert (answer.status_code, answer.headers["x-total-count"]) == (202, "7")


async def test_view_with_a_response_answers_when_it_has_ended():
    """It may set a cookie until it ends, and headers can't follow the first line."""

    def declare(routes):
        @routes.get("/x")
        async def x(page: Page, response: Response) -> Greeting:
            name = await page.name()
            response.delete_cookie("session")
            return Greeting(name)

        return Ask(options=LINES)

    answer = await answer_of("the slow path", declare)

    assert answer.json() == {"name": "Ada"}
    assert answer.headers["set-cookie"].startswith('session=""')


def test_view_with_a_response_can_not_be_progressive():
    """The declaration raises."""
    with pytest.raises(ConfigurationError, match="progressive"):

        @Views().get("/x", progressive=[early(Screen.name, lambda name, _: name)])
        async def x(page: Page, response: Response) -> Greeting:
            return Greeting(await page.name())


@dataclass
class Wanted:
    """The items of a batch."""

    items: list[str]


class Desk(Composition):
    """Changes many things."""

    @bulk(key=lambda item: item)
    async def put(self, item: str) -> str:
        return item


@pytest.mark.parametrize("way", OTHER_WAYS)
async def test_batch_has_the_cookies_of_its_view(way):
    """A view with a bulk answer may set headers as well."""

    def declare(routes):
        @routes.post("/x", status=207, dependencies=[Depends(paged)])
        async def x(
            wanted: Wanted, desk: Annotated[Desk, Depends(compose(Desk))], response: Response
        ) -> BulkAnswer[str]:
            response.set_cookie("visited", "1")
            return bulk_answer(await desk.put(wanted.items), str)

        return Ask(method="POST", options={"json": {"items": ["a"]}})

    answer = await answer_of(way, declare)

    assert (answer.status_code, answer.json()["done"]) == (207, 1)
    assert answer.headers["x-total-count"] == "7"
    assert answer.headers["set-cookie"].startswith("visited=1")


@pytest.mark.parametrize("declare", features(globals()), ids=lambda one: one.__name__)
async def test_injected_response_reaches_the_client(declare):
    """Headers and status that a view or a dependency sets are sent, as by FastAPI."""
    await assert_alike(declare)
