"""Orders on the desktop: wide pages with everything joined, and all of them as a stream."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from itertools import islice

from bff_core import Require, Views, gather
from bffs.compositions.orders import OrderExport, OrderList, OrderPage, Purchases
from bffs.desktop.customer import Customer
from bffs.desktop.rows import ProductTitle, RowStock
from bffs.scopes import ORDERS_READ
from bffs.services.orders import Order, OrderLine
from bffs.services.payments import Payment


@dataclass(frozen=True, slots=True)
class WideLine:
    """A position with the product as it is now and how much of it there is."""

    line: OrderLine
    product: ProductTitle | None
    stock: RowStock | None


@dataclass(frozen=True, slots=True)
class WideOrder:
    """An order with its positions and its payment."""

    order: Order
    lines: Sequence[WideLine]
    payment: Payment | None


@dataclass(frozen=True, slots=True)
class WideOrders:
    """A page of orders and the customer who placed them."""

    customer: Customer | None
    items: Sequence[WideOrder]
    total: int
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class ExportedOrder:
    """An order as a row of the export."""

    number: str
    placed_at: str
    status: str
    total: int
    currency: str
    lines: int


views = Views(prefix="/v1", tags=["orders"], access=Require(ORDERS_READ))


@views.get("/orders", objective="complete 99 %, ≤ 500 ms")
async def get_orders(orders: OrderList) -> WideOrders:
    """List the viewer's orders with all that belongs to them."""
    page, customer = await gather(orders.page(), orders.customer())
    shown = Customer.of(customer, orders) if customer else None
    return WideOrders(shown, await _wide(orders, page.items), page.total, page.next_cursor)


@views.stream("/orders/export")
async def export_orders(export: OrderExport) -> AsyncIterator[ExportedOrder]:
    """Stream all of the viewer's orders, one per line."""
    async for order in export.orders():
        total = order.totals.total
        yield ExportedOrder(
            number=order.number,
            placed_at=order.placed_at,
            status=order.status,
            total=total.amount,
            currency=total.currency,
            lines=len(order.lines),
        )


@views.get("/orders/{order_id}")
async def get_order(page: OrderPage) -> WideOrder:
    """Show one of the viewer's orders."""
    (wide,) = await _wide(page, [await page.order()])
    return wide


async def _wide(screen: Purchases, orders: Sequence[Order]) -> list[WideOrder]:
    """Join orders with products, stock and payments: one call to each service for all of them."""
    lines = [line for order in orders for line in order.lines]
    products, stocks, payments = await gather(
        screen.summary.many(line.product_id for line in lines),
        screen.stock.many(line.product_id for line in lines),
        screen.payment.many(order.payment_id for order in orders),
    )
    titles = [ProductTitle.of(one, screen) if one else None for one in products]
    wide = map(WideLine, lines, titles, map(RowStock.of, stocks))
    return [
        WideOrder(order, list(islice(wide, len(order.lines))), payment)
        for order, payment in zip(orders, payments, strict=True)
    ]
