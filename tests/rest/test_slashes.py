"""Ids with slashes in views: `{sku:path}`, on the fast path and on the slow path."""

from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated

import httpx
import pytest
from fastapi import Depends, Request

from bff_core import ANYONE, Composition, Settings, Views, compose, critical, gateway
from bff_core.events import Events


class Shelf(Composition):
    """A composition whose input is an id with slashes."""

    sku: str

    @critical
    async def label(self) -> str:
        return f"label of {self.sku}"


@dataclass
class Item:
    """The answer of the views."""

    sku: str


@asynccontextmanager
async def opened():
    """Run a gateway with views whose ids have slashes."""
    views = Views(access=ANYONE)

    @views.get("/fast/{sku:path}")
    async def get_fast(sku: str) -> Item:
        return Item(sku)

    @views.get("/slow/{sku:path}")
    async def get_slow(sku: str, request: Request) -> Item:
        del request
        return Item(sku)

    @views.get("/screen/{sku:path}")
    async def get_screen(shelf: Annotated[Shelf, Depends(compose(Shelf))]) -> Item:
        return Item(await shelf.label())

    @views.put("/body/{sku:path}")
    async def put_body(sku: str, item: Item) -> Item:
        return Item(f"{sku} {item.sku}")

    @views.get("/level/{sku:path}/now/{number:int}")
    async def get_level(sku: str, number: int) -> Item:
        return Item(f"{sku} {number + 1}")

    app = gateway(
        "shop",
        faces=[views],
        settings=Settings(env="production", gc_freeze=False, allowed_hosts=["testserver"]),
        events=Events(),
    )
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://testserver") as client,
    ):
        yield client


@pytest.mark.parametrize("lane", ["fast", "slow"])
@pytest.mark.parametrize(
    ("path", "sku"),
    [
        ("shoes/42", "shoes/42"),
        ("shoes%2F42", "shoes/42"),
        ("shoes%2f42/a%20b", "shoes/42/a b"),
        ("%C3%A4/100%25", "ä/100%"),
        ("a%252Fb", "a%2Fb"),
        ("42", "42"),
    ],
)
async def test_view_takes_an_id_with_slashes(lane, path, sku):
    """Slashes may be encoded or not; each escape is decoded once."""
    async with opened() as client:
        answer = await client.get(f"/{lane}/{path}")

    assert (answer.status_code, answer.json()) == (200, {"sku": sku})


async def test_segments_behind_an_id_with_slashes_match():
    """Further segments of the path must match."""
    async with opened() as client:
        answer = await client.get("/level/a/b/now/6")
        other = await client.get("/level/a/now/b/6")

    assert (answer.json(), other.status_code) == ({"sku": "a/b 7"}, 404)


async def test_composition_takes_an_id_with_slashes():
    """Its input is read from such a path."""
    async with opened() as client:
        answer = await client.get("/screen/shoes%2F42")

    assert answer.json() == {"sku": "label of shoes/42"}


async def test_view_takes_a_body_beside_an_id_with_slashes():
    """The id is not read from the body, and a body that is not JSON is refused."""
    async with opened() as client:
        answer = await client.put("/body/shoes/42", json={"sku": "new"})
        refused = await client.put("/body/shoes/42", content="a", headers={"content-type": "a/b"})

    assert answer.json() == {"sku": "shoes/42 new"}
    assert refused.status_code == 415


async def test_openapi_documents_the_path_parameter():
    """The path in the document has the plain name."""
    async with opened() as client:
        document = (await client.get("/openapi.json")).json()

    for path in ("/fast/{sku}", "/slow/{sku}", "/screen/{sku}"):
        parameters = document["paths"][path]["get"]["parameters"]
        assert {"sku": "path"}.items() <= {one["name"]: one["in"] for one in parameters}.items()
