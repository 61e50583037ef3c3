"""Byte ranges of a representation: the Range field, and bodies with one or several of them."""

import re
from secrets import token_hex
from typing import Final, NamedTuple

from bff_core.call import Headers

MAX_RANGES: Final = 16
"""Ranges of one request; more are ignored: many small ones cost more than the whole."""

_DIGITS: Final = 18
_UNIT: Final = re.compile(rb"bytes[ \t]*=", re.IGNORECASE)
_RANGE: Final = re.compile(rb"(?P<first>[0-9]*)-(?P<last>[0-9]*)")


class ByteRange(NamedTuple):
    """The bytes from `start` to before `end`."""

    start: int
    end: int

    @property
    def size(self) -> int:
        """How many bytes it has."""
        return self.end - self.start


class NotSatisfiable(Exception):
    """No range of the request is within the representation: the answer is 416."""


def ranges_of(field: bytes, size: int) -> tuple[ByteRange, ...]:
    """Return the ranges of a Range field, without overlaps; none if the field is to be ignored.

    A field of another unit, a malformed one and one with too many ranges are ignored (RFC 9110,
    section 14.2). Ranges that overlap or touch become one, at the place of the first. Raises
    `NotSatisfiable` if all of them begin after the end.
    """
    found = _UNIT.match(field)
    if found is None or not size:
        return ()
    members = [one.strip(b" \t") for one in field[found.end() :].split(b",")]
    wanted = [_RANGE.fullmatch(one) for one in members if one]
    if not 0 < len(wanted) <= MAX_RANGES:
        return ()
    ranges = []
    for one in wanted:
        if one is None or not _is_valid(one):
            return ()
        ranges.append(_within(one, size))
    satisfiable = [one for one in ranges if one.size > 0]
    if not satisfiable:
        raise NotSatisfiable
    return _merged(satisfiable)


def _is_valid(found: re.Match[bytes]) -> bool:
    first, last = found["first"], found["last"]
    if first and last:
        return _number(first) <= _number(last)
    return bool(first or last)


def _within(found: re.Match[bytes], size: int) -> ByteRange:
    if not found["first"]:
        return ByteRange(max(0, size - _number(found["last"])), size)
    end = min(size, _number(found["last"]) + 1) if found["last"] else size
    return ByteRange(_number(found["first"]), end)


def _number(digits: bytes) -> int:
    """Return a number; one that is larger than any file is cut, since `int` is slow for those."""
    digits = digits.lstrip(b"0")
    return int(digits or b"0") if len(digits) <= _DIGITS else int(10**_DIGITS)


def _merged(ranges: list[ByteRange]) -> tuple[ByteRange, ...]:
    """Return ranges in the order of the request, those that overlap or touch as one."""
    merged: list[ByteRange] = []
    for one in ranges:
        joined = one
        place = len(merged)
        for index in reversed(range(len(merged))):
            other = merged[index]
            if other.start <= joined.end and joined.start <= other.end:
                joined = ByteRange(min(other.start, joined.start), max(other.end, joined.end))
                del merged[index]
                place = index
        merged.insert(place, joined)
    return tuple(merged)


class Multipart:
    """The framing of several ranges as `multipart/byteranges` (RFC 9110, section 14.6)."""

    __slots__ = ("_boundary", "_content_type", "_size")

    def __init__(self, content_type: bytes, size: int) -> None:
        self._boundary = token_hex(12).encode()
        self._content_type = content_type
        self._size = size

    @property
    def end(self) -> bytes:
        """What follows the last part."""
        return b"\r\n--%b--\r\n" % self._boundary

    def part_head(self, one: ByteRange) -> bytes:
        """Return what comes before the bytes of a range."""
        return b"\r\n--%b\r\ncontent-type: %b\r\ncontent-range: %b\r\n\r\n" % (
            self._boundary,
            self._content_type,
            content_range(one, self._size),
        )

    def headers(self, ranges: tuple[ByteRange, ...]) -> Headers:
        """Return type and length of the whole body."""
        length = sum(len(self.part_head(one)) + one.size for one in ranges) + len(self.end)
        return (
            (b"content-type", b"multipart/byteranges; boundary=%b" % self._boundary),
            (b"content-length", b"%d" % length),
        )


def content_range(one: ByteRange, size: int) -> bytes:
    """Return the value of Content-Range."""
    return b"bytes %d-%d/%d" % (one.start, one.end - 1, size)
