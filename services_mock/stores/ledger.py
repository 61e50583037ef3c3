"""All payments: the seeded ones, charges made since, and refunds of both."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from services_mock.data import order_index, payments, seed
from services_mock.data.money import Money
from services_mock.data.payments import Method, Payment, Refund
from services_mock.problems import Problem, not_found

LIMIT = 1_000_000
"""The most that one charge may be, in minor units."""


@dataclass(frozen=True, slots=True)
class Charge:
    """The charge: amount, customer, method."""

    customer_id: str
    amount: Money
    method_id: str
    order_id: str | None


class Ledger:
    """Payments by id."""

    def __init__(self) -> None:
        self._changed: dict[str, Payment] = {}
        self._charges: list[str] = []

    def find(self, payment_id: str) -> Payment | None:
        """Return a payment, `None` if there is none of that id."""
        if payment_id in self._changed:
            return self._changed[payment_id]
        return payments.payment(payment_id) if payments.exists(payment_id) else None

    def get(self, payment_id: str) -> Payment:
        """Return a payment or raise the problem 404."""
        found = self.find(payment_id)
        if found is None:
            raise not_found("payment", payment_id)
        return found

    def of_order(self, order_id: str) -> Payment | None:
        """Return the payment of an order, the latest charge first."""
        for payment_id in reversed(self._charges):
            if self._changed[payment_id].order_id == order_id:
                return self._changed[payment_id]
        return self.find(f"pay-{order_id}")

    def ids(self, customer_id: str | None) -> list[str]:
        """Return the ids of a customer's payments, or of all, the oldest first."""
        rows = order_index.placed()
        if customer_id is not None:
            rows = order_index.of_customer(customer_id)
        seeded = [f"pay-{row.id}" for row in rows if row.status != "placed"]
        charged = [
            one for one in self._charges if customer_id in {None, self._changed[one].customer_id}
        ]
        return seeded + charged

    def charge(self, charge: Charge) -> Payment:
        """Charge a customer, unless the bank declines."""
        method = payments.method(charge.method_id)
        if method is None or method.customer_id != charge.customer_id:
            detail = f"There is no payment method {charge.method_id!r} of this customer."
            raise Problem(404, "unknown_payment_method", detail)
        reason = declines(method, charge.amount)
        if reason is not None:
            detail = f"{method.label} was declined: {reason}."
            raise Problem(409, "card_declined", detail, decline_reason=reason)
        moment = seed.now()
        taken = Payment(
            id=f"pay-c{len(self._charges) + 1}",
            order_id=charge.order_id,
            customer_id=charge.customer_id,
            status="captured",
            amount=charge.amount,
            refunded=Money(0, charge.amount.currency),
            method=payments.used(method),
            created_at=moment,
            captured_at=moment,
            refunds=(),
        )
        self._charges.append(taken.id)
        self._changed[taken.id] = taken
        return taken

    def refund(self, payment_id: str, amount: Money | None, reason: str | None) -> Payment:
        """Refund a payment, at most its rest."""
        payment = self.get(payment_id)
        currency = payment.amount.currency
        left = payment.amount.amount - payment.refunded.amount
        back = Money(left, currency) if amount is None else amount
        if back.currency != currency or not 0 < back.amount <= left:
            refundable = {"amount": left, "currency": currency}
            detail = f"At most {left / 100:.2f} {currency} can be refunded."
            raise Problem(409, "refund_exceeds_payment", detail, refundable=refundable)
        number = len(payment.refunds) + 1
        note = Refund(f"re-{payment_id.removeprefix('pay-')}-{number}", back, reason, seed.now())
        refunded = replace(
            payment,
            status="refunded" if back.amount == left else "partially_refunded",
            refunded=Money(payment.refunded.amount + back.amount, currency),
            refunds=(*payment.refunds, note),
        )
        self._changed[payment_id] = refunded
        return refunded


def declines(method: Method, amount: Money) -> str | None:
    """Return why the bank declines, `None` if it accepts."""
    if method.kind == "card" and method.last4 == payments.DECLINING:
        return "insufficient_funds"
    if method.expires is not None and method.expires < f"{datetime.now(UTC):%Y-%m}":
        return "expired_card"
    return "limit_exceeded" if amount.amount > LIMIT else None
