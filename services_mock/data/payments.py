"""The seeded ways to pay, and the payments of the seeded orders."""

import functools
import random
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from services_mock.data import order_index, orders, seed, users
from services_mock.data.money import Money

DECLINING = "0002"
"""The last digits of a card that every bank declines."""

Kind = Literal["card", "paypal", "sepa", "invoice"]
Status = Literal["captured", "partially_refunded", "refunded"]


@dataclass(frozen=True, slots=True)
class Method:
    """A way to pay; `expires` is a month, cards only."""

    id: str
    customer_id: str
    kind: Kind
    label: str
    brand: str | None
    last4: str | None
    expires: str | None
    holder: str
    is_default: bool
    created_at: str


@dataclass(frozen=True, slots=True)
class UsedMethod:
    """A payment's copy of its method."""

    id: str
    kind: Kind
    label: str
    brand: str | None
    last4: str | None


@dataclass(frozen=True, slots=True)
class Refund:
    """A refund."""

    id: str
    amount: Money
    reason: str | None
    created_at: str


@dataclass(frozen=True, slots=True)
class Payment:
    """A payment."""

    id: str
    order_id: str | None
    customer_id: str
    status: Status
    amount: Money
    refunded: Money
    method: UsedMethod
    created_at: str
    captured_at: str
    refunds: tuple[Refund, ...]


@functools.lru_cache(maxsize=users.COUNT)
def methods(customer_id: str) -> tuple[Method, ...]:
    """Return a customer's ways to pay, the default one first."""
    chance = seed.draw("methods", customer_id)
    kinds: tuple[Kind, ...] = ("card", "paypal", "card", "sepa")
    if customer_id != str(users.DEMO):
        others: tuple[Kind, ...] = ("paypal", "card", "sepa", "invoice")
        kinds = ("card", *seed.some(chance, others, 0, 3))
    return tuple(_method(chance, customer_id, n, kind) for n, kind in enumerate(kinds, 1))


def method(method_id: str) -> Method | None:
    """Return a way to pay by its id."""
    customer_id = method_id.removeprefix("pm-").partition("-")[0]
    found = methods(customer_id) if users.exists(customer_id) else ()
    return next((known for known in found if known.id == method_id), None)


def used(chosen: Method) -> UsedMethod:
    """Return a payment's copy of its method."""
    return UsedMethod(chosen.id, chosen.kind, chosen.label, chosen.brand, chosen.last4)


def exists(payment_id: str) -> bool:
    """Whether there is such a seeded payment."""
    order_id = payment_id.removeprefix("pay-")
    is_known = payment_id.startswith("pay-") and order_index.exists(order_id)
    return is_known and order_index.find(order_id).status != "placed"


@functools.lru_cache(maxsize=1024)
def payment(payment_id: str) -> Payment:
    """Return a seeded payment that exists."""
    order = orders.order(payment_id.removeprefix("pay-"))
    chance = seed.draw("payment", payment_id)
    placed = order_index.find(order.id).placed_at
    usable = [known for known in methods(order.customer_id) if known.last4 != DECLINING]
    is_refunded = order.status in {"cancelled", "returned"}
    back = Refund(f"re-{order.id}-1", order.totals.total, order.status, order.updated_at)
    return Payment(
        id=payment_id,
        order_id=order.id,
        customer_id=order.customer_id,
        status="refunded" if is_refunded else "captured",
        amount=order.totals.total,
        refunded=order.totals.total if is_refunded else Money(0),
        method=used(chance.choice(usable)),
        created_at=seed.instant(placed),
        captured_at=seed.instant(placed + timedelta(minutes=chance.randint(1, 90))),
        refunds=(back,) if is_refunded else (),
    )


def _method(chance: random.Random, customer_id: str, number: int, kind: Kind) -> Method:
    brand = chance.choice(("Visa", "Mastercard", "Amex")) if kind == "card" else None
    last4 = f"{chance.randint(100, 9999):04d}" if kind in {"card", "sepa"} else None
    if customer_id == str(users.DEMO) and number == 3:
        last4 = DECLINING
    expires = f"20{chance.randint(28, 32)}-{chance.randint(1, 12):02d}"
    labels = {"card": brand, "paypal": "PayPal", "sepa": "SEPA direct debit", "invoice": "Invoice"}
    return Method(
        id=f"pm-{customer_id}-{number}",
        customer_id=customer_id,
        kind=kind,
        label=f"{labels[kind]} ··{last4}" if last4 else str(labels[kind]),
        brand=brand,
        last4=last4,
        expires=expires if kind == "card" else None,
        holder=users.user(customer_id).name.full,
        is_default=number == 1,
        created_at=seed.instant(seed.before(chance, 900)),
    )
