"""Copies of a part's value in which every text and number is marked.

A marked text or number equals the original and has its hash, so that lookups, comparisons and joins
of the view find the same; but it is encoded as something else.
"""

import dataclasses
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final, Literal

import msgspec

MARK: Final = "\ue000"
"""A character of the private use area, which services do not send."""

Kind = Literal["texts", "numbers", "flags"]
"""What is changed in a value: texts; numbers, decimals and dates; or truth values."""

KINDS: Final[tuple[Kind, ...]] = ("texts", "numbers", "flags")

_LISTS: Final = (list, tuple)

Change = Callable[[Any, str], Any]
"""Returns what replaces a value that holds no others; gets its place, without keys and indices."""


class MarkedText(str):
    """A text that equals the one it is made of, and ends with a mark."""

    __slots__ = ("original",)

    original: str

    @classmethod
    def of(cls, value: str) -> "MarkedText":
        """Return a marked copy."""
        made = cls(f"{value}{MARK}")
        made.original = value
        return made

    def __eq__(self, other: object) -> bool:
        return self.original == other

    def __ne__(self, other: object) -> bool:
        return self.original != other

    def __hash__(self) -> int:
        return hash(self.original)


class MarkedInt(int):
    """A number that equals the one it is made of, and is one higher."""

    original: int

    @classmethod
    def of(cls, value: int) -> "MarkedInt":
        """Return a marked copy."""
        made = cls(value + 1)
        made.original = value
        return made

    def __eq__(self, other: object) -> bool:
        return self.original == other

    def __ne__(self, other: object) -> bool:
        return self.original != other

    def __hash__(self) -> int:
        return hash(self.original)


def is_marked(value: object) -> bool:
    """Whether a value is a marked one."""
    return isinstance(value, MarkedText | MarkedInt)


def marked(value: Any, kind: Kind, only: str | None = None) -> Any:
    """Return a copy of a value in which everything of a kind is marked, or only at one place."""

    def change(one: Any, place: str) -> Any:
        return _changed(one, kind) if only is None or place == only else one

    return copied(value, change, "")


def places_of(value: object, kind: Kind) -> list[str]:
    """Return the places in a value where something of a kind is, without keys and indices."""
    found: dict[str, None] = {}

    def note(one: Any, place: str) -> Any:
        if _changed(one, kind) is not one:
            found[place] = None
        return one

    copied(value, note, "")
    return list(found)


def shortened(value: Any, at: str) -> Any:
    """Return a copy of a value in which the lists at a place have just one item, or none."""
    return copied(value, lambda one, _: one, cut=at)


def lists_of(value: Any) -> list[str]:
    """Return the places in a value where lists are, without keys and indices."""
    if type(value) in _LISTS:
        inner = [one for item in value for one in lists_of(item)]
        return list(dict.fromkeys(["", *(f"[]{one}" for one in inner)]))
    if isinstance(value, Mapping):
        inner = [one for item in value.values() for one in lists_of(item)]
        return list(dict.fromkeys(f"[]{one}" for one in inner))
    names = [name for name in fields_of(value) or () if hasattr(value, name)]
    return [f".{name}{one}" for name in names for one in lists_of(getattr(value, name))]


def _changed(value: Any, kind: Kind) -> Any:
    """Return the marked form of a value without others inside; the value itself if it has none."""
    exact = type(value)
    if kind == "texts":
        return MarkedText.of(value) if exact is str else value
    if kind == "flags":
        return (not value) if exact is bool else value
    if exact is int:
        return MarkedInt.of(value)
    if exact is float:
        return value + 1.0
    if exact is Decimal:
        return value + 1
    return value + timedelta(days=1) if isinstance(value, date) else value


def copied(value: Any, change: Change, place: str = "", cut: str | None = None) -> Any:
    """Return a copy of a value; values of unknown classes stay as they are.

    Lists and tuples at the place `cut` have only their first item, or none if there is just one.
    """
    exact = type(value)
    if exact in _LISTS:
        items = value[: len(value) > 1] if place == cut else value
        return exact(copied(one, change, f"{place}[]", cut) for one in items)
    if exact in {set, frozenset}:
        return exact(copied(one, change, f"{place}[]", cut) for one in value)
    if isinstance(value, Mapping):
        found = {key: copied(one, change, f"{place}[]", cut) for key, one in value.items()}
        if exact is dict:
            return found
        others = {
            name: copied(one, change, f"{place}[]", cut)
            for name, one in getattr(value, "__dict__", {}).items()
        }
        return _like(value, found, others)
    names = fields_of(value)
    if names is None:
        return change(value, place)
    copy = object.__new__(exact) if dataclasses.is_dataclass(value) else value.__copy__()
    for name in names:
        if hasattr(value, name):
            set_field(copy, name, copied(getattr(value, name), change, f"{place}.{name}", cut))
    return copy


def _like(
    value: Mapping[Any, Any], found: dict[Any, Any], others: dict[str, Any]
) -> Mapping[Any, Any]:
    """Return a mapping of the same class, such as a batch with a value for all other keys."""
    if not isinstance(value, dict):
        return found
    copy = value.__class__.__new__(value.__class__)
    vars(copy).update(others)
    copy.update(found)
    return copy


def fields_of(value: Any) -> tuple[str, ...] | None:
    """Return the names of the fields of an object; None if its class is not known."""
    if isinstance(value, msgspec.Struct):
        return value.__struct_fields__
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return tuple(one.name for one in dataclasses.fields(value))
    if hasattr(type(value), "model_fields") and hasattr(value, "__copy__"):
        return tuple(type(value).model_fields)
    return None


def set_field(copy: object, name: str, value: object) -> None:
    """Set a field, also of a frozen object."""
    if isinstance(copy, msgspec.Struct):
        msgspec.structs.force_setattr(copy, name, value)
    elif hasattr(copy, "__dict__") and hasattr(type(copy), "model_fields"):
        copy.__dict__[name] = value
    else:
        object.__setattr__(copy, name, value)
