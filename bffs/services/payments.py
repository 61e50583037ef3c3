"""Payments: how customers pay, and what they paid."""

from collections.abc import Sequence
from dataclasses import dataclass

from bff_core import Policy, Upstream
from bffs.services.values import Money, Page


@dataclass(frozen=True, slots=True)
class MethodShown:
    """A way to pay as it may be shown."""

    id: str
    kind: str
    label: str
    last4: str | None


@dataclass(frozen=True, slots=True)
class Method(MethodShown):
    """A way to pay that a customer has stored."""

    is_default: bool


@dataclass(frozen=True, slots=True)
class Payment:
    """What was paid for an order."""

    id: str
    order_id: str | None
    status: str
    amount: Money
    refunded: Money
    method: MethodShown


class Payments(Upstream):
    """Payments, each of one customer."""

    policy = Policy(timeout=1.5)

    async def methods(self, customer_id: str) -> tuple[Method, ...]:
        """Return a customer's ways to pay."""
        query = {"customer_id": customer_id}
        return (await self.get("/payment-methods", Page[Method], query=query)).items

    async def payments(self, ids: Sequence[str]) -> tuple[Payment, ...]:
        """Return those payments that exist."""
        if not ids:
            return ()
        return (await self.get("/payments", Page[Payment], query={"ids": ",".join(ids)})).items

    async def charge(self, customer_id: str, method_id: str, amount: Money) -> Payment:
        """Take money from a customer."""
        wanted = {"customer_id": customer_id, "payment_method_id": method_id, "amount": amount}
        return await self.post("/charges", Payment, json=wanted)

    async def refund(self, payment_id: str) -> Payment:
        """Give back all that is left of a payment."""
        return await self.post("/payments/{id}/refunds", Payment, id=payment_id)
