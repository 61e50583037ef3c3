"""The recommendations service: for customers, and products that go together."""

from fastapi import APIRouter, FastAPI, Response

from services_mock.answers import answer
from services_mock.data import categories, goods, recommendations, users
from services_mock.data.recommendations import Placement, Recommendation, Related
from services_mock.pages import Page, Paging, Required, Window, batch, page
from services_mock.problems import Problem, not_found
from services_mock.service import assemble

router = APIRouter(tags=["recommendations"])


def _ranked(found: tuple[Recommendation, ...], window: Window, within: str) -> Response:
    return answer(
        page(found, window, key=lambda one: (one.rank,), load=lambda one: one, within=within)
    )


@router.get("/recommendations", response_model=Page[Recommendation])
async def list_recommendations(
    customer_id: str, window: Paging, placement: Placement = "home"
) -> Response:
    """Return what is recommended to a customer, by rank."""
    if not users.exists(customer_id):
        raise Problem(404, "unknown_customer", f"There is no customer {customer_id!r}.")
    found = recommendations.recommendations(customer_id, placement)
    return _ranked(found, window, f"recommendations {customer_id} {placement}")


@router.get("/related", response_model=Page[Related])
async def list_related(ids: Required) -> Response:
    """Return what goes with many products."""
    return answer(
        batch(ids, lambda one: recommendations.related(one) if goods.exists(one) else None)
    )


@router.get("/related/{product_id}", response_model=Related)
async def get_related(product_id: str) -> Response:
    """Return what goes with a product."""
    if not goods.exists(product_id):
        raise not_found("product", product_id)
    return answer(recommendations.related(product_id))


@router.get("/trending", response_model=Page[Recommendation])
async def list_trending(window: Paging, category: str | None = None) -> Response:
    """Return the best sellers."""
    is_known = category is None or category in categories.NODES
    found = recommendations.trending(category) if is_known else ()
    return _ranked(found, window, f"trending {category}")


def create_app() -> FastAPI:
    """Return the recommendations service."""
    return assemble(
        "recommendations",
        router,
        summary="Recommendations and products bought together",
        cache_control="private, max-age=60",
    )
