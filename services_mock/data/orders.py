"""The seeded orders: lines, totals, shipments, history."""

import functools
import random
from dataclasses import dataclass
from datetime import datetime, timedelta

from services_mock.data import goods, order_index, prices, seed, users
from services_mock.data.money import CURRENCY, Money
from services_mock.data.order_index import Placed
from services_mock.data.people import Address

FREE_SHIPPING_FROM = 5_000
SHIPPING = 490
VAT = 0.19
SCAN_HOURS = 9
"""Hours between two scans of a parcel."""

STEPS = ("placed", "paid", "packed", "shipped", "delivered")
CARRIERS = ("DHL", "Colissimo", "PostNL", "InPost", "GLS")


@dataclass(frozen=True, slots=True)
class Line:
    """One position of an order."""

    id: str
    product_id: str
    sku: str
    title: str
    quantity: int
    unit_price: Money
    total: Money
    status: str


@dataclass(frozen=True, slots=True)
class Totals:
    """The sums of an order; `tax` is part of `total`."""

    subtotal: Money
    discount: Money
    shipping: Money
    tax: Money
    total: Money


@dataclass(frozen=True, slots=True)
class Event:
    """One scan of a parcel."""

    at: str
    code: str
    place: str


@dataclass(frozen=True, slots=True)
class Shipment:
    """A parcel on its way; `lines` are ids."""

    id: str
    carrier: str
    tracking_number: str
    status: str
    estimated_at: str
    lines: tuple[str, ...]
    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """One step of an order's history."""

    at: str
    status: str
    by: str


@dataclass(frozen=True, slots=True)
class Order:
    """An order with all that belongs to it."""

    id: str
    number: str
    customer_id: str
    status: str
    placed_at: str
    updated_at: str
    currency: str
    lines: tuple[Line, ...]
    totals: Totals
    shipping_address: Address
    billing_address: Address
    payment_id: str | None
    reservation_id: str | None
    shipments: tuple[Shipment, ...]
    history: tuple[Change, ...]
    gift_message: str | None


@functools.lru_cache(maxsize=1024)
def order(order_id: str) -> Order:
    """Return a seeded order that exists."""
    placed = order_index.find(order_id)
    chance = seed.draw("order", order_id)
    lines = _lines(chance, placed)
    history = _history(chance, placed)
    addresses = users.user(placed.customer_id).addresses
    return Order(
        id=order_id,
        number=number_of(order_id, placed.placed_at),
        customer_id=placed.customer_id,
        status=placed.status,
        placed_at=seed.instant(placed.placed_at),
        updated_at=history[-1].at,
        currency=CURRENCY,
        lines=lines,
        totals=totals(lines, discount_percent=chance.choice((0, 0, 0, 0, 5, 10))),
        shipping_address=chance.choice(addresses),
        billing_address=addresses[0],
        payment_id=None if placed.status == "placed" else f"pay-{order_id}",
        reservation_id=None,
        shipments=_shipments(chance, placed, lines),
        history=history,
        gift_message=chance.choice([None] * 11 + ["Happy birthday, and see you in spring!"]),
    )


def number_of(order_id: str, placed_at: datetime) -> str:
    """Return the number that is printed on the receipt."""
    return f"{placed_at:%y%m}-{int(order_id):07d}"


def line(identity: str, sku: str, quantity: int, status: str) -> Line:
    """Return a position at today's price."""
    product_id = sku.partition("-")[0]
    each = prices.by_sku(product_id)[sku]
    title = goods.title(product_id, "en")
    total = Money(each * quantity)
    return Line(identity, product_id, sku, title, quantity, Money(each), total, status)


def totals(lines: tuple[Line, ...], *, discount_percent: int = 0) -> Totals:
    """Add the lines up."""
    subtotal = sum(item.total.amount for item in lines)
    discount = subtotal * discount_percent // 100
    shipping = 0 if subtotal >= FREE_SHIPPING_FROM else SHIPPING
    total = subtotal - discount + shipping
    tax = round(total - total / (1 + VAT))
    return Totals(Money(subtotal), Money(discount), Money(shipping), Money(tax), Money(total))


def _lines(chance: random.Random, placed: Placed) -> tuple[Line, ...]:
    is_wholesale = placed.customer_id == str(users.WHOLESALE)
    wanted = chance.randint(3, 8) if is_wholesale else min(6, int(chance.paretovariate(1.2)))
    chosen = {item.id: item for item in (goods.popular(chance) for _ in range(wanted))}
    quantities = (5, 10, 20) if is_wholesale else (1, 1, 1, 2, 3)
    return tuple(
        line(
            f"{placed.id}-{n}",
            chance.choice(item.variants).sku,
            chance.choice(quantities),
            placed.status,
        )
        for n, item in enumerate(chosen.values(), 1)
    )


def _steps(status: str) -> tuple[str, ...]:
    if status == "cancelled":
        return ("placed", "paid", "cancelled")
    if status == "returned":
        return (*STEPS, "returned")
    return STEPS[: STEPS.index(status) + 1]


def _history(chance: random.Random, placed: Placed) -> tuple[Change, ...]:
    hours = {
        "placed": 0.0,
        "paid": chance.uniform(0, 3),
        "packed": chance.uniform(18, 30),
        "shipped": 48.0,
        "delivered": 48.0 + SCAN_HOURS * 5,
        "cancelled": chance.uniform(5, 20),
        "returned": chance.uniform(200, 400),
    }
    return tuple(
        Change(seed.instant(placed.placed_at + timedelta(hours=hours[step])), step, _actor(step))
        for step in _steps(placed.status)
    )


def _actor(step: str) -> str:
    actors = {"placed": "customer", "packed": "warehouse", "shipped": "warehouse"}
    return actors.get(step, "system")


def _shipments(
    chance: random.Random, placed: Placed, lines: tuple[Line, ...]
) -> tuple[Shipment, ...]:
    if "shipped" not in _steps(placed.status):
        return ()
    halves = (lines[::2], lines[1::2]) if len(lines) > 3 else (lines,)
    return tuple(_shipment(chance, placed, n, part) for n, part in enumerate(halves, 1))


def _shipment(
    chance: random.Random, placed: Placed, number: int, lines: tuple[Line, ...]
) -> Shipment:
    left = placed.placed_at + timedelta(days=2)
    codes = ("announced", "picked_up", "sorted", "in_transit", "out_for_delivery", "delivered")
    reached = 4 if placed.status == "shipped" else 6
    places = ("Hamburg", "Hamburg", "Kassel", "Lyon", "Lyon", "Lyon")
    return Shipment(
        id=f"shp-{placed.id}-{number}",
        carrier=chance.choice(CARRIERS),
        tracking_number=f"{chance.randrange(10**11, 10**12)}",
        status=codes[reached - 1],
        estimated_at=seed.instant(left + timedelta(days=3)),
        lines=tuple(item.id for item in lines),
        events=tuple(
            Event(seed.instant(left + timedelta(hours=SCAN_HOURS * step)), code, places[step])
            for step, code in enumerate(codes[:reached])
        ),
    )
