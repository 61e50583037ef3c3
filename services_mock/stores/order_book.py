"""All orders: the seeded ones, those placed since, and their states."""

import bisect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from services_mock.data import goods, order_index, orders, seed, users
from services_mock.data.money import CURRENCY
from services_mock.data.order_index import Placed
from services_mock.data.orders import Change, Line, Order, Totals
from services_mock.pages import Key
from services_mock.problems import Problem, not_found

CANCELLABLE = frozenset({"placed", "paid", "packed"})


@dataclass(frozen=True, slots=True)
class Basket:
    """The order to place."""

    customer_id: str
    lines: tuple[tuple[str, int], ...]
    payment_id: str | None
    reservation_id: str | None
    gift_message: str | None


@dataclass(frozen=True, slots=True)
class Filter:
    """The filter of a list; instants in UTC, `until` not included."""

    customer_id: str | None
    status: str | None
    since: datetime | None
    until: datetime | None

    def admits(self, row: Placed) -> bool:
        """Whether an order belongs to the list."""
        return (
            self.status in {None, row.status}
            and (self.since is None or row.placed_at >= self.since)
            and (self.until is None or row.placed_at < self.until)
        )


def ascending(row: Placed) -> Key:
    """Order by time, the oldest first."""
    return (int(row.placed_at.timestamp()), int(row.id))


def descending(row: Placed) -> Key:
    """Order by time, the latest first."""
    return (-int(row.placed_at.timestamp()), -int(row.id))


class OrderBook:
    """Orders by id, and their index in time."""

    def __init__(self) -> None:
        self._changed: dict[str, Order] = {}
        self._placed_since: list[Placed] = []

    def find(self, order_id: str) -> Order | None:
        """Return an order, `None` if there is none of that id."""
        if order_id in self._changed:
            return self._changed[order_id]
        return orders.order(order_id) if order_index.exists(order_id) else None

    def get(self, order_id: str) -> Order:
        """Return an order or raise the problem 404."""
        found = self.find(order_id)
        if found is None:
            raise not_found("order", order_id)
        return found

    def rows(self, wanted: Filter) -> list[Placed]:
        """Return the index of a list, the oldest first."""
        found: Sequence[Placed] = order_index.placed()
        if wanted.customer_id is not None:
            found = order_index.of_customer(wanted.customer_id)
        added = [row for row in self._placed_since if wanted.customer_id in {None, row.customer_id}]
        rows = (self._current(row) for row in (*found, *added))
        return [row for row in rows if wanted.admits(row)]

    def export(self, rows: Sequence[Placed]) -> Iterator[Order]:
        """Walk the orders of an index without holding them."""
        return (self.get(row.id) for row in rows)

    def place(self, basket: Basket) -> Order:
        """Accept an order at today's prices."""
        _check(basket)
        order_id = str(order_index.FIRST + order_index.COUNT + len(self._placed_since))
        moment = datetime.now(UTC).replace(microsecond=0)
        placed = _order(order_id, basket, moment)
        self._changed[order_id] = placed
        row = Placed(order_id, basket.customer_id, moment, placed.status)
        bisect.insort(self._placed_since, row, key=ascending)
        return placed

    def quote(self, lines: Sequence[tuple[str, int]]) -> Totals:
        """Return the sums of an order at today's prices."""
        _check_goods(lines)
        return orders.totals(tuple(orders.line("", *line, "placed") for line in lines))

    def cancel(self, order_id: str) -> Order:
        """Cancel an order that was not shipped."""
        found = self.get(order_id)
        if found.status not in CANCELLABLE:
            detail = f"An order that is {found.status} cannot be cancelled."
            raise Problem(409, "not_cancellable", detail, order_status=found.status)
        moment = seed.now()
        cancelled = replace(
            found,
            status="cancelled",
            updated_at=moment,
            lines=tuple(replace(line, status="cancelled") for line in found.lines),
            history=(*found.history, Change(moment, "cancelled", "customer")),
        )
        self._changed[order_id] = cancelled
        return cancelled

    def _current(self, row: Placed) -> Placed:
        changed = self._changed.get(row.id)
        return row if changed is None else replace(row, status=changed.status)


def _check(basket: Basket) -> None:
    if not users.exists(basket.customer_id):
        detail = f"There is no customer {basket.customer_id!r}."
        raise Problem(404, "unknown_customer", detail)
    _check_goods(basket.lines)


def _check_goods(lines: Sequence[tuple[str, int]]) -> None:
    for sku, _ in lines:
        if goods.product_of(sku) is None:
            raise Problem(404, "unknown_sku", f"There is no SKU {sku!r}.", sku=sku)


def _order(order_id: str, basket: Basket, moment: datetime) -> Order:
    status = "placed" if basket.payment_id is None else "paid"
    lines: tuple[Line, ...] = tuple(
        orders.line(f"{order_id}-{n}", sku, quantity, status)
        for n, (sku, quantity) in enumerate(basket.lines, 1)
    )
    addresses = users.user(basket.customer_id).addresses
    return Order(
        id=order_id,
        number=orders.number_of(order_id, moment),
        customer_id=basket.customer_id,
        status=status,
        placed_at=seed.instant(moment),
        updated_at=seed.instant(moment),
        currency=CURRENCY,
        lines=lines,
        totals=orders.totals(lines),
        shipping_address=addresses[0],
        billing_address=addresses[0],
        payment_id=basket.payment_id,
        reservation_id=basket.reservation_id,
        shipments=(),
        history=(Change(seed.instant(moment), "placed", "customer"),),
        gift_message=basket.gift_message,
    )
