"""Limits of schemas: how many items, properties and letters a value has."""

from typing import Final

from bff_core.contracts.types import Json, Limits

MAX_ITEMS: Final = 1_000
MAX_LETTERS: Final = 10_000
"""Items of a list, and letters of a text, whatever the schema demands."""


def limit_of(limits: Limits, keyword: str) -> int | float | None:
    """Return the number that a keyword limits values by; None if there is none."""
    value: Json = limits.get(keyword)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return value if is_number else None  # type: ignore[return-value] # narrowed by the line above


def count_of(limits: Limits, keyword: str, most: int) -> int | None:
    """Return the number of items or letters that a keyword demands, between 0 and `most`."""
    value = limit_of(limits, keyword)
    return None if value is None else int(min(max(value, 0), most))


def number_of_items(limits: Limits, noun: str, wanted: int) -> int:
    """Return how many items or properties there are: `wanted`, as far as the limits allow it."""
    least = count_of(limits, f"min{noun}", MAX_ITEMS) or 0
    most = count_of(limits, f"max{noun}", MAX_ITEMS)
    return min(max(least, wanted), MAX_ITEMS if most is None else most)
