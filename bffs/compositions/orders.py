"""A customer's orders, page by page and one by one, with what belongs to them."""

from collections.abc import AsyncIterator, Mapping
from typing import Annotated

from fastapi import Query

from bff_core import NotFound, Viewer, critical, loader, optional
from bffs.compositions.ids import Id
from bffs.compositions.shelf import Shelf
from bffs.scopes import ORDERS_READ, PAYMENTS_READ, PROFILE_READ
from bffs.services.orders import Order, Orders
from bffs.services.payments import Payment, Payments
from bffs.services.users import User, Users
from bffs.services.values import Page


class Purchases(Shelf):
    """The common parts of screens with orders."""

    users: Users
    orders_service: Orders
    payments_service: Payments
    viewer: Viewer

    @optional(timeout=1.0)
    async def customer(self) -> User:
        """Who ordered."""
        return await self.users.profile(self.viewer.require(PROFILE_READ).subject)

    @loader(missing=None, fallback=None, timeout=1.0)
    async def payment(self, ids: tuple[str | None, ...]) -> Mapping[str | None, Payment]:
        """What was paid for an order; null when nothing was.

        The keys are the `payment_id` of orders.
        """
        self.viewer.require(PAYMENTS_READ)
        payments = await self.payments_service.payments([one for one in ids if one is not None])
        return {payment.id: payment for payment in payments}


class OrderList(Purchases):
    """A page of the viewer's orders, newest first."""

    cursor: Annotated[str, Query(max_length=500)] = ""
    limit: Annotated[int, Query(ge=1, le=50)] = 10

    @critical
    async def page(self) -> Page[Order]:
        """A page of the orders, newest first."""
        subject = self.viewer.require(ORDERS_READ).subject
        return await self.orders_service.of(subject, first=self.limit, cursor=self.cursor)


class OrderPage(Purchases):
    """One order of the viewer's."""

    order_id: Id

    @critical
    async def order(self) -> Order:
        """One order of the viewer's.

        Another customer's looks like one that does not exist.
        """
        subject = self.viewer.require(ORDERS_READ).subject
        order = await self.orders_service.order(self.order_id)
        if order is None or order.customer_id != subject:
            raise NotFound("There is no such order.")
        return order


class OrderExport(Purchases):
    """All of the viewer's orders, as a stream."""

    def orders(self) -> AsyncIterator[Order]:
        """Yield them as they come, newest first."""
        return self.orders_service.export(self.viewer.require(ORDERS_READ).subject)
