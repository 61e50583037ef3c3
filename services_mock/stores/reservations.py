"""Reserved stock: held for a while, then confirmed, released or expired."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Literal

from services_mock.data import goods, seed, stock
from services_mock.problems import Problem, not_found


@dataclass(frozen=True, slots=True)
class ReservedLine:
    """A quantity of one SKU."""

    sku: str
    quantity: int


@dataclass(frozen=True, slots=True)
class Reservation:
    """Stock that is reserved, or sold."""

    id: str
    state: Literal["held", "confirmed"]
    customer_id: str | None
    lines: tuple[ReservedLine, ...]
    created_at: str
    expires_at: str


class Reservations:
    """All reservations, and the stock that they take; `clock` returns seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._known: dict[str, Reservation] = {}
        self._ends: dict[str, float] = {}
        self._taken: Counter[str] = Counter()
        self._count = 0

    def taken(self) -> Counter[str]:
        """Return how many of each SKU are taken now."""
        self._expire()
        return self._taken

    def get(self, reservation_id: str) -> Reservation:
        """Return a reservation that has not expired."""
        self._expire()
        if reservation_id not in self._known:
            raise not_found("reservation", reservation_id)
        return self._known[reservation_id]

    def reserve(
        self, lines: tuple[ReservedLine, ...], customer_id: str | None, ttl: float
    ) -> Reservation:
        """Hold all lines for `ttl` seconds, or none of them."""
        wanted = Counter[str]()
        for line in lines:
            wanted[line.sku] += line.quantity
        self._check(wanted)
        self._count += 1
        created = datetime.now(UTC)
        held = Reservation(
            id=f"res-{self._count}",
            state="held",
            customer_id=customer_id,
            lines=tuple(ReservedLine(sku, quantity) for sku, quantity in wanted.items()),
            created_at=seed.instant(created),
            expires_at=seed.instant(created + timedelta(seconds=ttl)),
        )
        self._known[held.id] = held
        self._ends[held.id] = self._clock() + ttl
        self._taken.update(wanted)
        return held

    def confirm(self, reservation_id: str) -> Reservation:
        """Confirm a reservation."""
        confirmed = replace(self.get(reservation_id), state="confirmed")
        self._known[reservation_id] = confirmed
        self._ends.pop(reservation_id, None)
        return confirmed

    def release(self, reservation_id: str) -> None:
        """Release a reservation."""
        if self.get(reservation_id).state == "confirmed":
            detail = "What was confirmed cannot be released."
            raise Problem(409, "reservation_confirmed", detail)
        self._put_back(reservation_id)

    def _check(self, wanted: Counter[str]) -> None:
        for sku in wanted:
            if goods.product_of(sku) is None:
                raise Problem(404, "unknown_sku", f"There is no SKU {sku!r}.", sku=sku)
        taken = self.taken()
        left = {sku: stock.available(sku) - taken[sku] for sku in wanted}
        short = [
            {"sku": sku, "requested": wanted[sku], "available": left[sku]}
            for sku in wanted
            if wanted[sku] > left[sku]
        ]
        if short:
            detail = f"Not enough of {', '.join(str(line['sku']) for line in short)}."
            raise Problem(409, "out_of_stock", detail, lines=short)

    def _put_back(self, reservation_id: str) -> None:
        self._ends.pop(reservation_id)
        for line in self._known.pop(reservation_id).lines:
            self._taken[line.sku] -= line.quantity

    def _expire(self) -> None:
        now = self._clock()
        for reservation_id in [one for one, end in self._ends.items() if end <= now]:
            self._put_back(reservation_id)
