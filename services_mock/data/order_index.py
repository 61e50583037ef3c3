"""The index of all seeded orders, in the order of their ids."""

import functools
from dataclasses import dataclass
from datetime import datetime

from services_mock.data import ids, seed, users

FIRST = 10_001
COUNT = 5_600
DEMO_ORDERS = 48
WHOLESALE_ORDERS = 1_200
DAYS = 1_000


@dataclass(frozen=True, slots=True)
class Placed:
    """One order's place in time."""

    id: str
    customer_id: str
    placed_at: datetime
    status: str


def exists(order_id: str) -> bool:
    """Whether there is such a seeded order."""
    return ids.is_between(order_id, FIRST, FIRST + COUNT - 1)


@functools.cache
def placed() -> tuple[Placed, ...]:
    """Return all orders, the oldest first."""
    chance = seed.draw("orders")
    instants = sorted(seed.before(chance, DAYS) for _ in range(COUNT))
    return tuple(
        Placed(str(number), customer, instant, _status(str(number), instant))
        for number, (customer, instant) in enumerate(
            zip(_customers(), instants, strict=True), FIRST
        )
    )


def find(order_id: str) -> Placed:
    """Return one order that exists."""
    return placed()[int(order_id) - FIRST]


@functools.cache
def of_customer(customer_id: str) -> tuple[Placed, ...]:
    """Return a customer's orders, the oldest first."""
    return tuple(order for order in placed() if order.customer_id == customer_id)


def _customers() -> list[str]:
    """Draw the customer of each order: few order often, most seldom, two a fixed number."""
    chance = seed.draw("customers")
    others = [number for number in range(1, users.COUNT + 1) if number > users.WHOLESALE]
    weights = [min(12.0, chance.paretovariate(1.3)) for _ in others]
    drawn = chance.choices(others, weights, k=COUNT - DEMO_ORDERS - WHOLESALE_ORDERS)
    known = [users.DEMO] * DEMO_ORDERS + [users.WHOLESALE] * WHOLESALE_ORDERS
    everyone = [str(number) for number in (*known, *drawn)]
    chance.shuffle(everyone)
    return everyone


def _status(order_id: str, placed_at: datetime) -> str:
    age = (seed.EPOCH - placed_at).days
    if age < 12:
        return ("placed", "paid", "packed", "shipped")[min(3, age // 2)]
    luck = seed.draw("status", order_id).random()
    return "cancelled" if luck < 0.05 else "returned" if luck < 0.1 else "delivered"
