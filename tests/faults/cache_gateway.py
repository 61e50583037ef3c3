"""A gateway over the mock services that caches their replies, with short lifetimes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends

from bff_core import (
    ANYONE,
    Cache,
    Composition,
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
from tests.faults.limits import FRESH, LAST_GOOD
from tests.faults.models import Page, Person, Price, Product, Review


class Catalog(Upstream):
    """For long, and for longer while it is down: without it there is no page."""

    policy = Policy(
        timeout=5.0, attempt_timeout=5.0, public=True, cache=Cache(ttl=600, error=LAST_GOOD)
    )

    async def product(self, product_id: str) -> Product:
        return await self.get("/products/{id}", Product, id=product_id)


class Pricing(Upstream):
    """For a moment, and as long as it is down."""

    policy = Policy(timeout=5.0, public=True, cache=Cache(ttl=FRESH, error=LAST_GOOD))

    async def price(self, product_id: str) -> Price:
        return await self.get("/prices/{id}", Price, id=product_id)


class Reviews(Upstream):
    """Revalidated each time."""

    policy = Policy(timeout=5.0, public=True, cache=Cache(ttl=0))

    async def of(self, product_id: str) -> tuple[Review, ...]:
        query = {"product_id": product_id, "limit": 2}
        return (await self.get("/reviews", Page, query=query)).items


class Users(Upstream):
    """Each viewer's own, as the service says."""

    policy = Policy(timeout=5.0, cache=Cache())

    async def person(self, user_id: str) -> Person:
        return await self.get("/users/{id}", Person, id=user_id)


class ProductPage(Composition):
    """A product, its price, and what is said of it."""

    catalog: Catalog
    pricing: Pricing
    reviews_service: Reviews
    product_id: str

    @critical
    async def product(self) -> Product:
        return await self.catalog.product(self.product_id)

    @optional
    async def price(self) -> Price:
        return await self.pricing.price(self.product_id)

    @optional(fallback=())
    async def reviews(self) -> Sequence[Review]:
        return await self.reviews_service.of(self.product_id)


class Me(Composition):
    """The viewer."""

    users: Users
    viewer: Viewer

    @critical
    async def person(self) -> Person:
        return await self.users.person(self.viewer.require().subject)


@dataclass
class Shown:
    """A product with its price, if that is available."""

    title: str
    amount: int | None


@dataclass
class Said:
    """What is said of a product."""

    titles: Sequence[str]


@dataclass
class Text:
    """One thing that a service said."""

    text: str


views = Views(prefix="/v1", access=ANYONE)
OfProduct = Annotated[ProductPage, Depends(compose(ProductPage))]


@views.get("/products/{product_id}")
async def get_product(page: OfProduct) -> Shown:
    """Show a product, and what it costs."""
    product, price = await gather(page.product(), page.price())
    return Shown(product.title, price.price.amount if price else None)


@views.get("/titles/{product_id}")
async def get_title(page: OfProduct) -> Text:
    """Show what changes seldom."""
    return Text((await page.product()).title)


@views.get("/prices/{product_id}")
async def get_price(page: OfProduct) -> Text:
    """Show what changes often."""
    price = await page.price()
    return Text(str(price.price.amount) if price else "")


@views.get("/reviews/{product_id}")
async def get_reviews(page: OfProduct) -> Said:
    """Return a reply that is revalidated each time."""
    return Said([review.title for review in await page.reviews()])


@views.get("/me")
async def get_me(me: Annotated[Me, Depends(compose(Me))]) -> Text:
    """Return the viewer."""
    return Text((await me.person()).email)


app = gateway("shelf", services=[Catalog, Pricing, Reviews, Users], faces=[views])
