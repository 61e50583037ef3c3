"""A small shop behind one gateway: two scripted services, a screen of three parts."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Annotated

import httpx
from fastapi import Depends, Query

from bff_core import (
    ANYONE,
    Composition,
    Gateway,
    Policy,
    Upstream,
    Viewer,
    Views,
    compose,
    critical,
    gateway,
    gather,
    optional,
)
from bff_core.events import AnyEvent, Events
from bff_core.testing import Scripted, client, reply


@dataclass(frozen=True)
class Product:
    """A reply of the catalog."""

    id: str
    title: str


class Catalog(Upstream):
    """Products."""

    policy = Policy(public=True, critical=True)

    async def product(self, product_id: str) -> Product:
        return await self.get("/products/{id}", Product, id=product_id)

    async def rename(self, product_id: str, title: str) -> Product:
        return await self.put("/products/{id}", Product, id=product_id, json={"title": title})


class Reviews(Upstream):
    """Reviews."""

    async def of(self, product_id: str, first: int) -> list[str]:
        query = {"product": product_id, "first": first}
        return await self.get("/reviews", list[str], query=query)


class ProductPage(Composition):
    """A product and its reviews."""

    catalog: Catalog
    reviews_service: Reviews
    viewer: Viewer
    product_id: str
    first: Annotated[int, Query(ge=1, le=50)] = 3

    @critical
    async def product(self) -> Product:
        return await self.catalog.product(self.product_id)

    @optional(fallback=(), timeout=0.4)
    async def reviews(self) -> Sequence[str]:
        return await self.reviews_service.of(self.product_id, self.first)

    @optional
    async def greeting(self) -> str:
        return f"Hello, {self.viewer.require().subject}"


@dataclass
class ProductView:
    """The product as this client shows it."""

    title: str
    reviews: Sequence[str]


@dataclass(frozen=True)
class Rename:
    """What a client sends to rename a product."""

    title: str


Page = Annotated[ProductPage, Depends(compose(ProductPage))]


def shop_views() -> Views:
    views = Views(prefix="/v1", access=ANYONE)

    @views.get("/products/{product_id}")
    async def get_product(page: Page) -> ProductView:
        """Show a product."""
        product, reviews = await gather(page.product(), page.reviews())
        return ProductView(product.title, reviews)

    @views.get("/products/{product_id}/title")
    async def get_title(page: Page) -> str:
        return (await page.product()).title

    @views.get("/greeting")
    async def get_greeting(page: Page) -> dict[str, str | None]:
        return {"greeting": await page.greeting()}

    @views.put("/products/{product_id}")
    async def put_product(page: Page, rename: Rename) -> Product:
        return await page.catalog.rename(page.product_id, rename.title)

    @views.stream("/products/{product_id}/words")
    async def stream_words(page: Page) -> AsyncIterator[str]:
        product = await page.product()
        for word in product.title.split():
            yield word

    return views


@dataclass
class Shop:
    """A running gateway, the scripts behind it, a client in front of it, and its events."""

    app: Gateway
    client: httpx.AsyncClient
    scripts: Mapping[str, Scripted]
    heard: list[AnyEvent] = field(default_factory=list)


@asynccontextmanager
async def open_shop(views: Views | None = None, **options) -> AsyncIterator[Shop]:
    scripts = {
        "catalog": Scripted(reply(200, {"id": "7", "title": "A green tent"})),
        "reviews": Scripted(reply(200, ["good", "dry"])),
    }
    heard: list[AnyEvent] = []

    def make_app() -> Gateway:
        return gateway(
            "shop",
            services=[Catalog, Reviews],
            faces=[views or shop_views()],
            events=Events(heard.append),
            **options,
        )

    async with client(make_app, services=scripts, environ={"BFF_AUTH": "demo"}) as opened:
        yield Shop(opened.app, opened, scripts, heard)
