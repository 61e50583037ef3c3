"""Reads JSON text strictly (RFC 8259): what cannot be passed on is refused, with its place."""

import json
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate
from math import isfinite
from typing import Final, NoReturn

from bff_core.edge.json_value_count import without_strings

MAX_DEPTH: Final = 100
"""Levels of lists and objects within each other."""

BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"

Path = tuple[str | int, ...]
"""Names of members and positions in lists, from the outermost value to an inner one."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with a text.

    `type` is a word of pydantic for it. A fault of the text itself has the `position` of its first
    wrong character, counted from 0; a fault of a value has the `path` to the value.
    """

    type: str
    message: str
    path: Path = ()
    position: int | None = None


class JSONRefused(ValueError):
    """The text is no JSON, or holds a value that JSON has no form for; `text` as far as decoded."""

    def __init__(self, fault: Fault, text: str) -> None:
        super().__init__(fault.message)
        self.fault = fault
        self.text = text


class _NoNumber(ValueError):
    """A number is not finite."""


def _finite(digits: str) -> float:
    number = float(digits)
    if not isfinite(number):
        raise _NoNumber
    return number


def _no_constant(_: str) -> NoReturn:
    raise _NoNumber


_decode = json.JSONDecoder(parse_float=_finite, parse_constant=_no_constant).decode

_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_TOKEN: Final = re.compile(r'"(?:[^"\\]|\\.)*"?|[\[{\]}]', re.DOTALL)
_NUMBER: Final = re.compile(rb"[0-9](?:[eE]\+?[0-9]{3}|(?<![0-9].)[0-9]{199})")
"""What a number has that is infinite, or of too many digits; few others have it."""


class _Digits:
    """A whole number, as it is written."""

    __slots__ = ("digits",)

    def __init__(self, digits: str) -> None:
        self.digits = digits


_decode_loosely = json.JSONDecoder(parse_int=_Digits).decode


def is_plain(body: bytes) -> bool:
    """Whether a text, if it is JSON at all, certainly holds nothing that `read_json` refuses."""
    if rb"\u" in body or b"NaN" in body or b"Infinity" in body or _NUMBER.search(body):
        return False
    if body.count(b"[") + body.count(b"{") > MAX_DEPTH:
        return False
    return body.isascii() or _is_utf8(body)


def read_json(body: bytes) -> object:
    """Return the value of a text in UTF-8, with or without a byte order mark.

    Raises `JSONRefused` for a text that is no JSON, for `NaN`, `Infinity` and numbers beyond the
    range of a float, for whole numbers of more digits than Python converts, for halves of
    surrogate pairs, and for more than `MAX_DEPTH` levels.
    """
    text = _text_of(body.removeprefix(BYTE_ORDER_MARK))
    if not is_flat(body):
        _refuse_depth(text)
    try:
        value = _decode(text)
    except json.JSONDecodeError as error:
        raise JSONRefused(Fault("json_invalid", error.msg, position=error.pos), text) from error
    except ValueError as error:  # a number that is not finite, or has too many digits
        raise JSONRefused(_first_fault(_decode_loosely(text)), text) from error
    if rb"\u" in body and (fault := next(_faults(value, ()), None)) is not None:
        raise JSONRefused(fault, text)
    return value


def place_of(position: int, text: str) -> tuple[int, int]:
    """Return line and column of a position in a text, both counted from 1."""
    return text.count("\n", 0, position) + 1, position - text.rfind("\n", 0, position)


def _is_utf8(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def _text_of(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        text = body[: error.start].decode()
        fault = Fault("json_invalid", "Not in UTF-8", position=len(text))
        raise JSONRefused(fault, text) from error


def is_flat(body: bytes) -> bool:
    """Whether no value is too deep; a text that is no JSON may have less depth than it seems."""
    if body.count(b"[") + body.count(b"{") <= MAX_DEPTH:
        return True
    marks = without_strings(body).translate(_MARKS, _NO_MARKS)
    return max(accumulate(memoryview(marks).cast("b")), default=0) <= MAX_DEPTH


_MARKS: Final = bytes.maketrans(b"[{]}", b"\x01\x01\xff\xff")
"""One level deeper, or back: 1 and -1 as signed bytes."""

_NO_MARKS: Final = bytes(set(range(256)) - set(b"[]{}"))


def _refuse_depth(text: str) -> None:
    """Raise `JSONRefused` with the place of the first list or object that is too deep, if any."""
    depth = 0
    for token in _TOKEN.finditer(text):
        depth += _STEPS.get(token[0], 0)
        if depth > MAX_DEPTH:
            message = f"More than {MAX_DEPTH} levels"
            raise JSONRefused(Fault("json_invalid", message, position=token.start()), text)


_STEPS: Final[Mapping[str, int]] = {"[": 1, "{": 1, "]": -1, "}": -1}


def _first_fault(value: object) -> Fault:
    """Return the first value that could not be read."""
    # A value that stands twice under one name in an object is lost: the last one counts.
    hidden = Fault("finite_number", "A number is not finite, or too long")
    return next(_faults(value, ()), hidden)


def _faults(value: object, path: Path) -> Iterator[Fault]:
    """Yield the values that have no form in JSON, and names of members that have none."""
    match value:
        case str() if _SURROGATE.search(value):
            yield Fault("string_unicode", "Input should not hold half a surrogate pair", path)
        case float() if not isfinite(value):
            yield Fault("finite_number", "Input should be a finite number", path)
        case _Digits(digits=digits) if 0 < sys.get_int_max_str_digits() < len(digits.strip("-")):
            yield Fault("int_parsing_size", "Input should be a number of fewer digits", path)
        case list():
            for index, item in enumerate(value):
                yield from _faults(item, (*path, index))
        case dict():
            for name, item in value.items():
                if _SURROGATE.search(name):
                    yield Fault("string_unicode", "A name holds half a surrogate pair", path)
                else:
                    yield from _faults(item, (*path, name))
