"""How the limits of two schemas differ: which is closer, and which is new."""

from collections.abc import Iterator
from typing import Final

from bff_core.contracts.changes.words import shown
from bff_core.contracts.types import Json, Limits

_LOWER: Final = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_UPPER: Final = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_COUNTED_FROM_ZERO: Final = {"minLength", "minItems", "minProperties"}


def limit_differences(before: Limits, after: Limits) -> Iterator[tuple[str, str]]:
    """Yield the kind of each difference, such as limit-narrowed, and its sentence."""
    for keyword in sorted({*before, *after}):
        old, new = _limit(before, keyword), _limit(after, keyword)
        if old == new and isinstance(old, bool) == isinstance(new, bool):
            continue
        yield _kind(keyword, old, new), _sentence(keyword, old, new)


def _limit(limits: Limits, keyword: str) -> Json:
    """Return the value of a keyword, None if it is missing or limits nothing."""
    value = limits.get(keyword)
    if value is False or (value == 0 and keyword in _COUNTED_FROM_ZERO):
        return None
    return value


def _kind(keyword: str, old: Json, new: Json) -> str:
    if old is None:
        return "limit-added"
    if new is None:
        return "limit-removed"
    if not isinstance(old, int | float) or not isinstance(new, int | float):
        return "pattern-changed"
    return "limit-widened" if _is_wider(keyword, old, new) else "limit-narrowed"


def _is_wider(keyword: str, old: float, new: float) -> bool:
    if keyword in _LOWER:
        return new < old
    if keyword in _UPPER:
        return new > old
    return keyword == "multipleOf" and new != 0 and old % new == 0


def _sentence(keyword: str, old: Json, new: Json) -> str:
    if old is None:
        return f"{keyword} {shown(new)} was added"
    if new is None:
        return f"{keyword} {shown(old)} was removed"
    return f"{keyword} changed from {shown(old)} to {shown(new)}"
