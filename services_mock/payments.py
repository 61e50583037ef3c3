"""The payments service: methods, payments, charges and refunds."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, FastAPI, Query, Request, Response
from pydantic import BaseModel, Field

from services_mock.answers import answer
from services_mock.data import payments, users
from services_mock.data.money import Money
from services_mock.data.payments import Method, Payment
from services_mock.pages import Key, Page, Paging, RequestedIds, batch, page, split
from services_mock.problems import invalid, not_found
from services_mock.service import assemble
from services_mock.stores.ledger import Charge, Ledger

router = APIRouter(tags=["payments"])


class Amount(BaseModel, extra="forbid"):
    """An amount in minor units."""

    amount: Annotated[int, Field(ge=1, strict=True)]
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")]

    def money(self) -> Money:
        """Return it as the house counts."""
        return Money(self.amount, self.currency)


class WantedCharge(BaseModel, extra="forbid"):
    """The charge: amount, customer, method."""

    customer_id: str
    amount: Amount
    payment_method_id: str
    order_id: str | None = None


class WantedRefund(BaseModel, extra="forbid"):
    """The amount of a refund (by default the whole rest), and the reason."""

    amount: Amount | None = None
    reason: Annotated[str | None, Field(max_length=200)] = None


async def _store(request: Request) -> Ledger:
    store: Ledger = request.app.state.store
    return store


Store = Annotated[Ledger, Depends(_store)]


def _method_key(method: Method) -> Key:
    _, customer, number = method.id.split("-")
    return (int(customer), int(number))


@router.get("/payment-methods", response_model=Page[Method])
async def list_methods(
    ids: RequestedIds, window: Paging, customer_id: str | None = None
) -> Response:
    """List ways to pay."""
    if ids is not None:
        return answer(batch(ids, payments.method))
    owners = users.everyone() if customer_id is None else (customer_id,)
    found = [
        method for owner in owners if users.exists(owner) for method in payments.methods(owner)
    ]
    listed = page(
        found,
        window,
        key=_method_key,
        load=lambda method: method,
        within=f"payment-methods {customer_id}",
    )
    return answer(listed)


@router.get("/payment-methods/{method_id}", response_model=Method)
async def get_method(method_id: str) -> Response:
    """Return one way to pay."""
    found = payments.method(method_id)
    if found is None:
        raise not_found("payment method", method_id)
    return answer(found)


def _payment_key(payment_id: str) -> Key:
    """Order by age, the latest first: charges are later than all seeded payments."""
    number = payment_id.removeprefix("pay-")
    is_charge = number.startswith("c")
    return (0 if is_charge else 1, -int(number.removeprefix("c")))


@router.get("/payments", response_model=Page[Payment])
async def list_payments(
    *,
    store: Store,
    ids: RequestedIds,
    window: Paging,
    order_ids: Annotated[str | None, Query(description="comma-separated")] = None,
    customer_id: str | None = None,
    sort: Literal["-created_at"] = "-created_at",
) -> Response:
    """List payments, or read many by their ids or their orders' ids."""
    if ids is not None:
        return answer(batch(ids, store.find))
    if order_ids is not None:
        return answer(batch(split(order_ids, "order_ids"), store.of_order))
    listed = page(
        store.ids(customer_id)[::-1],
        window,
        key=_payment_key,
        load=store.get,
        within=f"payments {sort} {customer_id}",
    )
    return answer(listed)


@router.get("/payments/{payment_id}", response_model=Payment)
async def get_payment(store: Store, payment_id: str) -> Response:
    """Return one payment."""
    return answer(store.get(payment_id))


@router.post("/charges", status_code=201, response_model=Payment)
async def charge(store: Store, wanted: WantedCharge) -> Response:
    """Charge a customer."""
    if wanted.amount.currency != "EUR":
        raise invalid("body.amount.currency", "only EUR is charged")
    taken = store.charge(
        Charge(wanted.customer_id, wanted.amount.money(), wanted.payment_method_id, wanted.order_id)
    )
    return answer(taken, 201, {"location": f"/payments/{taken.id}"})


@router.post("/payments/{payment_id}/refunds", status_code=201, response_model=Payment)
async def refund(store: Store, payment_id: str, wanted: WantedRefund | None = None) -> Response:
    """Refund a payment."""
    refund = wanted or WantedRefund()
    amount = refund.amount.money() if refund.amount else None
    return answer(store.refund(payment_id, amount, refund.reason), 201)


def create_app() -> FastAPI:
    """Return the payments service."""
    return assemble(
        "payments",
        router,
        summary="Payment methods, payments, charges, refunds",
        cache_control="private, no-cache",
        store=Ledger(),
    )
