"""Converts values to the text of path parameters, queries, forms and headers.

A date, an enum member or a UUID has the same text as in `json=`. A value of any other type is
refused: callers convert it to `str` themselves.
"""

import math
import re
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any, Final
from uuid import UUID

import msgspec

from bff_core.errors import InvalidInput

Scalar = str | int | float | bool | Decimal | UUID | date | time | timedelta | Enum
"""A value of a supported type. A `datetime` is a `date`, a `StrEnum` member is an `Enum`."""

ACCEPTED: Final = (
    "str, int, float, bool, Decimal, UUID, date, datetime, time, timedelta or an enum of these"
)

_MAX_WRITTEN_EXPONENT: Final = 64
"""A Decimal with a larger exponent is not written out: `1E+999999` would be a megabyte."""


_NAME: Final = re.compile(r"[^\W\d][\w.-]*")


def is_name(name: str) -> bool:
    """Whether a template may name a parameter so: `id`, `user-id`, `user.id`; no number, no gap."""
    return _NAME.fullmatch(name) is not None


class UnsupportedValue(TypeError):
    """The type of a parameter is not supported: a mistake in the code that makes the call."""


def text_of(value: object, where: str) -> str:
    """Return the text of a value; `where` names it in errors: "query parameter 'since'".

    Raises `InvalidInput` for NaN, infinity and half of a surrogate pair, which a client may have
    sent, and `UnsupportedValue` for a type that is not supported.
    """
    kind = type(value)
    if kind is str:
        text: str = value  # type: ignore[assignment]  # by its type
    elif kind is int:
        text = str(value)
    else:
        write = _of_enum if isinstance(value, Enum) else _writer_of(kind)
        text = write(value, where)  # type: ignore[arg-type]  # by its type
    if not text.isascii():
        check_text(text, where)
    return text


def texts_of(value: object, where: str) -> list[str]:
    """Return the texts of one value, or of the items of a list, tuple or set; none for None.

    Those of a set are sorted, so that equal calls have equal cache keys.
    """
    if value is None:
        return []
    if isinstance(value, list | tuple):
        return [_of_item(one, where) for one in value]
    if isinstance(value, set | frozenset):
        return sorted([_of_item(one, where) for one in value])
    return [text_of(value, where)]


def check_text(text: str, where: str) -> None:
    """Raise `InvalidInput` for half of a surrogate pair, which UTF-8 can't encode."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InvalidInput(f"{where} holds half of a surrogate pair") from error


def _of_item(value: object, where: str) -> str:
    if value is None or isinstance(value, list | tuple | set | frozenset):
        raise _unsupported(value, f"an item of {where}")
    return text_of(value, where)


def _writer_of(kind: type) -> Callable[[Any, str], str]:
    for one in kind.__mro__:
        writer = _WRITERS.get(one)
        if writer is not None:
            return writer
    return _refuse


def _refuse(value: object, where: str) -> str:
    raise _unsupported(value, where)


def _unsupported(value: object, where: str) -> UnsupportedValue:
    kind = "None" if value is None else f"of type {type(value).__name__}"
    return UnsupportedValue(f"{where} is {kind}: pass {ACCEPTED}, or write its text yourself")


def _of_enum(value: Enum, where: str) -> str:
    inner = value.value
    if isinstance(inner, Enum) or _writer_of(type(inner)) is _refuse:
        raise _unsupported(value, where)
    return text_of(inner, where)


def _of_str(value: str, _: str) -> str:
    return str.__str__(value)


def _of_bool(value: bool, _: str) -> str:
    return "true" if value else "false"


def _of_int(value: int, _: str) -> str:
    return int.__repr__(value)


def _of_float(value: float, where: str) -> str:
    if not math.isfinite(value):
        raise InvalidInput(f"{where} is not a finite number")
    return float.__repr__(value)


def _of_decimal(value: Decimal, where: str) -> str:
    if not value.is_finite():
        raise InvalidInput(f"{where} is not a finite number")
    return format(value, "f") if abs(value.adjusted()) <= _MAX_WRITTEN_EXPONENT else str(value)


def _of_moment(value: date | time, _: str) -> str:
    """Return a date or time as in RFC 3339, with Z for UTC, or without a zone if it has none."""
    text = value.isoformat()
    return f"{text[:-6]}Z" if text.endswith("+00:00") else text


def _of_duration(value: timedelta, _: str) -> str:
    text: str = msgspec.to_builtins(timedelta(value.days, value.seconds, value.microseconds))
    return text


_WRITERS: Final[dict[type, Callable[[Any, str], str]]] = {
    str: _of_str,
    bool: _of_bool,
    int: _of_int,
    float: _of_float,
    Decimal: _of_decimal,
    UUID: lambda value, _: UUID.__str__(value),
    datetime: _of_moment,
    date: _of_moment,
    time: _of_moment,
    timedelta: _of_duration,
}
