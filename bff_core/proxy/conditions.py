"""A condition on one header, query parameter or cookie of a request."""

from dataclasses import dataclass
from typing import Final

from bff_core.errors import ConfigurationError
from bff_core.keywords import checks_keywords

MAX_PATTERN: Final = 256
"""The longest regex of a condition, in characters."""


@checks_keywords
@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """What a value must be: exactly one of the five is given.

    `equals` and `prefix` compare text, case-sensitive. `exists` and `absent` ask whether the name
    is there at all. `regex` must match the whole value, of which no more than 1 KiB is read. A name
    that is there several times holds if one of its values does.
    """

    equals: str | None = None
    prefix: str | None = None
    exists: bool = False
    absent: bool = False
    regex: str | None = None

    def __post_init__(self) -> None:
        texts = (self.equals, self.prefix, self.regex)
        if sum(one is not None for one in texts) + self.exists + self.absent != 1:
            raise ConfigurationError(
                "Condition(...) needs exactly one of equals=, prefix=, exists=True, absent=True "
                "and regex="
            )


def condition_of(value: str | Condition) -> Condition:
    """Return the condition that a text stands for: that the value equals it."""
    return Condition(equals=value) if isinstance(value, str) else value
