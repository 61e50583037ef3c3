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
class Choice:
    """One value of an option, such as black."""

    id: str
    label: str


@dataclass(frozen=True, slots=True)
class Option:
    """What a buyer chooses: colour or size."""

    name: str
    label: str
    values: tuple[Choice, ...]


@dataclass(frozen=True, slots=True)
class Variant:
    """What can be bought: the product in a colour and a size.

    `options` has the id of a value by the name of its option; `image_index` is the picture of the
    product that shows the variant.
    """

    sku: str
    options: dict[str, str]
    image_index: int = 0


@dataclass(frozen=True, slots=True)
class Product(Summary):
    """A product with all that its page shows."""

    description: str
    images: tuple[Image, ...]
    attributes: tuple[Attribute, ...]
    variants: tuple[Variant, ...]
    related: tuple[str, ...]
    options: tuple[Option, ...] = ()

    def label(self, variant: Variant) -> str:
        """Return a variant in words, such as "Moss green, M"."""
        chosen = variant.options
        labels = (
            value.label
            for option in self.options
            for value in option.values
            if value.id == chosen.get(option.name)
        )
        return ", ".join(labels)


@dataclass(frozen=True, slots=True)
class CategoryGroup(Named):
    """Categories that belong together, such as jackets."""

    children: tuple[Named, ...]


@dataclass(frozen=True, slots=True)
class Category(Named):
    """A category at the root, such as clothing, and the groups below it."""

    product_count: int
    image: Image
    children: tuple[CategoryGroup, ...]


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

    async def categories(self, locale: str) -> tuple[Category, ...]:
        """Return all categories: roots, their groups, and the categories that hold products."""
        return (await self.get("/categories", Page[Category], query={"locale": locale})).items

    async def products(self, ids: tuple[str, ...], locale: str) -> Mapping[str, Product]:
        """Return those products that exist, by id, with all that their pages show."""
        query = {"ids": ",".join(ids), "locale": locale, "view": "full"}
        page = await self.get("/products", Page[Product], query=query)
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
