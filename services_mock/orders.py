"""The orders service: orders, placed and cancelled, paged and exported."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter, Depends, FastAPI, Header, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from services_mock.answers import answer
from services_mock.data.order_index import Placed
from services_mock.data.orders import Order, Totals
from services_mock.pages import Page, Paging, RequestedIds, batch, page
from services_mock.service import assemble
from services_mock.stores.order_book import Basket, Filter, OrderBook, ascending, descending

NDJSON = "application/x-ndjson"
CHUNK = 8
"""Orders per chunk of an export: about 20 KB."""

Status = Literal["placed", "paid", "packed", "shipped", "delivered", "cancelled", "returned"]
Sort = Literal["-placed_at", "placed_at"]

router = APIRouter(tags=["orders"])


class WantedLine(BaseModel, extra="forbid"):
    """A quantity of one SKU."""

    sku: Annotated[str, Field(max_length=40)]
    quantity: Annotated[int, Field(ge=1, le=99, strict=True)]


class WantedOrder(BaseModel, extra="forbid"):
    """The order to place: lines, customer, payment."""

    customer_id: str
    lines: Annotated[list[WantedLine], Field(min_length=1, max_length=50)]
    payment_id: str | None = None
    reservation_id: str | None = None
    gift_message: Annotated[str | None, Field(max_length=500)] = None


class WantedQuote(BaseModel, extra="forbid"):
    """The lines of a possible order."""

    lines: Annotated[list[WantedLine], Field(min_length=1, max_length=50)]


class Cancellation(BaseModel, extra="forbid"):
    """Why an order is cancelled."""

    reason: Annotated[str | None, Field(max_length=500)] = None


async def _store(request: Request) -> OrderBook:
    store: OrderBook = request.app.state.store
    return store


async def _filter(
    customer_id: str | None = None,
    status: Status | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Filter:
    return Filter(customer_id, status, _utc(since), _utc(until))


def _utc(moment: datetime | None) -> datetime | None:
    is_naive = moment is not None and moment.tzinfo is None
    return moment.replace(tzinfo=UTC) if moment is not None and is_naive else moment


Store = Annotated[OrderBook, Depends(_store)]
Wanted = Annotated[Filter, Depends(_filter)]


def _sorted(book: OrderBook, wanted: Filter, sort: Sort) -> Sequence[Placed]:
    rows = book.rows(wanted)
    return rows if sort == "placed_at" else rows[::-1]


async def _lines(book: OrderBook, rows: Sequence[Placed]) -> AsyncIterator[bytes]:
    """Write one order per line, a few per chunk, until the client leaves."""
    encoder = msgspec.json.Encoder()
    for start in range(0, len(rows), CHUNK):
        yield encoder.encode_lines(list(book.export(rows[start : start + CHUNK])))


def _export(book: OrderBook, rows: Sequence[Placed]) -> Response:
    return StreamingResponse(_lines(book, rows), media_type=NDJSON)


@router.get("/orders", response_model=Page[Order])
async def list_orders(
    *,
    store: Store,
    ids: RequestedIds,
    wanted: Wanted,
    window: Paging,
    sort: Sort = "-placed_at",
    accept: Annotated[str, Header()] = "",
) -> Response:
    """List orders, or read many by their ids, or stream them where NDJSON is accepted."""
    if ids is not None:
        return answer(batch(ids, store.find))
    rows = _sorted(store, wanted, sort)
    if NDJSON in accept:
        return _export(store, rows)
    listed = page(
        rows,
        window,
        key=ascending if sort == "placed_at" else descending,
        load=lambda row: store.get(row.id),
        within=f"orders {sort} {wanted}",
    )
    return answer(listed, headers={"vary": "Accept"})


@router.get("/orders/export", response_class=StreamingResponse)
async def export_orders(store: Store, wanted: Wanted, sort: Sort = "-placed_at") -> Response:
    """Stream all orders of a list, one JSON document per line."""
    return _export(store, _sorted(store, wanted, sort))


@router.get("/orders/{order_id}", response_model=Order)
async def get_order(store: Store, order_id: str) -> Response:
    """Return one order."""
    return answer(store.get(order_id))


@router.post("/orders", status_code=201, response_model=Order)
async def place_order(store: Store, wanted: WantedOrder) -> Response:
    """Place an order."""
    basket = Basket(
        customer_id=wanted.customer_id,
        lines=tuple((line.sku, line.quantity) for line in wanted.lines),
        payment_id=wanted.payment_id,
        reservation_id=wanted.reservation_id,
        gift_message=wanted.gift_message,
    )
    placed = store.place(basket)
    return answer(placed, 201, {"location": f"/orders/{placed.id}"})


@router.post("/quotes", response_model=Totals)
async def quote(store: Store, wanted: WantedQuote) -> Response:
    """Return what an order of these lines would cost today."""
    return answer(store.quote([(line.sku, line.quantity) for line in wanted.lines]))


@router.post("/orders/{order_id}/cancel", response_model=Order)
async def cancel_order(
    store: Store, order_id: str, _cancellation: Cancellation | None = None
) -> Response:
    """Cancel an order that was not shipped."""
    return answer(store.cancel(order_id))


def create_app() -> FastAPI:
    """Return the orders service."""
    return assemble(
        "orders",
        router,
        summary="Orders and their export",
        cache_control="private, no-cache",
        store=OrderBook(),
    )
