"""`Views(...)`: its options are the defaults of its views, which may override each of them."""

from typing import Annotated

import pytest
from fastapi import Body, Depends, Response

from bff_core import ANYONE, Composition, Settings, Views, compose, critical, gateway
from bff_core.testing import running

LAPTOP = Settings(env="development", log="off", gc_freeze=False)


class Home(Composition):
    """A screen without services."""

    @critical
    async def title(self) -> str:
        """Return the title."""
        return "Home"


ByHome = Annotated[Home, Depends(compose(Home))]


def paid(response: Response) -> None:
    """Mark the answers of a router."""
    response.headers["x-paid"] = "yes"


@pytest.fixture
def app():
    """Return a gateway whose views override some of their defaults."""
    views = Views(
        access=ANYONE,
        criticality="sheddable",
        idempotency="required",
        max_values=3,
        meta=True,
        deprecated=True,
    )

    @views.get("/home")
    async def get_home(home: ByHome) -> dict[str, str]:
        return {"title": await home.title()}

    @views.get("/plain", meta=False, criticality="critical_plus")
    async def get_plain(home: ByHome) -> dict[str, str]:
        return {"title": await home.title()}

    @views.post("/orders")
    async def post_order(lines: Annotated[list[int], Body()]) -> list[int]:
        return lines

    @views.put("/orders", idempotency="optional", max_values=9, meta=False)
    async def put_order(lines: Annotated[list[int], Body()]) -> list[int]:
        return lines

    return gateway("till", faces=[views], settings=LAPTOP)


async def test_views_answer_with_the_defaults(app):
    """Each view reports its parts, needs a key, and takes few values."""
    key = {"Idempotency-Key": "8e03978e-40d5-43dd-bc93-6894a57f9324"}
    async with running(app) as client:
        home = await client.get("/home")
        unkeyed = await client.post("/orders", json=[1])
        long = await client.post("/orders", json=[1, 2, 3, 4], headers=key)

    assert home.json()["_meta"]["parts"]["title"]["status"] == "ok"
    assert (unkeyed.status_code, long.status_code) == (400, 413)


async def test_a_view_overrides_a_default(app):
    """The option of the view counts."""
    async with running(app) as client:
        plain = await client.get("/plain")
        put = await client.put("/orders", json=[1, 2, 3, 4])

    assert plain.json() == {"title": "Home"}
    assert (put.status_code, put.json()) == (200, [1, 2, 3, 4])


async def test_views_have_the_default_criticality(app):
    """Load shedding reads it from the route table."""
    table = app.route_table()

    assert table.find("GET", "/home").criticality == "sheddable"
    assert table.find("GET", "/plain").criticality == "critical_plus"


async def test_no_answer_is_cached_with_a_default_of_false():
    """`Views(cache=False)` holds for its views, except one that declares otherwise."""
    views = Views(access=ANYONE, cache=False)
    views.get("/a")(_home)
    views.get("/b", cache=True)(_home)

    assert [view.is_cacheable for _, _, view in views._views] == [False, True]


async def _home(home: ByHome) -> str:
    return await home.title()


async def test_options_of_the_router_are_those_of_fastapi(app):
    """`deprecated=` and `dependencies=` hold for all views of the file."""
    views = Views(access=ANYONE, dependencies=[Depends(paid)])
    views.get("/a")(_home)
    async with running(gateway("till", faces=[views], settings=LAPTOP)) as client:
        answer = await client.get("/a")

    assert answer.headers["x-paid"] == "yes"
    assert app.openapi()["paths"]["/home"]["get"]["deprecated"] is True
