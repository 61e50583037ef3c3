"""`early(Home.orders, cards)`: declares parts that a progressive answer sends early."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from bff_core.composition.composition import Composition
from bff_core.composition.decorators import PartMethod
from bff_core.errors import ConfigurationError

T = TypeVar("T")

Present = Callable[[Any, Any], object]
"""Takes the value of a part and its composition, and returns what is sent to the client."""


@dataclass(frozen=True, slots=True)
class EarlyPart:
    """A part that is sent early, and the function that presents it; made by `early`."""

    part: PartMethod[Any, Any]
    present: Present

    def belongs_to(self, kind: type[Composition]) -> bool:
        """Whether a class of composition has this part, and does not override it."""
        return getattr(kind, self.part.name, None) is self.part


def early(part: PartMethod[..., T], present: Callable[[T, Any], object]) -> EarlyPart:
    """Send a part as soon as it ends; `present` takes its value and its composition.

    The client gets the result of `present`, not the value of the part, which may have fields of a
    service that the view does not show.
    """
    return EarlyPart(part, present)


def presenters(
    early_parts: Sequence[EarlyPart], compositions: Iterable[Composition]
) -> dict[tuple[Composition, str], Present]:
    """Return the presenters of the early parts of compositions."""
    return {
        (one, each.part.name): each.present
        for one in compositions
        for each in early_parts
        if each.belongs_to(type(one))
    }


def check_are_parts(given: Sequence[object], view: str) -> None:
    """Raise `ConfigurationError` for what `early` did not make."""
    for each in given:
        if not isinstance(each, EarlyPart):
            raise ConfigurationError(
                f"view {view}: progressive= takes a list of early(part, present), not {each!r}"
            )


def check_early_parts(
    early_parts: Sequence[EarlyPart], kinds: Sequence[type[Composition]], view: str
) -> None:
    """Raise `ConfigurationError` for an early part that no composition of the view has."""
    for each in early_parts:
        if not any(each.belongs_to(kind) for kind in kinds):
            raise ConfigurationError(
                f"view {view} shows the part {each.part.name!r}, but none of its screens has it"
            )
