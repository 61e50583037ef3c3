"""The cart service: one cart per customer."""

from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, FastAPI, Header, Request, Response
from pydantic import BaseModel, Field

from services_mock.answers import answer, etag_of
from services_mock.data.carts import Cart
from services_mock.pages import Page, Required, batch
from services_mock.problems import Problem
from services_mock.service import assemble
from services_mock.stores.cart_shelf import CartShelf

router = APIRouter(tags=["cart"])


class WantedLine(BaseModel, extra="forbid"):
    """The quantity; `gift` is unchanged if it is absent."""

    quantity: Annotated[int, Field(ge=1, le=99, strict=True)]
    gift: bool | None = None


async def _store(request: Request) -> CartShelf:
    store: CartShelf = request.app.state.store
    return store


Store = Annotated[CartShelf, Depends(_store)]


async def _unchanged(
    store: Store, customer_id: str, if_match: Annotated[str | None, Header()] = None
) -> None:
    """Check that the cart did not change since the writer read it."""
    cart = store.get(customer_id)
    if if_match not in {None, "*", etag_of(msgspec.json.encode(cart))}:
        detail = "The cart has changed since you read it."
        raise Problem(412, "version_conflict", detail, version=cart.version)


UNCHANGED = [Depends(_unchanged)]


def _answer(cart: Cart) -> Response:
    return answer(cart, headers={"etag": etag_of(msgspec.json.encode(cart))})


@router.get("/carts", response_model=Page[Cart])
async def list_carts(store: Store, ids: Required) -> Response:
    """Return the carts of many customers."""
    return answer(batch(ids, store.find))


@router.get("/carts/{customer_id}", response_model=Cart)
async def get_cart(store: Store, customer_id: str) -> Response:
    """Return a customer's cart."""
    return answer(store.get(customer_id))


@router.put("/carts/{customer_id}/items/{sku}", response_model=Cart, dependencies=UNCHANGED)
async def put_item(store: Store, customer_id: str, sku: str, wanted: WantedLine) -> Response:
    """Set how many of a SKU are in the cart."""
    return _answer(store.put(customer_id, sku, wanted.quantity, gift=wanted.gift))


@router.delete("/carts/{customer_id}/items/{sku}", response_model=Cart, dependencies=UNCHANGED)
async def delete_item(store: Store, customer_id: str, sku: str) -> Response:
    """Take a SKU out of the cart."""
    return _answer(store.remove(customer_id, sku))


@router.delete("/carts/{customer_id}", response_model=Cart, dependencies=UNCHANGED)
async def clear_cart(store: Store, customer_id: str) -> Response:
    """Empty the cart."""
    return _answer(store.clear(customer_id))


def create_app() -> FastAPI:
    """Return the cart service."""
    return assemble(
        "cart",
        router,
        summary="One cart per customer",
        cache_control="private, no-cache",
        store=CartShelf(),
    )
