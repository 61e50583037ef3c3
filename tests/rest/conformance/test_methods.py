"""HEAD wherever there is GET, `Allow`, and statuses without content."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated

import pytest
from fastapi import APIRouter, BackgroundTasks, Depends, FastAPI, Query, Response
from fastapi.responses import StreamingResponse

from bff_core import ANYONE, access
from tests.rest.conformance.three_ways import OTHER_WAYS, Ask, feature, features, serving

RAN: list[str] = []


@dataclass
class Item:
    """A thing."""

    id: int


def counted(response: Response) -> None:
    response.headers["x-total-count"] = "7"


def routes_of_all_kinds(routes):
    @routes.get("/plain")
    async def plain() -> Item:
        return Item(1)

    @routes.get("/many")
    async def many(tag: Annotated[list[str], Query()]) -> list[str]:
        return tag

    @routes.get("/items/{item_id}", dependencies=[Depends(counted)])
    async def item(item_id: int) -> Item:
        return Item(item_id)

    @routes.put("/items/{item_id}")
    async def put_item(item_id: int) -> Item:
        return Item(item_id)

    @routes.stream("/endless")
    async def endless() -> AsyncIterator[int]:
        while True:
            await asyncio.sleep(0)
            yield 1

    @routes.get("/own")
    async def own() -> Response:
        return StreamingResponse(pieces(), media_type="text/plain")

    @routes.get("/later")
    async def later(tasks: BackgroundTasks) -> Item:
        tasks.add_task(RAN.append, "later")
        return Item(1)

    @routes.post("/written")
    async def written() -> Item:
        return Item(1)

    return Ask()


async def pieces() -> AsyncIterator[str]:
    while True:
        yield "a"


def with_plain_routes(app: FastAPI) -> None:
    router = APIRouter()

    @router.get("/of-the-app")
    @access(ANYONE)
    async def of_the_app() -> Item:
        return Item(1)

    @router.head("/own-head")
    @access(ANYONE)
    async def own_head() -> Response:
        return Response(status_code=203)

    @router.get("/own-head")
    @access(ANYONE)
    async def own_get() -> Item:
        return Item(1)

    app.include_router(router)


FINITE = ["/plain", "/many?tag=a&tag=b", "/items/7", "/later", "/of-the-app"]
"""Paths whose GET ends."""


@pytest.mark.parametrize("way", OTHER_WAYS)
@pytest.mark.parametrize("path", FINITE)
async def test_head_is_get_without_content(way, path):
    """A client that checks a link or a size gets the status and the headers of the GET."""
    async with serving(way, routes_of_all_kinds, with_plain_routes) as (served, _):
        full = await served.client.get(path)
        head = await served.client.head(path)

    assert (head.status_code, head.content) == (full.status_code, b"")
    assert _without_id(head) == _without_id(full)


def _without_id(answer):
    return sorted(one for one in answer.headers.multi_items() if one[0] != "x-request-id")


@pytest.mark.parametrize("way", OTHER_WAYS)
@pytest.mark.parametrize("path", ["/endless", "/own"])
async def test_head_of_an_endless_stream_ends(way, path):
    """The headers are sent; no value is read, and nothing goes on running."""
    async with serving(way, routes_of_all_kinds) as (served, _):
        head = await served.client.head(path)

    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-type"].partition(";")[0] in {"text/plain", "application/x-ndjson"}


@pytest.mark.parametrize("way", OTHER_WAYS)
async def test_route_of_head_serves_it(way):
    """A route for HEAD takes precedence over one for GET."""
    async with serving(way, routes_of_all_kinds, with_plain_routes) as (served, _):
        head = await served.client.head("/own-head")

    assert head.status_code == 203


@pytest.mark.mostly_slow
@pytest.mark.parametrize("way", OTHER_WAYS)
@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "/plain", "GET, HEAD"),
        ("OPTIONS", "/plain", "GET, HEAD"),
        ("DELETE", "/many", "GET, HEAD"),
        ("POST", "/endless", "GET, HEAD"),
        ("PATCH", "/items/7", "GET, HEAD, PUT"),
        ("OPTIONS", "/items/7", "GET, HEAD, PUT"),
        ("GET", "/written", "POST"),
        ("HEAD", "/written", "POST"),
        ("PUT", "/of-the-app", "GET, HEAD"),
        ("TRACE", "/of-the-app", "GET, HEAD"),
    ],
)
async def test_refused_method_names_those_that_are_allowed(way, method, path, allowed):
    """`Allow` of a 405 has the methods of all routes of the path."""
    async with serving(way, routes_of_all_kinds, with_plain_routes) as (served, _):
        answer = await served.client.request(method, path)

    assert (answer.status_code, answer.headers.get_list("allow")) == (405, [allowed])


@feature
def declared_204(routes):
    @routes.delete("/x", status_code=204)
    async def x() -> None:
        return None

    return Ask(method="DELETE", is_compiled=True)


@feature
def injected_304(routes):
    @routes.get("/x")
    async def x(response: Response) -> Item:
        response.status_code = 304
        return Item(1)

    return Ask()


@feature
def injected_204_of_a_dependency(routes):
    def nothing(response: Response) -> None:
        response.status_code = 204

    @routes.post("/x", dependencies=[Depends(nothing)])
    async def x() -> Item:
        return Item(1)

    return Ask(method="POST")


@feature
def own_204(routes):
    @routes.delete("/x")
    async def x() -> Response:
        return Response(status_code=204)

    return Ask(method="DELETE", is_compiled=True)


@feature
def stream_of_status_204(routes):
    def nothing(response: Response) -> None:
        response.status_code = 204

    @routes.stream("/x", dependencies=[Depends(nothing)])
    async def x() -> AsyncIterator[Item]:
        yield Item(1)

    return Ask()


@feature
def class_of_its_own_with_204(routes):
    def nothing(response: Response) -> None:
        response.status_code = 204

    @routes.get("/x", response_class=StreamingResponse, dependencies=[Depends(nothing)])
    async def x() -> list[str]:
        return ["a"]

    return Ask()


@pytest.mark.parametrize("way", OTHER_WAYS)
@pytest.mark.parametrize("declare", features(globals()), ids=lambda one: one.__name__)
async def test_answer_without_content_has_neither_type_nor_length(way, declare):
    """A 204 or 304 has no content and no headers of content (RFC 9110, section 8.6)."""
    async with serving(way, declare) as (served, ask):
        answer = await served.ask(ask)

    assert answer.status_code in {204, 304}
    assert answer.content == b""
    assert answer.headers.keys().isdisjoint({"content-type", "content-length"})


@pytest.mark.parametrize("way", OTHER_WAYS)
async def test_205_has_a_length_of_zero(way):
    """A 205 has no content, but a `Content-Length` of 0 (RFC 9110, section 15.3.6)."""

    def declare(routes):
        @routes.post("/x", status_code=205)
        async def x() -> None:
            return None

        return Ask(method="POST", is_compiled=True)

    async with serving(way, declare) as (served, ask):
        answer = await served.ask(ask)

    assert (answer.status_code, answer.headers["content-length"]) == (205, "0")
    assert "content-type" not in answer.headers
