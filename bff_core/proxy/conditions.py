"""A condition on one header, query parameter or cookie of a request."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from bff_core.keywords import checks_keywords
from bff_core.policy.options import Option
from bff_core.proxy.option_faults import OptionFault, refuse
from bff_core.proxy.option_types import type_faults
from bff_core.proxy.patterns import value_pattern
from bff_core.proxy.value_checks import error_of, text_complaint


@checks_keywords
@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """What a value must be: exactly one of the five is given.

    `equals` and `prefix` compare text, case-sensitive. `exists` and `absent` ask whether the name
    is there at all. `regex` must match the whole value, of which no more than 1 KiB is read. A name
    that is there several times holds if one of its values does.
    """

    equals: Annotated[str | None, Option("The value")] = None
    prefix: Annotated[str | None, Option("How the value begins")] = None
    exists: Annotated[bool, Option("Whether the name must be there")] = False
    absent: Annotated[bool, Option("Whether the name must not be there")] = False
    regex: Annotated[
        str | None,
        Option("A regex of RE2 that must match the whole value, of 256 characters at most"),
    ] = None

    def __post_init__(self) -> None:
        refuse(self, type_faults(self))
        refuse(self, self._faults())

    def _faults(self) -> Iterator[OptionFault]:
        texts = (self.equals, self.prefix, self.regex)
        if sum(one is not None for one in texts) + self.exists + self.absent != 1:
            choice = "equals, prefix, exists, absent and regex"
            yield OptionFault((), f"needs exactly one of {choice}")
        if self.equals is not None and (complaint := text_complaint(self.equals)):
            yield OptionFault(("equals",), complaint)
        if self.prefix is not None:
            complaint = text_complaint(self.prefix.rstrip(" "))
            if not self.prefix:
                complaint = "is empty, which every value begins with: write exists"
            if complaint:
                yield OptionFault(("prefix",), complaint)
        if self.regex is not None:
            pattern = self.regex
            if complaint := error_of(lambda: value_pattern(pattern)):
                yield OptionFault(("regex",), complaint)


def condition_of(value: str | Condition) -> Condition:
    """Return the condition that a text stands for: that the value equals it."""
    return Condition(equals=value) if isinstance(value, str) else value
