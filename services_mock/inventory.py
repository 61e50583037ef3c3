"""The inventory service: stock and reservations, and the suppliers."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, Query, Request, Response
from pydantic import BaseModel, Field

from services_mock import suppliers
from services_mock.answers import answer
from services_mock.data import goods, stock
from services_mock.data.stock import WAREHOUSES, Stock, Warehouse
from services_mock.pages import Page, RequestedIds, batch, split
from services_mock.problems import invalid, not_found
from services_mock.service import NO_STORE, assemble
from services_mock.stores.documents import Documents
from services_mock.stores.reservations import Reservation, Reservations, ReservedLine

router = APIRouter(tags=["inventory"])


class WantedLine(BaseModel, extra="forbid"):
    """A quantity of one SKU."""

    sku: Annotated[str, Field(max_length=40)]
    quantity: Annotated[int, Field(ge=1, le=99, strict=True)]


class WantedReservation(BaseModel, extra="forbid"):
    """The lines to reserve, the customer, and the duration (seconds)."""

    lines: Annotated[list[WantedLine], Field(min_length=1, max_length=50)]
    customer_id: str | None = None
    ttl_seconds: Annotated[int, Field(ge=1, le=3600)] = 900


async def _store(request: Request) -> Reservations:
    store: Reservations = request.app.state.store
    return store


Store = Annotated[Reservations, Depends(_store)]


@router.get("/stock", response_model=Page[Stock])
async def list_stock(
    store: Store, ids: RequestedIds, skus: Annotated[str | None, Query()] = None
) -> Response:
    """Return the stock of many products, or of many SKUs grouped by their products."""
    taken = store.taken()
    if ids is not None:
        return answer(
            batch(ids, lambda one: stock.stock(one, taken) if goods.exists(one) else None)
        )
    if skus is None:
        raise invalid("query.ids", "`ids` or `skus` is required")
    return answer(_by_sku(split(skus, "skus"), taken))


def _by_sku(requested: Sequence[str], taken: dict[str, int]) -> Page[Stock]:
    owners = {sku: goods.product_of(sku) for sku in requested}
    known = frozenset(sku for sku, owner in owners.items() if owner is not None)
    found = dict.fromkeys(owner for owner in owners.values() if owner is not None)
    items = [stock.stock(product_id, taken, only=known) for product_id in found]
    return Page(items, None, len(items), [sku for sku in requested if sku not in known])


@router.get("/stock/{product_id}", response_model=Stock)
async def get_stock(store: Store, product_id: str) -> Response:
    """Return the stock of a product."""
    if not goods.exists(product_id):
        raise not_found("stock of product", product_id)
    return answer(stock.stock(product_id, store.taken()))


@router.get("/warehouses", response_model=Page[Warehouse])
async def list_warehouses() -> Response:
    """List the warehouses."""
    return answer(Page(WAREHOUSES, None, len(WAREHOUSES)))


@router.post("/reservations", status_code=201, response_model=Reservation)
async def reserve(store: Store, wanted: WantedReservation) -> Response:
    """Hold stock: all lines or none."""
    lines = tuple(ReservedLine(line.sku, line.quantity) for line in wanted.lines)
    held = store.reserve(lines, wanted.customer_id, wanted.ttl_seconds)
    return answer(held, 201, {"location": f"/reservations/{held.id}"})


@router.get("/reservations/{reservation_id}", response_model=Reservation)
async def get_reservation(store: Store, reservation_id: str) -> Response:
    """Return a reservation."""
    return answer(store.get(reservation_id), headers=NO_STORE)


@router.post("/reservations/{reservation_id}/confirm", response_model=Reservation)
async def confirm(store: Store, reservation_id: str) -> Response:
    """Confirm a reservation."""
    return answer(store.confirm(reservation_id))


@router.delete("/reservations/{reservation_id}", status_code=204)
async def release(store: Store, reservation_id: str) -> Response:
    """Release a reservation."""
    store.release(reservation_id)
    return Response(status_code=204)


def create_app() -> FastAPI:
    """Return the inventory service."""
    app = assemble(
        "inventory",
        router,
        suppliers.router,
        summary="Stock, reservations and suppliers",
        cache_control="public, max-age=5",
        store=Reservations(),
    )
    app.state.documents = Documents()
    return app
