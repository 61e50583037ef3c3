"""The services of the shop."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from msgspec import Struct

from bff_core import Breaker, Cache, ClientCredentials, Policy, Retry, Upstream


@dataclass(frozen=True)
class Product:
    """A product of the catalog."""

    id: str
    title: str
    price: float


class Rating(Struct, frozen=True):
    """How customers rate a product."""

    count: int
    average: float | None


class Catalog(Upstream):
    """The catalog, which anyone may read."""

    policy = Policy(timeout=0.8, public=True, cache=Cache(), retry=Retry(attempts=2))

    async def product(self, product_id: str) -> Product:
        """Return a product."""
        return await self.get("/products/{id}", Product, id=product_id)

    async def products(self, ids: Sequence[str]) -> Sequence[Product]:
        """Return products by their ids."""
        return await self.get("/products", list[Product], query={"ids": list(ids)})

    async def rename(self, product_id: str, title: str) -> None:
        """Give a product another title."""
        await self.patch("/products/{id}", None, json={"title": title}, id=product_id)


class Reviews(Upstream):
    """The reviews, with a circuit breaker of their own."""

    policy = Policy(
        timeout=0.8,
        breaker=Breaker(open_for=2.0),
        credentials=ClientCredentials(client_id="shop", secret="reviews"),
    )

    async def rating(self, product_id: str) -> Rating | None:
        """Return the rating of a product."""
        return await self.get("/ratings/{id}", Rating | None, id=product_id)

    def all_ratings(self) -> AsyncIterator[Rating]:
        """Stream all ratings."""
        return self.ndjson("/ratings", Rating)
