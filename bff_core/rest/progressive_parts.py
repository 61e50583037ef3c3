"""`early(Home.orders, cards)`: how a part looks to a client before the whole answer is there."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from bff_core.composition.composition import Composition
from bff_core.composition.decorators import PartMethod
from bff_core.errors import ConfigurationError

T = TypeVar("T")

Present = Callable[[Any, Any], object]
"""Takes a part's value and its screen, and returns what a client is shown."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A part and how it is presented; made by `early`."""

    part: PartMethod[Any, Any]
    present: Present

    def belongs_to(self, kind: type[Composition]) -> bool:
        """Whether screens of a class have this part, not overridden by another."""
        return getattr(kind, self.part.name, None) is self.part


def early(part: PartMethod[..., T], present: Callable[[T, Any], object]) -> Shown:
    """Say how a part is presented as soon as it lands; `present` takes its value and its screen.

    Only what is presented leaves the gateway before the whole answer: a part's own value is a
    service's, and the view has not trimmed it yet.
    """
    return Shown(part, present)


def presenters(
    shown: Sequence[Shown], compositions: Iterable[Composition]
) -> dict[tuple[Composition, str], Present]:
    """Return how the parts of these screens are presented."""
    return {
        (one, each.part.name): each.present
        for one in compositions
        for each in shown
        if each.belongs_to(type(one))
    }


def check_shown(shown: Sequence[Shown], kinds: Sequence[type[Composition]], view: str) -> None:
    """Refuse to present a part that no screen of the view has."""
    for each in shown:
        if not isinstance(each, Shown):
            raise ConfigurationError(
                f"view {view}: progressive= takes a list of early(part, present), not {each!r}"
            )
        if not any(each.belongs_to(kind) for kind in kinds):
            raise ConfigurationError(
                f"view {view} shows the part {each.part.name!r}, but none of its screens has it"
            )
