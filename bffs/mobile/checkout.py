"""Buying on the phone."""

from typing import Annotated

from fastapi import Depends

from bff_core import Views, compose
from bffs.compositions.checkout import Checkout
from bffs.mobile.orders import MobileOrder

views = Views(prefix="/v1", tags=["checkout"])


@views.post("/checkout", status=201, criticality="critical_plus")
async def post_checkout(
    checkout: Annotated[Checkout, Depends(compose(Checkout))],
) -> MobileOrder:
    """Buy what lies in the viewer's cart."""
    await checkout.run()
    return MobileOrder.of(await checkout.place())
