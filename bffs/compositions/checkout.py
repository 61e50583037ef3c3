"""Buying what lies in the cart: stock is held, money taken, the order placed; or nothing is."""

from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated

from fastapi import Body

from bff_core import BFFError, InvalidInput, Saga, SagaPolicy, Viewer, step
from bffs.scopes import ORDERS_WRITE
from bffs.services.carts import CartLine, Carts
from bffs.services.inventory import Inventory, Reservation
from bffs.services.orders import Order, Orders
from bffs.services.payments import Payment, Payments
from bffs.services.values import Money


@dataclass(frozen=True, slots=True)
class Basket:
    """What is bought, and for how much."""

    lines: tuple[CartLine, ...]
    total: Money


class Checkout(Saga):
    """The viewer buys the cart, and pays by one of the stored ways."""

    policy = SagaPolicy(step_timeout=3.0)

    carts: Carts
    inventory: Inventory
    payments: Payments
    orders: Orders
    viewer: Viewer
    payment_method_id: Annotated[str, Body(embed=True, min_length=1, max_length=64)]

    @step(needs_compensation=False)  # a POST that only reads
    async def quote(self) -> Basket:
        """Fix what is bought and what it costs, whatever becomes of the cart meanwhile."""
        cart = await self.carts.cart(self.viewer.require(ORDERS_WRITE).subject)
        if not cart.lines:
            raise InvalidInput("The cart is empty.")
        return Basket(cart.lines, (await self.orders.quote(cart.lines)).total)

    @step
    async def reserve(self) -> Reservation:
        """Hold the stock."""
        basket = await self.quote()
        return await self.inventory.reserve(self.viewer.subject, basket.lines)

    @reserve.compensation
    async def release(self, held: Reservation) -> None:
        """Put it back."""
        await self.inventory.release(held.id)

    @step
    async def charge(self) -> Payment:
        """Take the money."""
        basket = await self.quote()
        return await self.payments.charge(self.viewer.subject, self.payment_method_id, basket.total)

    @charge.compensation
    async def refund(self, payment: Payment) -> None:
        """Give it back."""
        await self.payments.refund(payment.id)

    @step
    async def place(self) -> Order:
        """Place the order; from here on it is bought."""
        basket, held, payment = await self.quote(), await self.reserve(), await self.charge()
        return await self.orders.place(
            self.viewer.subject, basket.lines, payment_id=payment.id, reservation_id=held.id
        )

    async def empty_cart(self) -> None:
        """Take what was bought out of the cart; without the cart service it stays there."""
        with suppress(BFFError):
            await self.carts.clear(self.viewer.subject)
