"""What a phone gets."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import Body, Depends
from fastapi.responses import PlainTextResponse

from bff_core import ANYONE, BulkAnswer, Require, Views, bulk_answer, compose, early
from shop.screens import ProductPage, Rename
from shop.services import Product, Rating


@dataclass(frozen=True)
class MobileProduct:
    """A product on a phone."""

    title: str
    stars: float | None
    related: Sequence[str] = ()


views = Views(
    prefix="/v1",
    tags=["products"],
    access=Require(),
    criticality="critical_plus",
    idempotency="required",
    max_values=100,
    meta=True,
    cache=False,
    deprecated=False,
    responses={404: {"description": "no such product"}},
)
Page = Annotated[ProductPage, Depends(compose(ProductPage))]


def early_product(product: Product, page: ProductPage) -> str:
    """Return the title before the rest."""
    return f"{page.product_id}: {product.title}"


@views.get(
    "/products/{product_id}",
    access=ANYONE,
    criticality="sheddable",
    cache=True,
    public=True,
    meta=False,
    progressive=[early(ProductPage.product, early_product)],
    summary="A product",
    response_model_exclude_none=True,
    openapi_extra={"x-team": "catalog"},
)
async def get_product(page: Page) -> MobileProduct:
    """Return a product."""
    product, rating = await page.both()
    return MobileProduct(product.title, rating.average if rating else None)


@views.get("/products/{product_id}/title", response_class=PlainTextResponse)
async def get_title(page: Page) -> str:
    """Return the title alone."""
    return (await page.product()).title


@views.put("/products/{product_id}/title", status=202, idempotency="optional")
async def put_title(write: Annotated[Rename, Depends(compose(Rename))]) -> None:
    """Rename a product."""
    await write.run()


@views.post("/products/{product_id}/titles", max_values=10, status_code=207)
async def post_titles(page: Page, titles: Annotated[list[str], Body()]) -> BulkAnswer[str]:
    """Rename a product several times."""
    return bulk_answer(await page.rename(titles), str)


@views.stream("/ratings", access=ANYONE)
async def stream_ratings(page: Page) -> AsyncIterator[Rating]:
    """Send all ratings, one per line."""
    async for rating in page.reviews.all_ratings():
        yield rating
