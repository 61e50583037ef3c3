"""Buying in the browser."""

import strawberry

from bff_core import Require, access
from bff_core.graphql import Info
from bffs.compositions.checkout import Checkout
from bffs.scopes import ORDERS_WRITE
from bffs.services.orders import Order


@access(Require(ORDERS_WRITE))
async def checkout(info: Info, payment_method_id: strawberry.ID) -> Order:
    """Buy what lies in the viewer's cart; repeat it with the same Idempotency-Key."""
    bought = info.context.compose_anew(Checkout, payment_method_id=str(payment_method_id))
    await bought.run()
    return await bought.place()
