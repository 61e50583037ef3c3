"""Catalog: what the shop sells, in the customer's language."""

from collections.abc import Mapping
from dataclasses import dataclass

from bff_core import Cache, Policy, Upstream
from bffs.services.values import Image, Named, Page


@dataclass(frozen=True, slots=True)
class Summary:
    """A product as lists show it."""

    id: str
    title: str
    subtitle: str
    brand: Named
    category: Named
    image: Image
    default_sku: str


@dataclass(frozen=True, slots=True)
class Attribute:
    """Something to know of a product, such as its material."""

    label: str
    value: str | float | bool
    unit: str | None


@dataclass(frozen=True, slots=True)
class Variant:
    """What can be bought: the product in a colour and a size."""

    sku: str
    options: dict[str, str]


@dataclass(frozen=True, slots=True)
class Product(Summary):
    """A product with all that its page shows."""

    description: str
    images: tuple[Image, ...]
    attributes: tuple[Attribute, ...]
    variants: tuple[Variant, ...]
    related: tuple[str, ...]


class Catalog(Upstream):
    """Products, the same for everybody in one language; each is known as product:7."""

    policy = Policy(
        timeout=1.5, public=True, critical=True, cache=Cache(ttl=60, stale=600, error=3600)
    )

    async def product(self, product_id: str, locale: str) -> Product:
        """Return one product."""
        return await self.get("/products/{id}", Product, id=product_id, query={"locale": locale})

    async def summaries(self, ids: tuple[str, ...], locale: str) -> Mapping[str, Summary]:
        """Return those products that exist, by id."""
        query = {"ids": ",".join(ids), "locale": locale}
        page = await self.get("/products", Page[Summary], query=query)
        return {product.id: product for product in page.items}

    async def search(
        self, *, q: str, category: str, cursor: str, limit: int, locale: str
    ) -> Page[Summary]:
        """Return a page of the products that match; empty filters match all."""
        query = {
            "q": q or None,
            "category": category or None,
            "cursor": cursor or None,
            "limit": limit,
            "locale": locale,
        }
        return await self.get("/products", Page[Summary], query=query)
