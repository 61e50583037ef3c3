"""A missing `await` in a view: the log names it, wherever it is in the answer."""

from dataclasses import dataclass
from typing import Annotated

import pytest
from fastapi import Depends
from pydantic import BaseModel

from bff_core import Composition, Settings, Views, compose, critical, gateway
from bff_core.events import Crashed, Events
from bff_core.testing import running


class Page(Composition):
    """A screen."""

    @critical
    async def price(self) -> int:
        return 7


@dataclass
class Row:
    """An answer."""

    price: int


class Model(BaseModel):
    """Another."""

    price: int


async def plain() -> int:
    """Return a price."""
    return 7


async def read(page: Page) -> int:
    """Return the price of a screen."""
    return await page.price()


views = Views()
Composed = Annotated[Page, Depends(compose(Page))]


@views.get("/itself")
async def itself(page: Composed) -> int:
    """Return it."""
    return page.price()


@views.get("/field")
async def field(page: Composed) -> Row:
    """Return it in a field."""
    return Row(page.price())


@views.get("/item")
async def item(page: Composed) -> list[int]:
    """Return it in a list."""
    return [page.price()]


@views.get("/undeclared")
async def undeclared(page: Composed):
    """Return it without a declared type."""
    return {"price": page.price()}


@views.get("/coroutine")
async def coroutine(page: Composed) -> Model:
    """Return the coroutine of a function that is no part."""
    return {"price": read(page)}


@views.get("/bare")
async def bare(page: Composed):
    """Return the coroutine itself."""
    return plain()


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/itself", "<Part price"),
        ("/field", "<Part price"),
        ("/item", "<Part price"),
        ("/undeclared", "<Part price"),
        ("/coroutine", "read itself"),
        ("/bare", "plain itself"),
    ],
)
async def test_a_forgotten_await_is_named(path, shown):
    """The error says that `await` is missing, not "not iterable"."""
    heard = []
    settings = Settings(env="development")
    app = gateway("shop", faces=[views], settings=settings, events=Events(heard.append))

    async with running(app) as client:
        answer = await client.get(path)

    [crash] = [one for one in heard if isinstance(one, Crashed)]
    assert answer.status_code == 500
    assert shown in str(crash.error)
    assert "await it, and answer with its result" in str(crash.error)
