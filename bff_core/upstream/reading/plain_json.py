"""Parses JSON to plain values: exact numbers, and an error for a repeated name."""

import json
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import Final, Self

import msgspec

MAX_SAFE_INTEGER: Final = 2**53 - 1
"""The largest integer that a double, and so JavaScript, holds exactly (RFC 8259, section 6)."""

_MAX_PLAIN_DIGITS: Final = 18
"""Integers with more digits become a `Number`."""

_WITHOUT_DIGITS: Final = str.maketrans("", "", "0123456789+-")


class RepeatedName(ValueError):
    """An object has two members with the same name."""

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
        """Its value as an integer (1.0, 1e3); None for fractions and beyond `MAX_SAFE_INTEGER`."""
        try:
            value = Decimal(self.text)
        except InvalidOperation:  # an exponent that no Decimal holds
            return None
        if not -MAX_SAFE_INTEGER <= value <= MAX_SAFE_INTEGER or value != value.to_integral_value():
            return None
        return int(value)

    @property
    def is_written_as_integer(self) -> bool:
        """Whether its text has neither fraction nor exponent."""
        return not self.text.translate(_WITHOUT_DIGITS)


def parse(text: str) -> object:
    """Return plain values; raise `RepeatedName`, or `ValueError` for text that is not JSON."""
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
    """Return a name that an object of the text has twice, or None.

    For speed all of it runs in C: it collects the pairs of each object, and compares their number
    with the size of a dictionary of them. Escaped spellings of a name count as the same name. It
    returns None for text that Python's parser can't read, though the fast decoder could.
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
    return int(text) if len(text) <= _MAX_PLAIN_DIGITS else Number.of(text)


def _refuse(constant: str) -> object:
    raise ValueError(f"{constant} is not JSON")


def _as_written(value: object) -> msgspec.Raw:
    if isinstance(value, Number):
        return msgspec.Raw(value.text.encode())
    raise TypeError(f"{type(value).__name__} is not a plain value")


_encode = msgspec.json.Encoder(enc_hook=_as_written).encode
