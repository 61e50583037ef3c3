"""Orders, with what belongs to them."""

import strawberry

from bff_core import Require
from bff_core.graphql import ListSize, ShapeOf, part
from bffs.compositions.orders import Purchases
from bffs.compositions.shelf import Shelf
from bffs.scopes import PAYMENTS_READ
from bffs.services.orders import Order, OrderLine, Totals
from bffs.services.payments import MethodShown, Payment
from bffs.services.values import Page
from bffs.web.shelf import WebCard
from bffs.web.values import WebMoney


@strawberry.type(name="OrderLine")
class WebOrderLine(ShapeOf[OrderLine]):
    """One position of an order; `title` is the one of the receipt."""

    sku: str
    title: str
    quantity: int
    unit_price: WebMoney
    total: WebMoney
    product: WebCard | None = part(Shelf.summary, WebCard.of, key="product_id")


@strawberry.type(name="Totals")
class WebTotals(ShapeOf[Totals]):
    """The sums of an order."""

    subtotal: WebMoney
    shipping: WebMoney
    tax: WebMoney
    total: WebMoney


@strawberry.type(name="PaymentMethod")
class WebMethod(ShapeOf[MethodShown]):
    """A way to pay; `id` is what `checkout` takes as `paymentMethodId`."""

    id: strawberry.ID
    kind: str
    label: str
    last4: str | None


@strawberry.type(name="Payment")
class WebPayment(ShapeOf[Payment]):
    """What was paid for an order."""

    status: str
    amount: WebMoney
    refunded: WebMoney
    method: WebMethod


@strawberry.type(name="Order")
class WebOrder(ShapeOf[Order]):
    """What the viewer bought."""

    id: strawberry.ID
    number: str
    status: str
    placed_at: str
    lines: list[WebOrderLine] = strawberry.field(directives=[ListSize(assumed_size=5)])
    totals: WebTotals
    payment: WebPayment | None = part(
        Purchases.payment, WebPayment.of, key="payment_id", access=Require(PAYMENTS_READ)
    )


@strawberry.type(name="OrderList")
class WebOrders(ShapeOf[Page[Order]]):
    """A page of orders, newest first; `nextCursor` is null on the last."""

    items: list[WebOrder]
    total: int
    next_cursor: str | None
