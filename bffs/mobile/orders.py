"""Orders on the phone: what was bought, and the page of one order."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from bff_core import Require, Views, gather
from bffs.compositions.orders import OrderList, OrderPage
from bffs.mobile.cards import picture
from bffs.scopes import ORDERS_READ
from bffs.services.orders import Order
from bffs.services.values import Money


@dataclass(frozen=True, slots=True)
class MobileOrder:
    """An order in a list."""

    id: str
    number: str
    status: str
    placed_at: str
    total: Money
    count: int

    @classmethod
    def of(cls, order: Order) -> Self:
        """Show an order by its sums."""
        count = sum(line.quantity for line in order.lines)
        total = order.totals.total
        return cls(order.id, order.number, order.status, order.placed_at, total, count)


@dataclass(frozen=True, slots=True)
class MobileOrders:
    """A page of orders; `next` is the cursor of the next."""

    items: Sequence[MobileOrder]
    total: int
    next: str | None


@dataclass(frozen=True, slots=True)
class MobileOrderLine:
    """A position of an order; the picture is null when the product is gone."""

    title: str
    image: str | None
    quantity: int
    total: Money


@dataclass(frozen=True, slots=True)
class MobileOrderPage:
    """An order with its positions; `paid_with` is null when nothing is known of a payment."""

    order: MobileOrder
    lines: Sequence[MobileOrderLine]
    shipping: Money
    paid_with: str | None


views = Views(prefix="/v1", tags=["orders"], access=Require(ORDERS_READ))


@views.get("/orders")
async def get_orders(orders: OrderList) -> MobileOrders:
    """List the viewer's orders, newest first."""
    page = await orders.page()
    items = [MobileOrder.of(order) for order in page.items]
    return MobileOrders(items, page.total, page.next_cursor)


@views.get("/orders/{order_id}")
async def get_order(page: OrderPage) -> MobileOrderPage:
    """Show one of the viewer's orders."""
    order = await page.order()
    products, payment = await gather(
        page.summary.many(line.product_id for line in order.lines), page.payment(order.payment_id)
    )
    return MobileOrderPage(
        order=MobileOrder.of(order),
        lines=[
            MobileOrderLine(
                product.title if product else line.title,
                picture(product, page) if product else None,
                line.quantity,
                line.total,
            )
            for line, product in zip(order.lines, products, strict=True)
        ],
        shipping=order.totals.shipping,
        paid_with=payment.method.label if payment else None,
    )
