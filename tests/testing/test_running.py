"""The kit's client: a gateway in the test's own process."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from bff_core import ANYONE, Gateway, Settings, Views, gateway
from bff_core.events import Events
from bff_core.testing import running

LIFESPAN_STEPS: list[str] = []


@asynccontextmanager
async def lifespan(_: Gateway) -> AsyncIterator[None]:
    LIFESPAN_STEPS.append("opened")
    yield
    LIFESPAN_STEPS.append("closed")


@pytest.fixture
def app() -> Gateway:
    views = Views(prefix="/v1", access=ANYONE)

    @views.get("/greeting")
    async def get_greeting() -> str:
        return "hello"

    @views.get("/bug")
    async def get_bug() -> str:
        raise RuntimeError("a secret")

    LIFESPAN_STEPS.clear()
    settings = Settings(env="development", auth="demo", gc_freeze=False)
    return gateway("shop", faces=[views], settings=settings, events=Events(), lifespan=lifespan)


async def test_the_lifespan_surrounds_the_requests(app):
    """The lifespan starts before the first request and ends after the last."""
    async with running(app) as client:
        answer = await client.get("/v1/greeting")
        during = list(LIFESPAN_STEPS)

    assert answer.json() == "hello"
    assert (during, LIFESPAN_STEPS) == (["opened"], ["opened", "closed"])


async def test_headers_go_with_every_request(app):
    """A test signs in once."""
    async with running(app, headers={"Authorization": "Bearer nonsense"}) as client:
        answer = await client.get("/v1/greeting")

    assert answer.status_code == 401


async def test_bug_is_answered_as_in_production(app):
    """A test gets what a client would get: a problem without internals."""
    async with running(app) as client:
        answer = await client.get("/v1/bug")

    assert answer.status_code == 500
    assert answer.json()["code"] == "internal_error"
    assert "secret" not in answer.text
