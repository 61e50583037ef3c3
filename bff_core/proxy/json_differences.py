"""Where two JSON documents differ, as paths without values."""

import re
from collections.abc import Iterator, Sized
from itertools import islice
from typing import Final

import msgspec

from bff_core.proxy.json_paths import JsonPaths, Key, followed

MAX_DIFFERENCES: Final = 10
"""How many differences of two documents are found."""

MAX_SHOWN_STEPS: Final = 20

_is_shown: Final = re.compile(r"(?!(?:.*[0-9]){4})[A-Za-z_$@][\w$-]{0,63}", re.ASCII).fullmatch
"""Whether the name of a member may be in a log: ids, dates and addresses may not."""


def _number(text: str) -> float | int:
    """Return a number with a point or an exponent: an int if it is one, so that 1.0 is 1."""
    value = float(text)
    if value in _INFINITE:
        raise ValueError(f"{text} is out of range")
    return int(value) if value.is_integer() and abs(value) < _EXACT else value


_INFINITE: Final = frozenset({float("inf"), float("-inf")})
_EXACT: Final = 2**53
"""From here on not every integer has a float."""

_decode: Final = msgspec.json.Decoder(float_hook=_number).decode
_encode: Final = msgspec.json.Encoder(order="deterministic").encode

_Place = tuple["_Place | None", Key | None]
"""The place around it, and the key within that; a chain, so that only differences cost a text."""

_Pairs = list[tuple[object, object, _Place, JsonPaths]]
"""Values to be compared, their place, and the rests of the ignored paths that lead there."""


def differences(one: bytes, other: bytes, ignored: JsonPaths = ()) -> tuple[str, ...]:
    """Return the first differences of two JSON texts; empty if they mean the same.

    The order of members does not count, that of elements does. Numbers are equal by value: 1, 1.0
    and 1e0 are the same, and no number equals true or false. Of a name that an object has twice the
    last value counts. Each difference is a word and a path, such as "changed $.items[3].price":

    - `changed`: another value of the same type; `type`: one of another type.
    - `missing`: a member that only `one` has; `added`: one that only `other` has.
    - `length`: arrays of different lengths, whose elements are not compared.
    - `syntax`: one of them is no JSON, or both are not and differ.
    """
    if one == other:
        return ()
    try:
        pairs: _Pairs = [(_decode(one), _decode(other), (None, None), ignored)]
        return tuple(islice(_walk(pairs), MAX_DIFFERENCES))
    except (ValueError, msgspec.DecodeError, RecursionError):
        return ("syntax $",)


def _walk(pairs: _Pairs) -> Iterator[str]:
    """Yield the differences, without recursion; those of an object itself before those within."""
    while pairs:
        one, other, place, paths = pairs.pop()
        if isinstance(one, dict) and isinstance(other, dict):
            yield from _members(one, other, place, paths, pairs)
        elif isinstance(one, list) and isinstance(other, list):
            yield from _elements(one, other, place, paths, pairs)
        elif _kind(one) != _kind(other):
            yield f"type {_shown(place)}"
        elif one != other:
            yield f"changed {_shown(place)}"


def _members(
    one: dict[str, object],
    other: dict[str, object],
    place: _Place,
    paths: JsonPaths,
    pairs: _Pairs,
) -> Iterator[str]:
    if _is_equal(one, other):
        return
    below: _Pairs = []
    for name, value in one.items():
        rest = followed(paths, name) if paths else paths
        if rest is None:
            continue
        if name in other:
            below.append((value, other[name], (place, name), rest))
        else:
            yield f"missing {_shown((place, name))}"
    for name in other:
        if name not in one and followed(paths, name) is not None:
            yield f"added {_shown((place, name))}"
    pairs += reversed(below)


def _elements(
    one: list[object],
    other: list[object],
    place: _Place,
    paths: JsonPaths,
    pairs: _Pairs,
) -> Iterator[str]:
    if _is_equal(one, other):
        return
    shorter, longer = sorted((len(one), len(other)))
    if any(followed(paths, index) is not None for index in range(shorter, longer)):
        yield f"length {_shown(place)}"
        return
    below: _Pairs = []
    for index in range(shorter):
        rest = followed(paths, index) if paths else paths
        if rest is not None:
            below.append((one[index], other[index], (place, index), rest))
    pairs += reversed(below)


def _is_equal(one: Sized, other: Sized) -> bool:
    """Whether two objects or arrays are the same for sure, compared in C."""
    return len(one) == len(other) and _encode(one) == _encode(other)


def _kind(value: object) -> str:
    if isinstance(value, bool) or value is None:
        return "bool" if isinstance(value, bool) else "null"
    return "number" if isinstance(value, int | float) else type(value).__name__


def _shown(place: _Place) -> str:
    """Return the path of a place; names that may be personal data are shown as `*`."""
    steps: list[str] = []
    outer: _Place | None = place
    while outer is not None:
        outer, key = outer
        if isinstance(key, int):
            steps.append(f"[{key}]")
        elif key is not None:
            steps.append(f".{key}" if _is_shown(key) else ".*")
    if len(steps) > MAX_SHOWN_STEPS:
        steps[: len(steps) - MAX_SHOWN_STEPS] = ["…"]
    return "$" + "".join(reversed(steps))
