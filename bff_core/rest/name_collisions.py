"""Refuses names that differ in Python and are one name in camelCase."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from bff_core.errors import ConfigurationError


class Renamed(NamedTuple):
    """A field or a parameter: its name in Python, and its names in JSON without and with a case."""

    name: str
    plain: str
    sent: str


def refuse_collisions(what: str, names: Iterable[Renamed]) -> None:
    """Raise `ConfigurationError` for two names that only the case makes equal.

    Two that are equal without it are equal on purpose, such as an input of two compositions.
    """
    taken: dict[str, Renamed] = {}
    for one in names:
        other = taken.setdefault(one.sent, one)
        if other.plain != one.plain:
            raise ConfigurationError(
                f"{what} {other.name} and {one.name} are both {one.sent} in camelCase: rename one"
            )


def names_read(alias: Any, name: str) -> list[str]:
    """Return the names under which a field is read, by its `validation_alias` in a core schema."""
    if alias is None:
        return [name]
    if isinstance(alias, str):
        return [alias]
    paths = alias if isinstance(alias[0], list) else [alias]
    return [str(path[0]) for path in paths if len(path) == 1]
