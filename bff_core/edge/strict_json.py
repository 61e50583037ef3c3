"""Strict JSON parsing (RFC 8259): refuses invalid text and values, with their position."""

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
"""The most levels of nested lists and objects."""

BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"

Path = tuple[str | int, ...]
"""The way to an inner value: names of members, and indexes of lists."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of a JSON text; `type` is a type of pydantic's errors.

    Invalid text has the `position` of the first wrong character, counted from 0. An invalid value
    has the `path` to the value.
    """

    type: str
    message: str
    path: Path = ()
    position: int | None = None


class JSONRefused(ValueError):
    """A text is not JSON, or has a value that JSON can't hold; `text` is the decoded beginning."""

    def __init__(self, fault: Fault, text: str) -> None:
        super().__init__(fault.message)
        self.fault = fault
        self.text = text


class _NotFinite(ValueError):
    """A number is not finite."""


def _finite(digits: str) -> float:
    number = float(digits)
    if not isfinite(number):
        raise _NotFinite
    return number


def _refuse_constant(_: str) -> NoReturn:
    raise _NotFinite


_decode = json.JSONDecoder(parse_float=_finite, parse_constant=_refuse_constant).decode

_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_TOKEN: Final = re.compile(r'"(?:[^"\\]|\\.)*"?|[\[{\]}]', re.DOTALL)
_NUMBER: Final = re.compile(rb"[0-9](?:[eE]\+?[0-9]{3}|(?<![0-9].)[0-9]{199})")
"""Matches in each number that is infinite or has too many digits, and in few others."""


class _Digits:
    """The digits of a whole number, not converted."""

    __slots__ = ("digits",)

    def __init__(self, digits: str) -> None:
        self.digits = digits


_decode_loosely = json.JSONDecoder(parse_int=_Digits).decode


def is_plain(body: bytes) -> bool:
    """Whether `read_json` accepts a text if it is valid JSON; False means that it may not."""
    if rb"\u" in body or b"NaN" in body or b"Infinity" in body or _NUMBER.search(body):
        return False
    if body.count(b"[") + body.count(b"{") > MAX_DEPTH:
        return False
    return body.isascii() or _is_utf8(body)


def read_json(body: bytes) -> object:
    """Return the value of a text in UTF-8, with or without a byte order mark.

    Raises `JSONRefused` for a text that is not JSON, for `NaN`, `Infinity` and numbers beyond the
    range of a float, for whole numbers with more digits than Python converts, for halves of
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
    """Return the line and the column of a position in a text, both counted from 1."""
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
    """Whether no value is nested too deeply."""
    if body.count(b"[") + body.count(b"{") <= MAX_DEPTH:
        return True
    marks = without_strings(body).translate(_MARKS, _NO_MARKS)
    return max(accumulate(memoryview(marks).cast("b")), default=0) <= MAX_DEPTH


_MARKS: Final = bytes.maketrans(b"[{]}", b"\x01\x01\xff\xff")
"""Maps brackets to the change of depth, 1 or -1, as signed bytes."""

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
    # Of two members with the same name, the parser has dropped the first.
    hidden = Fault("finite_number", "A number is not finite, or too long")
    return next(_faults(value, ()), hidden)


def _faults(value: object, path: Path) -> Iterator[Fault]:
    """Yield a fault for each value, and each name of a member, that JSON can't hold."""
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
