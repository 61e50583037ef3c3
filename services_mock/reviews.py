"""The reviews service: opinions and their summaries."""

from collections.abc import Sequence
from typing import Annotated, Literal

from fastapi import APIRouter, FastAPI, Query, Response

from services_mock.answers import answer
from services_mock.data import goods, reviews
from services_mock.data.reviews import RatingSummary, Review, Row
from services_mock.locales import Language
from services_mock.pages import Key, Page, Paging, RequestedIds, Required, batch, page, split
from services_mock.problems import invalid, not_found
from services_mock.service import assemble

Sort = Literal["-helpful", "-created_at", "-rating", "rating"]

router = APIRouter(tags=["reviews"])


def _key(sort: Sort, row: Row) -> Key:
    first = {
        "-helpful": -row.helpful,
        "-created_at": row.age,
        "-rating": -row.rating,
        "rating": row.rating,
    }[sort]
    return (first, row.number)


def _sorted(product_id: str, sort: Sort) -> list[Row]:
    return sorted(reviews.rows(product_id), key=lambda row: _key(sort, row))


@router.get("/reviews", response_model=Page[Review])
async def list_reviews(
    *,
    ids: RequestedIds,
    window: Paging,
    product_id: str | None = None,
    product_ids: Annotated[str | None, Query(description="comma-separated")] = None,
    per_product: Annotated[int, Query(ge=1, le=10)] = 3,
    rating: Annotated[int | None, Query(ge=1, le=5)] = None,
    locale: Language | None = None,
    verified: bool | None = None,
    sort: Sort = "-helpful",
) -> Response:
    """List the reviews of a product, or the first few of many products."""
    if ids is not None:
        return answer(batch(ids, _find))
    if product_ids is not None:
        return answer(_first_of_each(split(product_ids, "product_ids"), per_product, sort))
    if product_id is None:
        raise invalid("query.product_id", "`product_id`, `product_ids` or `ids` is required")
    found = [
        row
        for row in (_sorted(product_id, sort) if goods.exists(product_id) else ())
        if rating in {None, row.rating}
        and locale in {None, row.locale}
        and verified in {None, row.verified}
    ]
    listed = page(
        found,
        window,
        key=lambda row: _key(sort, row),
        load=reviews.review,
        within=f"reviews {sort} {product_id} {rating} {locale} {verified}",
    )
    return answer(listed)


def _find(review_id: str) -> Review | None:
    row = reviews.find(review_id)
    return None if row is None else reviews.review(row)


def _first_of_each(requested: Sequence[str], count: int, sort: Sort) -> Page[Review]:
    known = [one for one in requested if goods.exists(one)]
    items = [reviews.review(row) for one in known for row in _sorted(one, sort)[:count]]
    return Page(items, None, len(items), [one for one in requested if not goods.exists(one)])


@router.get("/reviews/{review_id}", response_model=Review)
async def get_review(review_id: str) -> Response:
    """Return one review."""
    found = _find(review_id)
    if found is None:
        raise not_found("review", review_id)
    return answer(found)


@router.get("/summaries", response_model=Page[RatingSummary])
async def list_summaries(ids: Required) -> Response:
    """Return the ratings of many products."""
    return answer(batch(ids, lambda one: reviews.summary(one) if goods.exists(one) else None))


@router.get("/summaries/{product_id}", response_model=RatingSummary)
async def get_summary(product_id: str) -> Response:
    """Return the ratings of a product in one line."""
    if not goods.exists(product_id):
        raise not_found("ratings of product", product_id)
    return answer(reviews.summary(product_id))


def create_app() -> FastAPI:
    """Return the reviews service."""
    return assemble(
        "reviews",
        router,
        summary="Reviews and rating summaries",
        cache_control="public, max-age=120",
    )
