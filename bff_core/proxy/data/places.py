"""Where values are in a file: the line and the column of each, by its path."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from bff_core.errors import ConfigurationError
from bff_core.proxy.option_faults import FieldPath


class Place(NamedTuple):
    """A line and a column, both counted from 1."""

    line: int
    column: int


TOP = Place(1, 1)


@dataclass(slots=True)
class Places:
    """The places of the keys and the values in a file."""

    keys: dict[FieldPath, Place] = field(default_factory=dict)
    values: dict[FieldPath, Place] = field(default_factory=dict)

    def of_value(self, path: FieldPath) -> Place:
        """Return the place of a value, or of the closest value around it."""
        return _closest(self.values, path)

    def of_key(self, path: FieldPath) -> Place:
        """Return the place of a key, or of the closest value around it."""
        return self.keys.get(path) or self.of_value(path)


def _closest(places: Mapping[FieldPath, Place], path: FieldPath) -> Place:
    while path:
        if found := places.get(path):
            return found
        path = path[:-1]
    return TOP


class UnreadableFile(ConfigurationError):
    """A text that is not TOML or YAML, or beyond the limits of a file of routes."""

    def __init__(self, complaint: str, place: Place = TOP) -> None:
        super().__init__(complaint)
        self.complaint, self.place = complaint, place
