"""FastAPI's injected `Response`: cookies, headers and status, set in views and dependencies."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated

import pytest
from fastapi import Depends, HTTPException, Response
from fastapi.responses import JSONResponse

from tests.rest.conformance.three_ways import Ask, assert_alike, feature, features


@dataclass
class Item:
    """A thing."""

    id: int


@dataclass
class Body:
    """What a client sends."""

    id: int


def paged(response: Response) -> int:
    """Say how many there are, in a header."""
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
        response.set_cookie("seen", "1", httponly=True, samesite="strict", max_age=60)
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
        response.set_cookie("seen", "1")
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


@pytest.mark.parametrize("declare", features(globals()), ids=lambda one: one.__name__)
async def test_injected_response_reaches_the_client(declare):
    """What a view or a dependency writes to the injected response is sent, as FastAPI does."""
    await assert_alike(declare)
