"""Reviews: what customers say."""

from collections.abc import Mapping
from dataclasses import dataclass

from bff_core import Cache, Policy, Upstream
from bffs.services.values import Named, Page


@dataclass(frozen=True, slots=True)
class Review:
    """What one customer says of a product; `rating` from 1 to 5."""

    id: str
    author: Named
    rating: int
    title: str
    body: str
    created_at: str


@dataclass(frozen=True, slots=True)
class Rating:
    """What all customers think of a product; `average` is None without reviews."""

    product_id: str
    count: int
    average: float | None


class Reviews(Upstream):
    """Reviews, the same for everybody."""

    policy = Policy(timeout=1.0, public=True, cache=Cache(stale=600, error=3600))

    async def of(self, product_id: str, first: int) -> tuple[Review, ...]:
        """Return the most helpful reviews of a product."""
        query = {"product_id": product_id, "limit": first}
        return (await self.get("/reviews", Page[Review], query=query)).items

    async def ratings(self, ids: tuple[str, ...]) -> Mapping[str, Rating]:
        """Return the ratings of those products that exist, by product id."""
        page = await self.get("/summaries", Page[Rating], query={"ids": ",".join(ids)})
        return {rating.product_id: rating for rating in page.items}
