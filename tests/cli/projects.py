"""Projects of tests: a folder with `[tool.bff]` and a gateway in one file."""

from pathlib import Path

SHOP = '''
"""A shop in one file."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import strawberry
from bff_core import ANYONE, Cache, Composition, Gateway, Limit, Policy, Require, Upstream, Views
from bff_core import critical, gateway, gather, loader, optional
from bff_core.graphql import GraphQL, ShapeOf, part, screen


class Catalog(Upstream):
    policy = Policy(timeout=1.5, public=True, cache=Cache(ttl=60))

    async def product(self, product_id: str) -> dict[str, str]:
        return await self.get("/products/{id}", dict[str, str], id=product_id)

    async def titles(self, ids: tuple[str, ...]) -> dict[str, str]:
        return await self.get("/titles", dict[str, str], query={"ids": ",".join(ids)})


class Reviews(Upstream):
    policy = Policy(timeout=0.8)

    async def stars(self, product_id: str) -> float:
        return await self.get("/stars/{id}", float, id=product_id)


class ProductPage(Composition):
    """A product, and what people think of it."""

    catalog: Catalog
    reviews: Reviews
    product_id: str

    @critical
    async def product(self) -> dict[str, str]:
        """The product."""
        return await self.catalog.product(self.product_id)

    @optional(timeout=0.4)
    async def stars(self) -> float:
        """What people think of it."""
        return await self.reviews.stars(self.product_id)

    @loader(fallback="?")
    async def title(self, ids: tuple[str, ...]) -> dict[str, str]:
        """The titles of products."""
        return await self.catalog.titles(ids)


views = Views(prefix="/v1", access=ANYONE)


@dataclass
class Product:
    title: str
    stars: float | None
    next: str


@views.get("/products/all")
async def get_products() -> list[str]:
    """Show all products."""
    return []


@views.stream("/titles")
async def get_titles(page: ProductPage) -> AsyncIterator[str]:
    """Send titles."""
    yield await page.title("8")


@views.get("/products/{product_id}", public=True)
async def get_product(page: ProductPage) -> Product:
    """Show a product."""
    product, stars = await gather(page.product(), page.stars())
    return Product(product["title"], stars, await page.title(product["next"]))


@views.post("/reviews", access=Require("reviews:write"), criticality="sheddable")
async def post_review(stars: int) -> int:
    """Take a review."""
    return stars


@strawberry.type(name="Product")
class WebProduct(ShapeOf[ProductPage]):
    stars: float | None = part(ProductPage.stars)
    title: str = part(ProductPage.product, lambda product: product["title"])


@strawberry.type
class Query:
    product: WebProduct | None = screen(ProductPage, WebProduct.of, access=ANYONE)


LIMITS = [Limit(quota=600), Limit(quota=60, paths=("/v1/reviews",), name="reviews")]


def mobile() -> Gateway:
    made = gateway("mobile", faces=[views], limits=LIMITS)

    @made.get("/plain")
    async def plain() -> str:
        return "plain"

    return made


def web() -> Gateway:
    return gateway("web", faces=[GraphQL(strawberry.Schema(Query))])
'''

TABLE = """
[tool.bff.gateways.mobile]
app = "{module}:mobile"
port = {mobile}
about = "REST"

[tool.bff.gateways.web]
app = "{module}:web"
port = {web}
about = "GraphQL"

[tool.bff.services.catalog]
port = {catalog}

[tool.bff.services.reviews]
port = {reviews}
"""

PORTS = {"mobile": 8002, "web": 8001, "catalog": 9002, "reviews": 9008}


def write_shop(folder: Path, module: str, **ports: int) -> Path:
    """Write the project; its module has a name of its own, since modules are imported once."""
    (folder / "pyproject.toml").write_text(TABLE.format(module=module, **(PORTS | ports)))
    (folder / f"{module}.py").write_text(SHOP)
    return folder
