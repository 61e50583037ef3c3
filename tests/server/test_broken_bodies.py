"""Malformed bodies under other applications: the client gets a 4xx."""

import asyncio
import logging

import pytest
from fastapi import FastAPI, Request
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from tests.server.talking import HELLO, Shop, echo, hello, served, until

pytestmark = pytest.mark.uvloop

HEAD = (
    b"POST /order HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n"
)
BROKEN = {
    "no size": (400, b"zz\r\n"),
    "a negative size": (400, b"-1\r\n"),
    "a size that no number holds": (400, b"fffffffffffffffffff\r\n"),
    "more than its size": (400, b"2\r\n{}x\r\n"),
    "a bare line feed": (400, b"2\n{}\r\n"),
    "a trailer that is none": (400, b"2\r\n{}\r\n0\r\nX Y\r\n\r\n"),
    "a trailer that ends the connection": (400, b"2\r\n{}\r\n0\r\nConnection: close\r\n\r\n"),
    "an endless extension": (431, b"2;x=" + b"x" * 200_000),
}


async def catching(shop, scope, receive, send):
    """Turn each error into a 500, as many frameworks do."""
    try:
        await echo(shop, scope, receive, send)
    except Exception:  # noqa: BLE001 # it is the point
        await hello(shop, scope, receive, send, status=500)


async def waiting(shop, scope, receive, send):
    """Do something else while the body comes."""
    await asyncio.Event().wait()


def fastapi_app():
    """Return an application of FastAPI that reads a body."""
    app = FastAPI()

    @app.post("/order")
    async def order(order: dict[str, int]) -> dict[str, int]:
        return order

    return app


def starlette_app():
    """Return an application of Starlette that reads a body."""

    async def order(request: Request) -> PlainTextResponse:
        return PlainTextResponse(await request.body())

    return Starlette(routes=[Route("/order", order, methods=["POST"])])


APPS = {
    "plain": lambda: Shop(routes={"/order": echo}),
    "catching": lambda: Shop(routes={"/order": catching}),
    "waiting": lambda: Shop(routes={"/order": waiting}),
    "fastapi": fastapi_app,
    "starlette": starlette_app,
}


@pytest.mark.parametrize("split", [False, True])
@pytest.mark.parametrize("app", APPS)
@pytest.mark.parametrize("case", BROKEN)
async def test_a_malformed_body_is_a_client_error(case, app, split, caplog):
    """Under any application, whatever it does with errors: one 4xx, and no traceback."""
    caplog.set_level(logging.INFO)
    status, body = BROKEN[case]

    async with served(APPS[app]()) as server, server.client() as client:
        client.send(HEAD if split else HEAD + body)
        if split:
            await until(lambda: bool(server.serving.state.tasks))
            client.send(body)
        answer = await client.answer()
        assert await client.is_closed()

    assert answer.status == answer.problem["status"] == status
    assert answer.fields["content-type"] == "application/problem+json"
    assert not [record for record in caplog.records if record.exc_info]


async def test_an_application_with_a_malformed_body_is_cancelled():
    """It may be waiting for something else than the body."""
    shop = Shop(routes={"/order": waiting})

    async with served(shop) as server, server.client() as client:
        client.send(HEAD)
        await until(lambda: shop.running == 1)
        client.send(b"zz\r\n")

        assert (await client.answer()).status == 400
        await until(lambda: shop.running == 0)
    assert len(shop.cancelled) == 1


async def test_a_malformed_body_is_refused_after_the_answer_before_it():
    """Of two requests on one connection the first is answered, the second refused."""
    shop = Shop(routes={"/order": catching})

    async with served(shop) as server, server.client() as client:
        client.send(HELLO + HEAD + b"zz\r\n")

        answers = [await client.answer() for _ in range(2)]
        assert await client.is_closed()

    assert [one.status for one in answers] == [200, 400]
    assert [scope["path"] for scope in shop.scopes] == ["/hello"]


async def test_an_answer_that_has_begun_is_aborted():
    """A client must not take half an answer for the whole."""

    async def early(shop, scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"half", "more_body": True})
        await echo(shop, scope, receive, send)

    async with served(Shop(routes={"/order": early})) as server, server.client() as client:
        client.send(HEAD)
        assert (await client.head())[0] == 200
        client.send(b"zz\r\n")

        with pytest.raises(asyncio.IncompleteReadError):
            [chunk async for chunk in client.chunks()]
