"""Buying on the phone."""

from bff_core import Require, Views
from bffs.compositions.checkout import Checkout
from bffs.mobile.orders import MobileOrder
from bffs.scopes import ORDERS_WRITE

views = Views(prefix="/v1", tags=["checkout"])


@views.post("/checkout", status=201, criticality="critical_plus", access=Require(ORDERS_WRITE))
async def post_checkout(checkout: Checkout) -> MobileOrder:
    """Buy what lies in the viewer's cart."""
    await checkout.run()
    return MobileOrder.of(await checkout.place())
