"""Options of policies: each has a default, a range and a sentence, and is checked when set."""

import math
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

from bff_core.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Option:
    """The sentence and the range of an option, as part of its `Annotated` type.

    Seconds and ratios are floats, counts are ints. A range includes both of its ends.
    """

    sentence: str
    at_least: float = -math.inf
    at_most: float = math.inf

    @property
    def range(self) -> str:
        """The range as text: "0.1 to 60", "at least 1", "any"."""
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
        """Return what the value must be, as the end of a sentence; empty for a valid value."""
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
        # NaN fails both comparisons.
        return self.option.at_least <= value <= self.option.at_most


@cache
def described(policy: type) -> tuple[DescribedOption, ...]:
    """Return the options of a policy class in the order of their declaration."""
    hints = get_type_hints(policy, include_extras=True)
    return tuple(
        DescribedOption(field.name, field.default, _types(hint), hint.__metadata__[0])
        for field in fields(policy)
        if get_origin(hint := hints[field.name]) is Annotated
    )


def members_of(hint: Any) -> tuple[Any, ...]:
    """Return the members of a union; a type that is no union is its only member."""
    return get_args(hint) if isinstance(hint, UnionType) else (hint,)


def _types(hint: Any) -> tuple[type, ...]:
    return tuple(_class_of(kind) for kind in members_of(get_args(hint)[0]))


def _class_of(kind: Any) -> type:
    """Return the class of a type's values; that of a `Literal` of words is `str`."""
    origin = get_origin(kind)
    return str if origin is Literal else origin or kind


def check(policy: object) -> None:
    """Raise `ConfigurationError` for an option of a wrong type or out of its range.

    Nested policies must be of their type. The error names the option, the value and the range.
    """
    owner: type = type(policy)
    for option in described(owner):
        option.refuse(owner, getattr(policy, option.name))
    for name, kinds in _nested(owner):
        if not isinstance(getattr(policy, name), kinds):
            names = ", ".join(f"{kind.__name__}(...)" for kind in kinds if kind is not NoneType)
            choice = " or None" if NoneType in kinds else ""
            raise ConfigurationError(f"{owner.__name__}.{name} must be {names}{choice}")


@cache
def _nested(policy: type) -> tuple[tuple[str, tuple[type, ...]], ...]:
    """Return the nested policies of a class: each name with its types."""
    members = {name: members_of(hint) for name, hint in get_type_hints(policy).items()}
    return tuple(
        (name, tuple(get_origin(kind) or kind for kind in kinds))
        for name, kinds in members.items()
        if is_dataclass(kinds[0])
    )
