"""The failures of the services of a screen: each of them down, slow, garbage and empty in turn."""

import importlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from bff_core.composition.composition import Composition
from bff_core.composition.wiring import shape_of
from bff_core.testing.scripted import Step, empty, fail, garbage, hang
from bff_core.testing.scripts import Script
from bff_core.upstream.client import Upstream

ALL_FAULTS: Final[Mapping[str, Step]] = {
    "down": fail(is_sent=False),
    "slow": hang(),
    "garbage": garbage(),
    "empty": empty(),
}
"""What is wrong with a service: it refuses connections, never answers, or sends no valid JSON."""


@dataclass(frozen=True, slots=True)
class Failure:
    """One service that fails in one way; its text is `reviews-down`."""

    service: str
    kind: str
    step: Step = field(repr=False)

    def __str__(self) -> str:
        return f"{self.service}-{self.kind}"

    def within(self, services: Mapping[str, Script]) -> dict[str, Script]:
        """Return the scripts of all services, with this failure in the place of one."""
        return {**services, self.service: self.step}


def failures(
    *screens: type[Composition],
    services: Iterable[str] = (),
    faults: Mapping[str, Step] = ALL_FAULTS,
) -> Sequence[Any]:
    """Return the failures of all services of these screens, as parameters of a pytest test.

        @pytest.mark.parametrize("failure", failures(ProductPage))

    `services` names further ones, such as those of a nested screen. `faults` are the kinds of
    failures; `ALL_FAULTS | {"busy": reply(503)}` adds one.
    """
    pytest = importlib.import_module("pytest")
    names = dict.fromkeys([*services_of(*screens), *services])
    if not names:
        shown = ", ".join(one.__name__ for one in screens) or "no screen"
        raise TypeError(f"failures({shown}): these screens have no field that is a service")
    made = [Failure(name, kind, step) for name in names for kind, step in faults.items()]
    return [pytest.param(one, id=str(one)) for one in made]


def services_of(*screens: type[Composition]) -> list[str]:
    """Return the names of the services that are fields of these screens, each once."""
    kinds = [kind for one in screens for _, kind in shape_of(one).services]
    return list(dict.fromkeys(kind.name for kind in kinds if issubclass(kind, Upstream)))
