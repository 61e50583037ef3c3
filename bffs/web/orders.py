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


class WebOrderLine(ShapeOf[OrderLine], name="OrderLine"):
    """One position of an order; `title` is the one of the receipt."""

    sku: str
    title: str
    quantity: int
    unit_price: WebMoney
    total: WebMoney
    product: WebCard | None = part(Shelf.summary, WebCard.of, key="product_id")


class WebTotals(ShapeOf[Totals], name="Totals"):
    """The sums of an order."""

    subtotal: WebMoney
    shipping: WebMoney
    tax: WebMoney
    total: WebMoney


class WebMethod(ShapeOf[MethodShown], name="PaymentMethod"):
    """A way to pay; `id` is what `checkout` takes as `paymentMethodId`."""

    id: strawberry.ID
    kind: str
    label: str
    last4: str | None


class WebPayment(ShapeOf[Payment], name="Payment"):
    """What was paid for an order."""

    status: str
    amount: WebMoney
    refunded: WebMoney
    method: WebMethod


class WebOrder(ShapeOf[Order], name="Order"):
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


class WebOrders(ShapeOf[Page[Order]], name="OrderList"):
    """A page of orders, newest first; `nextCursor` is null on the last."""

    items: list[WebOrder]
    total: int
    next_cursor: str | None
