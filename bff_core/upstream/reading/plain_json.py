"""Parses JSON to plain values without losing a digit or a repeated name."""

import json
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import Final, Self

import msgspec

EXACT: Final = 2**53 - 1
"""The largest integer that a double, and so JavaScript, holds exactly (RFC 8259, section 6)."""

_SHORT: Final = 18  # digits of an integer that needs no care
_FREE: Final = str.maketrans("", "", "0123456789+-")


class RepeatedName(ValueError):
    """An object has two members of one name."""

    @classmethod
    def of(cls, name: str) -> Self:
        """Return the error for a name."""
        return cls(f"an object has two members named {name[:60]!r}")


class Number(float):
    """A number with its original text."""

    __slots__ = ("text",)

    text: str

    @classmethod
    def of(cls, text: str) -> Self:
        """Return the number for a text."""
        number = cls(text)
        number.text = text
        return number

    @property
    def integer(self) -> int | None:
        """The integer that it is (1.0, 1e3), None for a fraction and beyond exactness."""
        try:
            value = Decimal(self.text)
        except InvalidOperation:  # an exponent that no Decimal holds
            return None
        if not -EXACT <= value <= EXACT or value != value.to_integral_value():
            return None
        return int(value)

    @property
    def is_written_as_integer(self) -> bool:
        """Whether it has neither fraction nor exponent, however long it is."""
        return not self.text.translate(_FREE)


def parse(text: str) -> object:
    """Return plain values; raise `RepeatedName`, or `ValueError` for what is no JSON."""
    return json.loads(
        text,
        object_pairs_hook=_object,
        parse_float=Number.of,
        parse_int=_integer,
        parse_constant=_refuse,
    )


def render(value: object) -> bytes:
    """Return plain values as JSON, with each number's original text."""
    return _encode(value)


def repeated_name(text: str) -> str | None:
    """Return a name that an object of the text has twice, None where there is no such.

    All of it runs in C: the pairs of each object are collected, and compared with a dictionary of
    them. Escaped spellings of a name are the same name. None, too, where Python's own parser can't
    read what the fast decoder could, as far as it looked.
    """
    objects: list[Sequence[tuple[str, object]]] = []
    decoder = json.JSONDecoder(
        object_pairs_hook=objects.append, parse_float=str, parse_int=str, strict=False
    )
    try:
        decoder.decode(text)
    except (ValueError, RecursionError):
        return None
    if sum(map(len, objects)) == sum(map(len, map(dict, objects))):
        return None
    return next(name for pairs in objects if (name := _twice(pairs)) is not None)


def _twice(pairs: Sequence[tuple[str, object]]) -> str | None:
    names: set[str] = set()
    for name, _ in pairs:
        if name in names:
            return name
        names.add(name)
    return None


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise RepeatedName.of(_twice(pairs) or "")
    return value


def _integer(text: str) -> object:
    return int(text) if len(text) <= _SHORT else Number.of(text)


def _refuse(constant: str) -> object:
    raise ValueError(f"{constant} is no JSON")


def _as_written(value: object) -> msgspec.Raw:
    if isinstance(value, Number):
        return msgspec.Raw(value.text.encode())
    raise TypeError(f"{type(value).__name__} is no plain value")


_encode = msgspec.json.Encoder(enc_hook=_as_written).encode
