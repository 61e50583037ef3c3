"""The pricing service: prices and deals."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from pydantic import BaseModel, Field

from services_mock.answers import answer
from services_mock.data import categories, prices
from services_mock.data.prices import Badge, Deal, Price
from services_mock.pages import Key, Page, Paging, RequestedIds, Required, batch, page
from services_mock.problems import not_found
from services_mock.service import assemble
from services_mock.stores.price_book import PriceBook
from services_mock.tags import about

Sort = Literal["-discount", "ends_at"]

router = APIRouter(tags=["pricing"])


class WantedPrice(BaseModel, extra="forbid"):
    """The new price of a variant, in minor units."""

    amount: Annotated[int, Field(ge=1, le=10_000_000, strict=True)]
    currency: Literal["EUR"]


async def _store(request: Request) -> PriceBook:
    store: PriceBook = request.app.state.store
    return store


Store = Annotated[PriceBook, Depends(_store)]


@router.get("/prices", response_model=Page[Price])
async def list_prices(store: Store, ids: Required) -> Response:
    """Return the prices of many products."""
    return answer(batch(ids, store.find), headers=about("price", ids))


@router.get("/prices/{product_id}", response_model=Price)
async def get_price(store: Store, product_id: str) -> Response:
    """Return what a product costs."""
    found = store.find(product_id)
    if found is None:
        raise not_found("price of product", product_id)
    return answer(found, headers=about("price", (product_id,)))


@router.put("/skus/{sku}/price", response_model=Price)
async def put_price(store: Store, sku: str, wanted: WantedPrice) -> Response:
    """Set what a variant costs; return what its product costs then."""
    return answer(store.change(sku, wanted.amount))


def _key(sort: Sort, deal: Deal) -> Key:
    number = int(deal.product_id)
    return (deal.ends_at, number) if sort == "ends_at" else (-deal.discount_percent, number)


@router.get("/deals", response_model=Page[Deal])
async def list_deals(
    ids: RequestedIds,
    window: Paging,
    category: str | None = None,
    badge: Badge | None = None,
    sort: Sort = "-discount",
) -> Response:
    """List the deals."""
    if ids is not None:
        return answer(batch(ids, prices.deals().get))
    leaves = categories.leaves_under(category) if category else categories.LEAVES.keys()
    found = [
        deal
        for deal in prices.deals().values()
        if deal.category_id in leaves and badge in {None, deal.badge}
    ]
    found.sort(key=lambda deal: _key(sort, deal))
    listed = page(
        found,
        window,
        key=lambda deal: _key(sort, deal),
        load=lambda deal: deal,
        within=f"deals {sort} {category} {badge}",
    )
    return answer(listed, headers=about("price", (deal.product_id for deal in listed.items)))


@router.get("/deals/{deal_id}", response_model=Deal)
async def get_deal(deal_id: str) -> Response:
    """Return one deal."""
    found = prices.deals().get(deal_id)
    if found is None:
        raise not_found("deal", deal_id)
    return answer(found)


def create_app() -> FastAPI:
    """Return the pricing service."""
    return assemble(
        "pricing",
        router,
        summary="Prices and deals",
        cache_control="public, max-age=30",
        store=PriceBook(),
    )
