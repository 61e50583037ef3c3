"""Randomness and time of the seeded data: every record has its own generator.

A record depends on the seed, its domain and its id only, so that each is built when it is
needed, in any order and any process, and is always the same.
"""

import os
import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeVar

SEED = int(os.environ.get("SERVICES_SEED", "2026"))

EPOCH = datetime(2026, 11, 1, 12, tzinfo=UTC)
"""The instant at which the seeded data was taken: the data is the past until then."""

T = TypeVar("T")


def draw(domain: str, *key: str | int) -> random.Random:
    """Return the generator of one record."""
    return random.Random(f"{SEED}/{domain}/{'/'.join(map(str, key))}")


def instant(moment: datetime) -> str:
    """Write an instant as RFC 3339 in UTC, to the second."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def now() -> str:
    """Return the present instant, for records that writes create."""
    return instant(datetime.now(UTC))


def before(chance: random.Random, days: float) -> datetime:
    """Draw an instant from the last `days` before the epoch."""
    return EPOCH - timedelta(seconds=chance.randrange(int(days * 86400)))


def weighted(chance: random.Random, weights: dict[T, int]) -> T:
    """Draw one key of a table of weights."""
    return chance.choices(list(weights), list(weights.values()))[0]


def some(chance: random.Random, pool: Sequence[T], low: int, high: int) -> list[T]:
    """Draw between `low` and `high` different elements, in the pool's order of chance."""
    return chance.sample(pool, min(len(pool), chance.randint(low, high)))


def ago(seconds: int) -> datetime:
    """Return the instant so many seconds before the epoch."""
    return EPOCH - timedelta(seconds=seconds)
