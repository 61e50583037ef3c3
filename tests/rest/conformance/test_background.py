"""Background tasks run after the answer, whichever function has added them."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated

import pytest
from fastapi import BackgroundTasks, Depends, Response
from fastapi.responses import JSONResponse, PlainTextResponse, StreamingResponse
from starlette.background import BackgroundTask

from bff_core import Composition, compose, critical
from bff_core.edge.options import EdgeOptions
from tests.rest.conformance.three_ways import OTHER_WAYS, Ask, feature, features, serving

ALL_WAYS = ("plain FastAPI", *OTHER_WAYS)
RAN: list[str] = []


@dataclass
class Item:
    """A thing."""

    id: int


def reported(tasks: BackgroundTasks) -> None:
    tasks.add_task(RAN.append, "dependency")


@feature
def task_of_a_view(routes):
    @routes.get("/x")
    async def x(tasks: BackgroundTasks) -> Item:
        tasks.add_task(RAN.append, "view")
        return Item(1)

    return Ask()


@feature
def tasks_of_both_in_their_order(routes):
    @routes.post("/x", dependencies=[Depends(reported)])
    async def x(tasks: BackgroundTasks) -> Item:
        tasks.add_task(RAN.append, "view")
        tasks.add_task(RAN.append, "view again")
        return Item(1)

    return Ask(method="POST")


@feature
def task_of_a_dependency_of_a_stream(routes):
    @routes.stream("/x", dependencies=[Depends(reported)])
    async def x() -> AsyncIterator[Item]:
        RAN.append("stream")
        yield Item(1)

    return Ask()


@feature
def task_of_a_response(routes):
    @routes.get("/x")
    async def x() -> Response:
        return JSONResponse({}, background=BackgroundTask(RAN.append, "response"))

    return Ask(is_compiled=True)


@feature
def task_of_a_response_goes_before_those_of_the_view(routes):
    @routes.get("/x", dependencies=[Depends(reported)])
    async def x(tasks: BackgroundTasks) -> Response:
        tasks.add_task(RAN.append, "view")
        return JSONResponse({}, background=BackgroundTask(RAN.append, "response"))

    return Ask()


@feature
def task_of_a_view_that_returns_a_response(routes):
    @routes.get("/x")
    async def x(tasks: BackgroundTasks) -> Response:
        tasks.add_task(RAN.append, "view")
        return JSONResponse({})

    return Ask()


@feature
def task_of_a_streaming_response(routes):
    async def pieces() -> AsyncIterator[str]:
        RAN.append("piece")
        yield "a"

    @routes.get("/x")
    async def x() -> Response:
        return StreamingResponse(pieces(), background=BackgroundTask(RAN.append, "response"))

    return Ask(is_compiled=True)


@feature
def task_of_a_view_with_a_class_of_its_own(routes):
    @routes.get("/x", response_class=PlainTextResponse)
    async def x(tasks: BackgroundTasks) -> str:
        tasks.add_task(RAN.append, "view")
        return "a"

    return Ask()


@feature
def task_behind_no_content(routes):
    @routes.delete("/x", status_code=204)
    async def x(tasks: BackgroundTasks) -> None:
        tasks.add_task(RAN.append, "view")

    return Ask(method="DELETE")


@feature
def no_task_of_a_view_that_fails(routes):
    @routes.get("/x")
    async def x(tasks: BackgroundTasks) -> Item:
        tasks.add_task(RAN.append, "view")
        raise ValueError

    return Ask()


@feature
def head_of_a_view(routes):
    @routes.get("/x")
    async def x(tasks: BackgroundTasks) -> Item:
        tasks.add_task(RAN.append, "view")
        return Item(1)

    @routes.get("/y")
    async def y() -> Item:
        return Item(1)

    return Ask()


@pytest.mark.parametrize("declare", features(globals()), ids=lambda one: one.__name__)
async def test_background_tasks_run_as_in_fastapi(declare):
    """The same tasks run in the same order, once each."""
    ran = {}
    for way in ALL_WAYS:
        RAN.clear()
        async with serving(way, declare) as (served, ask):
            await served.ask(ask)
        ran[way] = list(RAN)

    assert ran == dict.fromkeys(ALL_WAYS, ran["plain FastAPI"])


@pytest.mark.parametrize("way", ALL_WAYS)
async def test_answer_comes_before_the_task(way):
    """The whole answer has been sent when the task begins."""
    sent = []

    def declare(routes):
        @routes.get("/x")
        async def x(tasks: BackgroundTasks) -> Item:
            tasks.add_task(lambda: RAN.extend(sent))
            return Item(1)

        return Ask()

    async def send(message):
        sent.append(message["type"])

    RAN.clear()
    async with serving(way, declare) as (served, _):
        await served.app(SCOPE | {"headers": [(b"host", b"testserver")]}, nothing, send)

    assert RAN == ["http.response.start", "http.response.body"]


SCOPE = {
    "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET",
    "path": "/x", "raw_path": b"/x", "query_string": b"", "scheme": "http", "root_path": "",
    "client": ("127.0.0.1", 1), "server": ("testserver", 80),
}  # fmt: skip


async def nothing():
    return {"type": "http.request", "body": b"", "more_body": False}


@pytest.mark.virtual_time
@pytest.mark.parametrize("way", OTHER_WAYS)
async def test_task_may_outlast_the_deadline_of_the_request(way):
    """The client has its answer, so the deadline does not apply to the task."""
    loop = asyncio.get_running_loop()

    async def slow() -> None:
        await asyncio.sleep(600)
        RAN.append("slow")

    def declare(routes):
        @routes.get("/x")
        async def x(tasks: BackgroundTasks) -> Item:
            tasks.add_task(slow)
            return Item(1)

        return Ask()

    RAN.clear()
    options = EdgeOptions(timeout=2.0)
    async with serving(way, declare, options=options, clock=loop.time) as (served, ask):
        answer = await served.ask(ask)

    assert (answer.status_code, RAN) == (200, ["slow"])


class Screen(Composition):
    """A composition of one part."""

    @critical
    async def name(self) -> str:
        return "Ada"


@pytest.mark.parametrize("fails", [False, True])
async def test_task_runs_after_a_progressive_answer(fails):
    """Tasks run after the last line, unless the view has failed."""

    def declare(routes):
        @routes.get("/x", dependencies=[Depends(reported)])
        async def x(page: Annotated[Screen, Depends(compose(Screen))]) -> Item:
            RAN.append(await page.name())
            if fails:
                raise ValueError
            return Item(1)

        return Ask(options={"headers": {"accept": "application/x-ndjson"}})

    RAN.clear()
    async with serving("the slow path", declare) as (served, ask):
        answer = await served.ask(ask)

    assert answer.headers["content-type"] == "application/x-ndjson"
    assert (["Ada"] if fails else ["Ada", "dependency"]) == RAN
