"""The access rule of a route: a route that takes a `SignedIn` requires a signed-in viewer."""

from collections.abc import Iterable
from typing import Final

from bff_core.auth.access import SIGNED_IN, Access, Require
from bff_core.auth.viewer import SignedIn
from bff_core.compat.fastapi import Dependant, all_dependants
from bff_core.composition.wiring import COMPOSED_CLASS, shape_of

WIRED_CLASS: Final = "__wired__"
"""The attribute of a FastAPI dependency that holds the class of the value it makes."""


def with_signed_in(rule: Access | None, dependants: Iterable[Dependant]) -> Access | None:
    """Return a rule that admits no anonymous caller if what a route takes needs a `SignedIn`.

    `dependants` are what FastAPI read from the route's function and from its dependencies.
    """
    if isinstance(rule, Require):
        return rule
    calls = (one.call for root in dependants for one in all_dependants(root))
    return SIGNED_IN if any(map(_takes_signed_in, calls)) else rule


def _takes_signed_in(dependency: object) -> bool:
    """Whether a dependency makes a viewer that is never anonymous, or a composition with one."""
    screen, kind = getattr(dependency, COMPOSED_CLASS, None), getattr(dependency, WIRED_CLASS, None)
    kinds = [] if screen is None else [one for _, one in shape_of(screen).facts]
    return any(issubclass(one, SignedIn) for one in (*kinds, kind) if one is not None)
