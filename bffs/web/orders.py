"""Orders, with what belongs to them."""

import strawberry

from bff_core import Require, access
from bff_core.graphql import Info, ListSize
from bffs.compositions.orders import Purchases
from bffs.scopes import PAYMENTS_READ
from bffs.services.catalog import Summary
from bffs.services.orders import Order, OrderLine
from bffs.services.payments import Payment
from bffs.web.shelf import WebCard, card
from bffs.web.values import WebMoney


async def get_product(line: strawberry.Parent[OrderLine], info: Info) -> Summary | None:
    """Return the product as it is sold today."""
    return await card(info, line.product_id)


@strawberry.type(name="OrderLine")
class WebOrderLine:
    """One position of an order; `title` is the one of the receipt."""

    sku: str
    title: str
    quantity: int
    unit_price: WebMoney
    total: WebMoney
    product = strawberry.field(resolver=get_product, graphql_type=WebCard | None)


@strawberry.type(name="Totals")
class WebTotals:
    """The sums of an order."""

    subtotal: WebMoney
    shipping: WebMoney
    tax: WebMoney
    total: WebMoney


@strawberry.type(name="PaymentMethod")
class WebMethod:
    """A way to pay; `id` is what `checkout` takes as `paymentMethodId`."""

    id: strawberry.ID
    kind: str
    label: str
    last4: str | None


@strawberry.type(name="Payment")
class WebPayment:
    """What was paid for an order."""

    status: str
    amount: WebMoney
    refunded: WebMoney
    method: WebMethod


@access(Require(PAYMENTS_READ))
async def get_payment(order: strawberry.Parent[Order], info: Info) -> Payment | None:
    """Return what was paid; None when nothing was yet."""
    return await info.context.compose(Purchases).payment(order.payment_id)


@strawberry.type(name="Order")
class WebOrder:
    """What the viewer bought."""

    id: strawberry.ID
    number: str
    status: str
    placed_at: str
    lines: list[WebOrderLine] = strawberry.field(directives=[ListSize(assumed_size=5)])
    totals: WebTotals
    payment = strawberry.field(resolver=get_payment, graphql_type=WebPayment | None)


@strawberry.type(name="OrderList")
class WebOrders:
    """A page of orders, newest first; `nextCursor` is null on the last."""

    items: list[WebOrder]
    total: int
    next_cursor: str | None
