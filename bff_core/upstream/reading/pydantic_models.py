"""Which parts of a value a pydantic model refuses, and tolerant reading omits."""

from bisect import insort
from collections.abc import Container, Mapping, Sequence
from typing import Any, Final, NamedTuple

import pydantic
from pydantic_core import ErrorDetails

from bff_core.compat.pydantic import has_validator, validator_of
from bff_core.upstream.reading.plain_json import parse, render

_MAX_PASSES: Final = 10
"""How many times a model is validated at most: once more for each level with an omission."""

_MAX_MISFITS: Final = 1000
"""How many values of one model are omitted at most; with more the reply is refused."""

_UNKNOWN_MEMBER: Final = frozenset({"enum", "literal_error"})


Path = tuple[str | int, ...]
"""Steps from the root of a model."""


class Misfit(NamedTuple):
    """A value that a model refuses, and the reason."""

    path: Path
    why: str


def is_model(kind: object) -> bool:
    """Whether it is a pydantic model or a pydantic dataclass."""
    return isinstance(kind, type) and has_validator(kind)


def first_error(error: pydantic.ValidationError) -> str:
    """Return the first error and its path, without content of the reply.

    For very many errors it returns their number: pydantic would list all of them, at 50 µs each.
    """
    if error.error_count() > _MAX_MISFITS:
        return f"{error.error_count()} values do not fit"
    first = _errors(error)[0]
    return f"{first['msg']} - at `${path_text(first['loc'])}`"


def _errors(error: pydantic.ValidationError) -> list[ErrorDetails]:
    return error.errors(include_input=False, include_context=False, include_url=False)


def path_text(path: Sequence[str | int]) -> str:
    """Return a path as text: `.items[3].price`."""
    return "".join(f"[{one}]" if isinstance(one, int) else f".{one}" for one in path)


def without_misfits(kind: type, value: Any) -> tuple[Any, list[Misfit]]:
    """Return a plain value without the parts that a model refuses and can replace by defaults.

    If one of them can't be omitted, the value is returned unchanged. Misfits are removed from the
    end, so that the indexes of those before them stay valid.
    """
    misfits = _misfits(kind, value)
    if not misfits:
        return value, []
    rest, removed = parse(render(value).decode()), dict[Path, str]()
    shifts: dict[Path, list[int]] = {}
    for _ in range(_MAX_PASSES):
        if misfits is None or len(removed) > _MAX_MISFITS:
            break
        if not misfits:
            return rest, [Misfit(*one) for one in sorted(removed.items(), key=str)]
        found = {_original(path, shifts): why for path, why in misfits.items()}
        outside = {path: why for path, why in removed.items() if not _is_within(path, found)}
        removed = outside | found
        if not all(_remove(rest, path) for path in reversed(misfits)):
            break
        for path in found:
            if isinstance(path[-1], int):
                insort(shifts.setdefault(path[:-1], []), path[-1])
        misfits = _misfits(kind, rest)
    return value, []


def _misfits(kind: Any, value: object) -> dict[Path, str] | None:
    """Return the parts to omit, and why: wrong values, and objects without a required member.

    Returns None for too many of them.
    """
    try:
        validator_of(kind).validate_json(render(value))
    except pydantic.ValidationError as error:
        if error.error_count() > _MAX_MISFITS:
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
    """Return a path with the indexes that its lists had before items were removed."""
    original: Path = ()
    for step in path:
        index = step
        if isinstance(index, int):
            for shift in shifts.get(original, ()):
                index += shift <= index
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
