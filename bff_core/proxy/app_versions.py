"""Versions of client apps, and ranges of them such as ">=4.2,<5"."""

import re
from dataclasses import dataclass
from typing import Final, Self

from bff_core.errors import ConfigurationError

MAX_LENGTH: Final = 64
"""The longest version or range, in characters."""

_VERSION: Final = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9}){0,3}", re.ASCII)
_BOUND: Final = re.compile(r"(>=|<=|>|<|==|=)?\s*([0-9.]+)", re.ASCII)

AppVersion = tuple[int, ...]
"""The numbers of a version, without zeros at the end: 4.0 equals 4."""


def app_version_of(text: str) -> AppVersion | None:
    """Return the numbers of a version such as "4.2.1"; None for a text that is no version.

    What follows a "-" or a "+" does not count: builds of one version are equal.
    """
    if len(text) > MAX_LENGTH:
        return None
    text = re.split(r"[-+]", text.strip(), maxsplit=1)[0]
    if not _VERSION.fullmatch(text):
        return None
    numbers = [int(one) for one in text.split(".")]
    while numbers and not numbers[-1]:
        numbers.pop()
    return tuple(numbers)


@dataclass(frozen=True, slots=True)
class VersionRange:
    """All versions between two bounds; a bound of None is open.

    `has_least` and `has_most` are true where the bound itself is within the range.
    """

    least: AppVersion | None = None
    has_least: bool = True
    most: AppVersion | None = None
    has_most: bool = True

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the range of a text; raise `ConfigurationError` for another text, or no version.

        Bounds are separated by commas; all must hold: ">=4.2,<5", "4.2" (that version only).
        """
        found = cls()
        if len(text) > MAX_LENGTH:
            raise ConfigurationError(f"is longer than {MAX_LENGTH} characters")
        for bound in text.split(","):
            match = _BOUND.fullmatch(bound.strip())
            version = app_version_of(match[2]) if match else None
            if match is None or version is None:
                raise ConfigurationError('is no range of versions: write one such as ">=4.2,<5"')
            found = found.within(match[1] or "=", version)
        if found.is_empty:
            raise ConfigurationError("holds no version: the lower bound is above the upper one")
        return found

    @property
    def is_empty(self) -> bool:
        """Whether no version is within the range."""
        if self.least is None or self.most is None:
            return False
        if self.least == self.most:
            return not (self.has_least and self.has_most)
        return self.least > self.most

    def holds(self, version: AppVersion) -> bool:
        """Whether a version is within the range."""
        if self.least is not None and (
            version < self.least or (version == self.least and not self.has_least)
        ):
            return False
        return self.most is None or (
            version < self.most or (version == self.most and self.has_most)
        )

    def overlaps(self, other: "VersionRange") -> bool:
        """Whether a version may be within both ranges."""
        both = self
        if other.least is not None:
            both = both.within(">=" if other.has_least else ">", other.least)
        if other.most is not None:
            both = both.within("<=" if other.has_most else "<", other.most)
        return not both.is_empty

    def within(self, operator: str, version: AppVersion) -> Self:
        """Return the part of the range that a further bound leaves."""
        least, has_least, most, has_most = self.least, self.has_least, self.most, self.has_most
        if operator in {">", ">=", "=", "=="}:
            includes = operator != ">"
            if least is None or version > least:
                least, has_least = version, includes
            elif version == least:
                has_least = has_least and includes
        if operator in {"<", "<=", "=", "=="}:
            includes = operator != "<"
            if most is None or version < most:
                most, has_most = version, includes
            elif version == most:
                has_most = has_most and includes
        return type(self)(least, has_least, most, has_most)
