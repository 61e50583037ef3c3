"""Numbers that look right: within the limits of a schema, and by the name of a property."""

import math
from random import Random
from typing import Final

from bff_core.contracts.types import Limits, Scalar
from bff_core.mocks.limits import limit_of
from bff_core.mocks.texts import DAYS, START, words_of

FRACTION: Final = 0.01
"""How far a number is from an exclusive limit."""

RANGE: Final = 99
"""How far a number is from its only limit at the most."""

PRICES: Final = {"price", "amount", "total", "cost", "fee", "tax", "balance"}

BY_NAME: Final[dict[str, tuple[float, float]]] = {
    "rating": (1, 5),
    "stars": (1, 5),
    "average": (1, 5),
    "score": (1, 5),
    "percentage": (0, 100),
    "percent": (0, 100),
    "latitude": (36, 60),
    "lat": (36, 60),
    "longitude": (-9, 25),
    "lng": (-9, 25),
    "lon": (-9, 25),
    "year": (1990, START.year),
    "age": (18, 90),
    "quantity": (1, 9),
    "count": (0, 200),
    "width": (64, 2048),
    "height": (64, 2048),
    "size": (1, 5000),
    "weight": (1, 50),
    "port": (1024, 65535),
}
"""The least and the greatest number by the last word of a name."""


def number_of_name(name: str, random: Random) -> float | None:
    """Return a number for a property, by the words of its name; None if they say nothing."""
    words = words_of(name)
    last = words[-1] if words else ""
    if {"cents", "minor"} & {*words}:
        return random.randint(2, 500) * 50 - 1
    if last in PRICES:
        return random.randint(1, 250) + random.choice((0, 0.5, 0.9, 0.99))
    if last in {"timestamp", "epoch"}:
        return int(START.timestamp()) + random.randrange(DAYS * 86_400)
    if last not in BY_NAME:
        return None
    low, high = BY_NAME[last]
    return round(random.uniform(low, high), 2)


def number_of_type(kind: Scalar, name: str, random: Random) -> int | float:
    """Return an integer or a number within the limits of its type."""
    is_whole = kind.kind == "integer"
    low, high = bounds(kind.limits, 1 if is_whole else FRACTION)
    step = limit_of(kind.limits, "multipleOf") or 0
    if low is None:
        low = min(0 if is_whole else 0.5, high) if high is not None else 1
    if high is None:
        high = low + RANGE
    if is_whole and math.ceil(low) <= math.floor(high):
        low, high = math.ceil(low), math.floor(high)
    wanted = number_of_name(name, random)
    if wanted is None or not low <= wanted <= high:
        wanted = random.randint(int(low), int(high)) if is_whole else _between(low, high, random)
    if step > 0 and math.isfinite(wanted / step):
        count = int(wanted / step)
        wanted = (count if count * step >= low else count + 1) * step
    return int(wanted) if is_whole else min(max(float(wanted), float(low)), float(high))


def _between(low: float, high: float, random: Random) -> float:
    wanted = low + (high - low) * random.random()
    return round(wanted, 2) if math.isfinite(wanted) else low


def bounds(limits: Limits, step: float = 1) -> tuple[float | None, float | None]:
    """Return the least and the greatest number; exclusive ones are moved by a step."""
    low, high = limit_of(limits, "minimum"), limit_of(limits, "maximum")
    above, below = limits.get("exclusiveMinimum"), limits.get("exclusiveMaximum")
    if above is True and low is not None:
        low += step
    elif (number := limit_of(limits, "exclusiveMinimum")) is not None:
        low = number + step if low is None else max(low, number + step)
    if below is True and high is not None:
        high -= step
    elif (number := limit_of(limits, "exclusiveMaximum")) is not None:
        high = number - step if high is None else min(high, number - step)
    if low is not None and high is not None and low > high:
        low = high = (low + high) / 2
    return low, high
