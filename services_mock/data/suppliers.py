"""The seeded suppliers: who delivers which brands, on which terms, at which prices."""

import functools
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import count

from services_mock.data import categories, goods, ids, people, seed, text
from services_mock.data.money import Money

COUNT = 48

KINDS = ("Supply", "Trading", "Logistics", "Works", "Textiles", "Import", "Manufaktur", "Frères")


@dataclass(frozen=True, slots=True)
class Contact:
    """Whom to write to."""

    name: str
    email: str
    phone: str


@dataclass(frozen=True, slots=True)
class Terms:
    """What was agreed on."""

    payment_days: int
    minimum_order: Money
    discount_percent: int


@dataclass(frozen=True, slots=True)
class Supplier:
    """A supplier of some brands."""

    id: str
    name: str
    country: str
    city: str
    contact: Contact
    brands: tuple[str, ...]
    categories: tuple[str, ...]
    lead_time_days: int
    rating: float
    terms: Terms
    since: str
    updated_at: str


@dataclass(frozen=True, slots=True)
class PriceChange:
    """A purchase price that a supplier announces; `sequence` counts from 1."""

    sequence: int
    supplier_id: str
    sku: str
    price: Money
    at: str


def exists(supplier_id: str) -> bool:
    """Whether there is such a supplier."""
    return ids.is_between(supplier_id, 1, COUNT)


@functools.lru_cache(maxsize=COUNT)
def supplier(supplier_id: str) -> Supplier:
    """Return a supplier that exists."""
    chance = seed.draw("supplier", supplier_id)
    name, home = people.person(chance)
    company = f"{name.family} {chance.choice(KINDS)}"
    domain = "-".join(map(people.plain, company.split()))
    brands = [row[0] for row in text.rows("brands")]
    return Supplier(
        id=supplier_id,
        name=company,
        country=home.code,
        city=chance.choice(home.cities),
        contact=Contact(name.full, f"orders@{domain}.example", people.phone(chance, home)),
        brands=tuple(seed.some(chance, brands, 1, 4)),
        categories=tuple(seed.some(chance, categories.LEAF_IDS, 2, 6)),
        lead_time_days=chance.randint(2, 45),
        rating=round(chance.uniform(2.5, 5.0), 1),
        terms=_terms(chance),
        since=seed.before(chance, 4000).date().isoformat(),
        updated_at=seed.instant(seed.before(chance, 60)),
    )


def everyone() -> tuple[Supplier, ...]:
    """Return all suppliers by id."""
    return tuple(supplier(str(number)) for number in range(1, COUNT + 1))


def price_changes(supplier_id: str, after: int) -> Iterator[PriceChange]:
    """Yield the price changes of a supplier behind a sequence number, without end."""
    for sequence in count(after + 1):
        chance = seed.draw("supplier-price", supplier_id, sequence)
        item = goods.popular(chance)
        cost = round(item.price * chance.uniform(0.4, 0.7))
        yield PriceChange(
            sequence,
            supplier_id,
            chance.choice(item.variants).sku,
            Money(cost),
            seed.instant(seed.EPOCH + timedelta(minutes=sequence)),
        )


def _terms(chance: random.Random) -> Terms:
    return Terms(
        payment_days=chance.choice((14, 30, 30, 60)),
        minimum_order=Money(chance.choice((25_000, 50_000, 100_000))),
        discount_percent=chance.choice((0, 0, 2, 3, 5)),
    )
