"""A small shop behind a GraphQL gateway: scripted services, one screen, one basket."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx
import strawberry

from bff_core import (
    ANYONE,
    Composition,
    Gateway,
    Policy,
    Retry,
    Settings,
    Upstream,
    Viewer,
    access,
    critical,
    gateway,
    loader,
    optional,
)
from bff_core.events import AnyEvent, Events
from bff_core.graphql import GraphQL, Info, QueryLimits
from bff_core.testing.scripted import Scripted, ScriptedTransport, reply

PATIENT = Policy(public=True, retry=Retry(attempts=1))


@dataclass(frozen=True)
class Product:
    """A reply of the catalog."""

    id: str
    title: str


class Catalog(Upstream):
    """Products."""

    policy = PATIENT

    async def product(self, product_id: str) -> Product:
        return await self.get("/products/{id}", Product, id=product_id)

    async def rename(self, product_id: str, title: str) -> Product:
        return await self.put("/products/{id}", Product, id=product_id, json={"title": title})

    async def note(self, product_id: str, text: str) -> None:
        await self.post("/products/{id}/notes", None, id=product_id, json=text)


class Reviews(Upstream):
    """Reviews."""

    policy = PATIENT

    async def of(self, product_id: str) -> list[str]:
        return await self.get("/reviews", list[str], query={"product": product_id})

    async def rating(self, product_id: str) -> float:
        return await self.get("/ratings/{id}", float, id=product_id)


class Stock(Upstream):
    """Stock."""

    policy = PATIENT

    async def counts(self, product_ids: tuple[str, ...]) -> dict[str, int]:
        return await self.get("/stock", dict[str, int], query={"ids": ",".join(product_ids)})


class Shelf(Composition):
    """What many fields ask of many products."""

    stock: Stock

    @loader(missing=None, fallback=None)
    async def count(self, product_ids: tuple[str, ...]) -> dict[str, int]:
        return await self.stock.counts(product_ids)


class ProductPage(Composition):
    """A product and what people say of it."""

    catalog: Catalog
    reviews_service: Reviews
    viewer: Viewer
    product_id: str

    @critical
    async def product(self) -> Product:
        return await self.catalog.product(self.product_id)

    @critical
    async def renamed(self, title: str) -> Product:
        return await self.catalog.rename(self.product_id, title)

    @optional(fallback=())
    async def reviews(self) -> Sequence[str]:
        return await self.reviews_service.of(self.product_id)

    @optional
    async def rating(self) -> float:
        return await self.reviews_service.rating(self.product_id)

    @optional
    async def stars(self) -> str | None:
        rating = await self.rating()
        return None if rating is None else "*" * round(rating)

    @optional
    async def greeting(self) -> str:
        return f"Hello, {self.viewer.require().subject}"


@strawberry.type(name="Product")
class ProductNode:
    """A product as this client sees it."""

    page: strawberry.Private[ProductPage]
    id: strawberry.ID

    @strawberry.field
    async def title(self) -> str:
        return (await self.page.product()).title

    @strawberry.field
    async def maybe_title(self) -> str | None:
        return (await self.page.product()).title

    @strawberry.field
    async def reviews(self) -> list[str]:
        return list(await self.page.reviews())

    @strawberry.field
    async def rating(self) -> float | None:
        return await self.page.rating()

    @strawberry.field
    async def stars(self) -> str | None:
        return await self.page.stars()

    @strawberry.field
    async def greeting(self) -> str | None:
        return await self.page.greeting()

    @strawberry.field
    async def count(self, info: Info) -> int | None:
        return await info.context.compose(Shelf).count(self.id)

    @strawberry.field
    def twice(self, number: int) -> int:
        return number * 2

    @strawberry.field
    async def broken(self) -> str | None:
        raise KeyError("the password is hunter2")

    @strawberry.field
    async def wrong(self) -> int | None:
        return "hunter2"

    @strawberry.field
    async def itself(self) -> "ProductNode":
        return self


def node(info: Info, product_id: str) -> ProductNode:
    page = info.context.compose(ProductPage, product_id=product_id)
    return ProductNode(page=page, id=strawberry.ID(product_id))


@access(ANYONE)
@strawberry.type
class Query:
    """What can be read."""

    @strawberry.field
    def product(self, info: Info, id: strawberry.ID) -> ProductNode:  # noqa: A002 - its name
        return node(info, id)

    @strawberry.field
    def products(self, info: Info, ids: list[strawberry.ID]) -> list[ProductNode]:
        return [node(info, one) for one in ids]

    @strawberry.field
    def language(self, info: Info) -> str:
        return info.context.scope.header("accept-language") or ""


@access(ANYONE)
@strawberry.type
class Mutation:
    """What can be changed."""

    @strawberry.mutation
    async def rename(self, info: Info, product_id: strawberry.ID, title: str) -> ProductNode:
        page = info.context.compose_anew(ProductPage, product_id=product_id)
        await page.renamed(title)
        return ProductNode(page=page, id=product_id)

    @strawberry.mutation
    async def note(self, info: Info, product_id: strawberry.ID, text: str) -> bool | None:
        page = info.context.compose_anew(ProductPage, product_id=product_id)
        await page.product()
        await page.catalog.note(product_id, text)
        return True


@dataclass
class Shop:
    """A running gateway, the scripts behind it, a client in front of it, and its events."""

    app: Gateway
    client: httpx.AsyncClient
    scripts: Mapping[str, Scripted]
    heard: list[AnyEvent] = field(default_factory=list)

    async def ask(self, query: str, headers=None, **variables) -> httpx.Response:
        """Send one request, as a client does."""
        body = {"query": query, "variables": variables}
        return await self.client.post("/graphql", json=body, headers=headers)


@asynccontextmanager
async def open_shop(
    env="development",
    limits: QueryLimits | None = None,
    introspection=None,
    schema=None,
    rate_limits=(),
    **options,
) -> AsyncIterator[Shop]:
    scripts = {
        "catalog": Scripted(reply(200, {"id": "7", "title": "A green tent"})),
        "reviews": Scripted(reply(200, ["good", "dry"])),
        "stock": Scripted(reply(200, {"7": 3, "8": 0})),
    }
    heard: list[AnyEvent] = []
    face = GraphQL(
        schema or strawberry.Schema(Query, Mutation), limits=limits, introspection=introspection
    )
    app = gateway(
        "shop",
        services=[Catalog, Reviews, Stock],
        faces=[face],
        limits=rate_limits,
        settings=Settings(
            env=env,
            auth="demo" if env == "development" else "none",
            gc_freeze=False,
            allowed_hosts=["testserver"],
            upstreams=dict.fromkeys(scripts, ("http://127.0.0.1:1",)),
        ),
        events=Events(heard.append),
        transport=lambda _, runtime: ScriptedTransport({"127.0.0.1": scripts[runtime.upstream]}),
        **options,
    )
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://testserver") as client,
    ):
        yield Shop(app, client, scripts, heard)
