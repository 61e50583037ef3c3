"""`early(Home.orders, cards)`: declares parts that a progressive answer sends early."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from inspect import ismethod, isroutine
from typing import Any, Self, TypeVar, get_type_hints

from bff_core.composition.composition import Composition
from bff_core.composition.decorators import PartMethod
from bff_core.errors import ConfigurationError
from bff_core.keywords import checks_keywords

T = TypeVar("T")

Present = Callable[[Any, Any], object]
"""Takes the value of a part and its composition, and returns what is sent to the client."""


@dataclass(frozen=True, slots=True)
class EarlyPart:
    """A part that is sent early, and the function that presents it; made by `early`.

    `schema` is a type with the schema of what is sent; without it, the function's return type.
    """

    part: PartMethod[Any, Any]
    present: Present
    schema: Any = None


@checks_keywords
def early(part: PartMethod[..., T], present: Callable[[T, Any], object]) -> EarlyPart:
    """Send a part as soon as it ends; `present` takes its value and its composition.

    The client gets the result of `present`, not the value of the part, which may have fields of a
    service that the view does not show.
    """
    if not isinstance(part, PartMethod) or not callable(present):
        raise ConfigurationError(
            f"early({part!r}, {present!r}): give a part of a composition, such as Home.orders, and "
            "a function that takes its value and the composition"
        )
    return EarlyPart(part, present)


def returned_by(present: Any) -> Any:
    """Return the type of what a presenter returns; `Any` if it declares none."""
    if isinstance(present, type):
        return present
    if isinstance(present, partial):
        return returned_by(present.func)
    function = present if isroutine(present) else type(present).__call__
    try:
        hint = get_type_hints(function, include_extras=True).get("return", Any)
    except (NameError, TypeError):
        return Any
    return present.__self__ if hint is Self and ismethod(present) else hint


def presenters(
    early_parts: Sequence[EarlyPart], compositions: Iterable[Composition]
) -> dict[tuple[Composition, str], Present]:
    """Return the presenters of the early parts of compositions."""
    return {
        (one, each.part.name): each.present
        for one in compositions
        for each in early_parts
        if each.part.belongs_to(type(one))
    }


def check_are_parts(given: object, view: str) -> None:
    """Raise `ConfigurationError` for anything but a list of what `early` made."""
    wrong = [given]
    if isinstance(given, Sequence):
        wrong = [one for one in given if not isinstance(one, EarlyPart)]
    if wrong:
        raise ConfigurationError(
            f"view {view}: progressive= takes a list of early(part, present), not {wrong[0]!r}"
        )


def check_early_parts(
    early_parts: Sequence[EarlyPart], kinds: Sequence[type[Composition]], view: str
) -> None:
    """Raise `ConfigurationError` for an early part that no composition of the view has."""
    for each in early_parts:
        if not any(each.part.belongs_to(kind) for kind in kinds):
            raise ConfigurationError(
                f"view {view} shows the part {each.part.name!r}, but none of its screens has it"
            )
