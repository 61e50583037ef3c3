"""Places in JSON: pointers (RFC 6901), and patterns, which are pointers with `*` for each index."""

from collections.abc import Iterator
from typing import Final, TypeAlias

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"

Place: TypeAlias = tuple[str | int, ...]
"""The names and indices that lead to a value."""

ANY: Final = "*"
"""The segment of a pattern that stands for each index of a list."""


def pointer(place: Place) -> str:
    """Return the JSON pointer of a place; that of the whole is empty."""
    return "".join(f"/{_escaped(one)}" for one in place)


def pattern(place: Place) -> str:
    """Return the pointer of a place with `*` for its indices."""
    return "".join(f"/{ANY if isinstance(one, int) else _escaped(one)}" for one in place)


def _escaped(segment: str | int) -> str:
    return str(segment).replace("~", "~0").replace("/", "~1")


def places(value: Json, place: Place = ()) -> Iterator[tuple[Place, Json]]:
    """Yield all values within a value, itself first, each before those within it."""
    yield place, value
    if isinstance(value, dict):
        for name, one in value.items():
            yield from places(one, (*place, name))
    elif isinstance(value, list):
        for index, one in enumerate(value):
            yield from places(one, (*place, index))


def is_leaf(value: Json) -> bool:
    """Whether a value has no others inside."""
    return not isinstance(value, dict | list) or not value


def changed(before: Json, after: Json, place: Place = ()) -> "Iterator[tuple[Place, Json, Json]]":
    """Yield the innermost places that differ, with both values.

    An object with other names and a list of another length differ as a whole.
    """
    if isinstance(before, dict) and isinstance(after, dict) and before.keys() == after.keys():
        for name, one in before.items():
            yield from changed(one, after[name], (*place, name))
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for index, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from changed(one, other, (*place, index))
    elif before != after or isinstance(before, bool) is not isinstance(after, bool):
        yield place, before, after
