"""How pydantic models refuse a value, and which parts of it tolerant reading omits."""

from bisect import insort
from collections.abc import Container, Mapping, Sequence
from typing import Any, Final, NamedTuple

import pydantic
from pydantic_core import ErrorDetails

from bff_core.compat.pydantic import has_validator, validator_of
from bff_core.upstream.reading.plain_json import parse, render

_PASSES: Final = 10
"""How often a model is validated at most: once more for each level with an omission."""

_MOST: Final = 1000
"""How many wrong values of one model are omitted; with more the reply is refused."""

_UNKNOWN_MEMBER: Final = frozenset({"enum", "literal_error"})


Path = tuple[str | int, ...]
"""Steps from the root of a model."""


class Misfit(NamedTuple):
    """A value that a model refuses, and the reason."""

    path: Path
    why: str


def is_model(kind: object) -> bool:
    """Whether it is a class of pydantic's: a model, or one of its dataclasses."""
    return isinstance(kind, type) and has_validator(kind)


def first_error(error: pydantic.ValidationError) -> str:
    """Return the first error and its path, without content of the reply.

    Of very many errors their number: pydantic lists all of them or none, 50 µs each.
    """
    if error.error_count() > _MOST:
        return f"{error.error_count()} values do not fit"
    first = _errors(error)[0]
    return f"{first['msg']} - at `${written(first['loc'])}`"


def _errors(error: pydantic.ValidationError) -> list[ErrorDetails]:
    return error.errors(include_input=False, include_context=False, include_url=False)


def written(path: Sequence[str | int]) -> str:
    """Return steps as the text of a path: `.items[3].price`."""
    return "".join(f"[{one}]" if isinstance(one, int) else f".{one}" for one in path)


def without_misfits(kind: type, value: Any) -> tuple[Any, list[Misfit]]:
    """Return a plain value without the parts that a model refuses and has defaults for.

    What can't be left out leaves all as it was. Misfits are taken from the end, so that the
    indexes of those before them still hold.
    """
    misfits = _misfits(kind, value)
    if not misfits:
        return value, []
    rest, gone, shifts = parse(render(value).decode()), dict[Path, str](), dict[Path, list[int]]()
    for _ in range(_PASSES):
        if misfits is None or len(gone) > _MOST:
            break
        if not misfits:
            return rest, [Misfit(*one) for one in sorted(gone.items(), key=str)]
        found = {_original(path, shifts): why for path, why in misfits.items()}
        gone = {path: why for path, why in gone.items() if not _is_within(path, found)} | found
        if not all(_remove(rest, path) for path in reversed(misfits)):
            break
        for path in found:
            if isinstance(path[-1], int):
                insort(shifts.setdefault(path[:-1], []), path[-1])
        misfits = _misfits(kind, rest)
    return value, []


def _misfits(kind: Any, value: object) -> dict[Path, str] | None:
    """Return the parts to omit, and why: wrong values, and objects that lack a required one.

    None where there are too many.
    """
    try:
        validator_of(kind).validate_json(render(value))
    except pydantic.ValidationError as error:
        if error.error_count() > _MOST:
            return None
        errors = _errors(error)
    else:
        return {}
    found: dict[Path, str] = {}
    for one in errors:
        is_missing = one["type"] == "missing"
        path = one["loc"][:-1] if is_missing else one["loc"]
        is_unknown = one["type"] in _UNKNOWN_MEMBER
        is_null = not is_missing and _at(value, path) is None
        why = "null" if is_null else "an unknown member" if is_unknown else "does not fit"
        found.setdefault(path, why)
    return {path: why for path, why in found.items() if not _is_within(path, found)}


def _original(path: Path, shifts: Mapping[Path, Sequence[int]]) -> Path:
    """Return a path with the indexes before items were removed from its lists."""
    original: Path = ()
    for step in path:
        index = step
        if isinstance(index, int):
            for removed in shifts.get(original, ()):
                index += removed <= index
        original += (index,)
    return original


def _is_within(path: Path, outer: Container[Path]) -> bool:
    """Whether one of the paths is a parent of `path`."""
    return any(path[:depth] in outer for depth in range(len(path)))


def _at(value: Any, path: Path) -> Any:
    """Return the value at a path; the root where the path does not exist."""
    inner = value
    for step in path:
        try:
            inner = inner[step]
        except (LookupError, TypeError):
            return value
    return inner


def _remove(value: Any, path: Path) -> bool:
    """Remove the value at a path; return whether it existed."""
    if not path:
        return False
    try:
        del _at(value, path[:-1])[path[-1]]
    except (LookupError, TypeError):
        return False
    return True
