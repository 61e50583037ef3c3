"""Buying on the desktop, with the receipt."""

from dataclasses import dataclass

from bff_core import Require, Views
from bffs.compositions.checkout import Checkout
from bffs.scopes import ORDERS_WRITE
from bffs.services.orders import Order
from bffs.services.payments import Payment


@dataclass(frozen=True, slots=True)
class Receipt:
    """What was bought, and how it was paid."""

    order: Order
    payment: Payment


views = Views(prefix="/v1", tags=["checkout"])


@views.post("/checkout", status=201, criticality="critical_plus", access=Require(ORDERS_WRITE))
async def post_checkout(checkout: Checkout) -> Receipt:
    """Buy what lies in the viewer's cart."""
    await checkout.run()
    await checkout.empty_cart()
    return Receipt(await checkout.place(), await checkout.charge())
