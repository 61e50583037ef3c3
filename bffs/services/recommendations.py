"""Recommendations: what a customer may like."""

from dataclasses import dataclass

from bff_core import Cache, Policy, Upstream
from bffs.services.values import Page


@dataclass(frozen=True, slots=True)
class Recommendation:
    """A product for a customer; `tracking_id` goes with every click on it."""

    product_id: str
    tracking_id: str


class Recommendations(Upstream):
    """Recommendations, each for one customer."""

    policy = Policy(timeout=1.0, cache=Cache(stale=60, error=600))

    async def for_customer(self, customer_id: str, first: int) -> tuple[Recommendation, ...]:
        """Return the best for the home screen, best first."""
        query = {"customer_id": customer_id, "placement": "home", "limit": first}
        return (await self.get("/recommendations", Page[Recommendation], query=query)).items
