"""What an option is: a default, a range and a sentence, checked when a policy is built."""

import math
from dataclasses import dataclass, fields
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

from bff_core.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Option:
    """The sentence and the range of an option; stands in its `Annotated` type.

    Seconds and ratios are floats, counts are ints; both ends of a range belong to it.
    """

    sentence: str
    at_least: float = -math.inf
    at_most: float = math.inf

    @property
    def range(self) -> str:
        """How the range reads: "0.1 to 60", "at least 1", "any"."""
        if math.isinf(self.at_least):
            return "any"
        if math.isinf(self.at_most):
            return f"at least {_plain(self.at_least)}"
        return f"{_plain(self.at_least)} to {_plain(self.at_most)}"


def _plain(number: float) -> str:
    return f"{int(number):,}" if number == int(number) else f"{number:g}"


@dataclass(frozen=True, slots=True)
class DescribedOption:
    """An option of a policy with its name, default and type, as the documentation lists it."""

    name: str
    default: object
    types: tuple[type, ...]
    option: Option

    def refuse(self, owner: type, value: object) -> None:
        """Raise `ConfigurationError` unless the value is of the type and within the range."""
        if complaint := self.complaint(value):
            raise ConfigurationError(f"{owner.__name__}.{self.name} {complaint}")

    def complaint(self, value: object) -> str:
        """Say what the value must be, after its name; empty where nothing is wrong."""
        if value is None and NoneType in self.types:
            return ""
        kinds = (int, float) if float in self.types else self.types
        is_flag_by_mistake = isinstance(value, bool) and bool not in self.types
        if not isinstance(value, kinds) or is_flag_by_mistake:
            expected = " or ".join("None" if t is NoneType else t.__name__ for t in self.types)
            return f"must be {expected}, not {value!r}"
        if isinstance(value, int | float) and not self._holds(value):
            return f"must be {self.option.range}, not {value!r}"
        return ""

    def _holds(self, value: float) -> bool:
        # Not a number fails both comparisons.
        return self.option.at_least <= value <= self.option.at_most


def described(policy: type) -> tuple[DescribedOption, ...]:
    """Return the options of a policy class in the order of their declaration."""
    hints = get_type_hints(policy, include_extras=True)
    return tuple(
        DescribedOption(field.name, field.default, _types(hint), hint.__metadata__[0])
        for field in fields(policy)
        if get_origin(hint := hints[field.name]) is Annotated
    )


def _types(hint: Any) -> tuple[type, ...]:
    inner = get_args(hint)[0]
    kinds = get_args(inner) if isinstance(inner, UnionType) else (inner,)
    return tuple(_class_of(kind) for kind in kinds)


def _class_of(kind: Any) -> type:
    """Return the class of a type's values; of a choice of words it is text."""
    origin = get_origin(kind)
    return str if origin is Literal else origin or kind


def check(policy: object) -> None:
    """Hold every option to its type and range.

    Raises `ConfigurationError` naming the option, the value and the range.
    """
    for option in described(type(policy)):
        option.refuse(type(policy), getattr(policy, option.name))
