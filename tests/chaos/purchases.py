"""Audits purchases with the services: each charge has an order or a refund."""

import time
from collections import Counter
from collections.abc import Iterable
from typing import Any

from tests.chaos.invariants import InvariantReport
from tests.processes.services import Service

PATIENCE = 20.0
"""Seconds within which a failed purchase is undone, once all services work again."""


def newest_order(orders: Service) -> int:
    """Return the number of the order that was placed last."""
    page = orders.ask("GET", "/orders?limit=1&sort=-placed_at")
    return max(int(order["id"]) for order in page["items"])


def method_of(payments: Service, customer: int) -> str:
    """Return a payment method that works."""
    methods = payments.ask("GET", f"/payment-methods?customer_id={customer}")["items"]
    return next(one["id"] for one in methods if one["kind"] in {"paypal", "sepa", "invoice"})


def audit(
    payments: Service, orders: Service, customers: Iterable[int], report: InvariantReport
) -> None:
    """Compare charges with orders, after failed purchases had time to be undone."""
    for customer in customers:
        ends = time.monotonic() + PATIENCE
        while wrong := mismatches(payments, orders, customer):
            if time.monotonic() > ends:
                break
            time.sleep(0.2)
        report.hold(11, not wrong, f"customer {customer}: {wrong[:3]}")
        report.counts["purchases"] += len(_charges(payments, customer))


def mismatches(payments: Service, orders: Service, customer: int) -> list[str]:
    """Return charges without an order or a refund, and orders without a charge of their own."""
    charges = {charge["id"]: charge for charge in _charges(payments, customer)}
    placed = [
        order for order in all_of(orders, f"/orders?customer_id={customer}") if _is_new(order)
    ]
    paid = Counter(order["payment_id"] for order in placed)
    wrong = [
        f"{name} is charged {_net_charge(charge)} for {paid[name]} orders"
        for name, charge in charges.items()
        if (_net_charge(charge) > 0) != (paid[name] == 1)
    ]
    return wrong + [
        f"order {order['id']} is paid with {order['payment_id']}"
        for order in placed
        if not _is_paid(order, charges)
    ]


def _is_paid(order: dict[str, Any], charges: dict[str, Any]) -> bool:
    charge = charges.get(order["payment_id"])
    return charge is not None and _net_charge(charge) == order["totals"]["total"]["amount"]


def _is_new(order: dict[str, Any]) -> bool:
    return str(order["payment_id"]).startswith("pay-c")


def _net_charge(charge: dict[str, Any]) -> int:
    return int(charge["amount"]["amount"]) - int(charge["refunded"]["amount"])


def _charges(payments: Service, customer: int) -> list[dict[str, Any]]:
    found = all_of(payments, f"/payments?customer_id={customer}")
    return [payment for payment in found if payment["id"].startswith("pay-c")]


def all_of(service: Service, path: str) -> list[dict[str, Any]]:
    """Return all pages of a list."""
    found, cursor = [], ""
    while cursor is not None:
        page = service.ask("GET", f"{path}&limit=100" + (f"&cursor={cursor}" if cursor else ""))
        found += page["items"]
        cursor = page["next_cursor"]
    return found
