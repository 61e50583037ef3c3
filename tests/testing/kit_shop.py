"""A small shop for the tests of the test kit: two services, a screen of three parts, a function."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import strawberry
from fastapi import Depends, Response

from bff_core import (
    ANYONE,
    Composition,
    ConfigurationError,
    Gateway,
    Policy,
    Require,
    Scope,
    Settings,
    Upstream,
    Viewer,
    Views,
    access,
    compose,
    critical,
    gateway,
    gather,
    optional,
)
from bff_core.graphql import GraphQL, Info
from bff_core.testing import reply

TENT = {"id": "8", "title": "Tent"}
STOVE = {"id": "9", "title": "Stove"}
SUMMARY = {"count": 3, "average": 4.5}
HAPPY = {"catalog": reply(200, TENT), "reviews": reply(200, SUMMARY)}
QUERY = "query($id: ID!) { title(productId: $id) stars(productId: $id) }"


@dataclass(frozen=True)
class Product:
    """A reply of the catalog."""

    id: str
    title: str


@dataclass(frozen=True)
class Summary:
    """A reply of the reviews."""

    count: int
    average: float | None


class Catalog(Upstream):
    """Products."""

    policy = Policy(timeout=0.8, public=True, retry=None)

    async def product(self, product_id: str) -> Product:
        return await self.get("/products/{id}", Product, id=product_id)

    async def rename(self, product_id: str, title: str) -> Product:
        return await self.put("/products/{id}", Product, id=product_id, json={"title": title})


class Reviews(Upstream):
    """Reviews."""

    policy = Policy(timeout=0.8, public=True)

    async def summary(self, product_id: str) -> Summary:
        return await self.get("/summaries/{id}", Summary, id=product_id)


class ProductPage(Composition):
    """A product and its rating."""

    catalog: Catalog
    reviews: Reviews
    viewer: Viewer
    product_id: str

    @critical
    async def product(self) -> Product:
        return await self.catalog.product(self.product_id)

    @optional(timeout=0.4)
    async def rating(self) -> Summary:
        return await self.reviews.summary(self.product_id)


@dataclass
class ProductView:
    """The product as this client shows it."""

    title: str
    stars: float | None


Page = Annotated[ProductPage, Depends(compose(ProductPage))]
views = Views(prefix="/v1", access=ANYONE)


@views.get("/products/{product_id}")
async def get_product(page: Page) -> ProductView:
    product, rating = await gather(page.product(), page.rating())
    return ProductView(product.title, rating.average if rating else None)


@views.get("/slowly/{product_id}")
async def get_slowly(page: Page) -> ProductView:
    product = await page.product()
    rating = await page.rating()
    return ProductView(product.title, rating.average if rating else None)


@views.get("/careless/{product_id}")
async def get_careless(page: Page) -> ProductView:
    """Hide that the reviews are down."""
    product = await page.product()
    try:
        rating = await page.reviews.summary(page.product_id)
    except Exception:  # noqa: BLE001 # the mistake that the matrix finds
        return ProductView(product.title, None)
    return ProductView(product.title, rating.average)


@views.get("/buggy/{product_id}")
async def get_buggy(page: Page) -> ProductView:
    """Forget that a rating may be missing."""
    product, rating = await gather(page.product(), page.rating())
    return ProductView(product.title, rating.average)  # type: ignore[union-attr]


@views.get("/title/{product_id}")
async def get_title(page: Page) -> str:
    return (await page.product()).title


@views.get("/wasteful/{product_id}")
async def get_wasteful(page: Page) -> ProductView:
    """Drop the title where only the rating is missing."""
    product, rating = await gather(page.product(), page.rating())
    return ProductView(product.title if rating else "", rating.average if rating else None)


@views.get("/accepted/{product_id}")
async def get_accepted(page: Page, response: Response) -> ProductView:
    """Answer with another status where the rating is missing."""
    product, rating = await gather(page.product(), page.rating())
    response.status_code = 200 if rating else 202
    return ProductView(product.title, rating.average if rating else None)


class Guided(Composition):
    """A product and its guide, which not all products have."""

    catalog: Catalog
    reviews: Reviews
    product_id: str

    @critical
    async def product(self) -> Product:
        return await self.catalog.product(self.product_id)

    @critical
    async def guide(self) -> Summary | None:
        return await self.reviews.get("/guides/{id}", Summary | None, id=self.product_id)

    @optional(fallback=())
    async def related(self) -> Sequence[Product]:
        if await self.reviews.get("/related/{id}", Summary, id=self.product_id):
            return [await self.catalog.product("9")]
        return ()


@views.get("/guided/{product_id}")
async def get_guided(page: Annotated[Guided, Depends(compose(Guided))]) -> ProductView:
    product, guide = await gather(page.product(), page.guide())
    return ProductView(product.title, guide.average if guide else None)


@views.get("/related/{product_id}")
async def get_related(page: Annotated[Guided, Depends(compose(Guided))]) -> list[Product]:
    """Show the products that go with it, whose list is of another service."""
    product, related = await gather(page.product(), page.related())
    return [product, *related]


@views.put("/products/{product_id}")
async def put_product(page: Page, title: str) -> str:
    return (await page.catalog.rename(page.product_id, title)).title


class Me(Composition):
    """Who calls."""

    viewer: Viewer


@views.get("/me", access=Require("profile"))
async def get_me(me: Annotated[Me, Depends(compose(Me))]) -> str:
    return me.viewer.subject


@access(ANYONE)
@strawberry.type
class Query:
    """The same over GraphQL."""

    @strawberry.field
    async def title(self, info: Info, product_id: strawberry.ID) -> str | None:
        return (await info.context.compose(ProductPage, product_id=product_id).product()).title

    @strawberry.field
    async def stars(self, info: Info, product_id: strawberry.ID) -> float | None:
        rating = await info.context.compose(ProductPage, product_id=product_id).rating()
        return rating.average if rating else None


class Issued:
    """An authenticator that needs a setting."""

    challenge = "Bearer"

    def __init__(self, settings: Settings) -> None:
        if not settings.issuer:
            raise ConfigurationError("BFF_ISSUER is not set")

    async def authenticate(self, scope: Scope, /) -> Viewer | None:
        return Viewer("issued") if scope.field(b"authorization") == b"Bearer issued" else None


def make_authenticator(settings: Settings) -> Issued:
    return Issued(settings)


def demo_viewer(user_id: str) -> Viewer:
    return Viewer(user_id, scopes=frozenset({"profile"}))


def make_app() -> Gateway:
    return gateway(
        "shop",
        services=[Catalog, Reviews],
        faces=[views, GraphQL(strawberry.Schema(Query))],
        authenticator=make_authenticator,
        demo=demo_viewer,
    )


def make_open_app() -> Gateway:
    """Make a gateway whose callers are all anonymous."""
    return gateway("open", services=[Catalog, Reviews], faces=[views])
