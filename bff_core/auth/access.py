"""Who may do what: the words that routes, GraphQL fields and types are guarded by."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from bff_core.auth.viewer import Viewer
from bff_core.errors import ConfigurationError, NotAllowed, NotFound
from bff_core.scope import Scope

E = TypeVar("E")

MARK: Final = "__access__"

Inputs = Mapping[str, object]
"""What a request asks for, by name: parameters of a route and its screens, arguments of a field."""

When = Callable[[Viewer, Inputs], bool]


@dataclass(frozen=True, slots=True, init=False)
class Require:
    """Somebody who is signed in, with all of the scopes, and one of the roles.

        Require("orders:read")
        Require(roles=("support", "admin"))
        Require(when=lambda viewer, inputs: inputs["customer_id"] == viewer.subject, hides=True)

    `when` decides by who asks and what for; what it refuses is a 403, or a 404 if it `hides`, so
    that outsiders can't tell what exists from what does not.
    """

    scopes: tuple[str, ...]
    roles: tuple[str, ...]
    when: When | None
    hides: bool

    def __init__(
        self,
        *scopes: str,
        roles: Sequence[str] = (),
        when: When | None = None,
        hides: bool = False,
    ) -> None:
        if isinstance(roles, str) or not all(isinstance(one, str) and one for one in scopes):
            raise ConfigurationError(
                'Require("scope", …, roles=("role", …)): scopes one by one, roles in a tuple'
            )
        if hides and when is None:
            raise ConfigurationError("Require(hides=True) hides what `when` refuses: give one")
        object.__setattr__(self, "scopes", scopes)
        object.__setattr__(self, "roles", tuple(roles))
        object.__setattr__(self, "when", when)
        object.__setattr__(self, "hides", hides)

    def admit(self, viewer: Viewer) -> None:
        """Raise `NotAuthenticated` for nobody, `NotAllowed` without a scope or a role."""
        viewer.require(*self.scopes)
        if self.roles and viewer.roles.isdisjoint(self.roles):
            raise NotAllowed("This takes a role that you don't have.")

    def admit_to(self, viewer: Viewer, inputs: Inputs) -> None:
        """Raise `NotAllowed`, or `NotFound`, for what the viewer may not ask for."""
        if self.when is None or self.when(viewer, inputs):
            return
        if self.hides:
            raise NotFound("There is no such thing.")
        raise NotAllowed("You may not do this.")

    def __str__(self) -> str:
        words = [*self.scopes, *(["one of " + ", ".join(self.roles)] if self.roles else [])]
        words += ["its inputs"] if self.when is not None else []
        return "signed in" + (f", with {', '.join(words)}" if words else "")


@dataclass(frozen=True, slots=True)
class Anyone:
    """Nobody in particular may ask, too; who is signed in is known nevertheless."""

    def __str__(self) -> str:
        return "anyone"


ANYONE: Final = Anyone()

SIGNED_IN: Final = Require()

Access = Require | Anyone


def access(one: Access) -> Callable[[E], E]:
    """Say who may ask: a decorator for the function behind any route, a resolver, a GraphQL type.

        @app.get("/imprint")
        @access(ANYONE)
        async def imprint() -> Imprint: ...

    Where nothing is said it is those who are signed in, if a gateway has an authenticator.
    """
    _checked(one)

    def mark(thing: E) -> E:
        setattr(thing, MARK, one)
        return thing

    return mark


def access_of(thing: object) -> Access | None:
    """Return what was said of a thing; None where nothing was."""
    said = getattr(thing, MARK, None)
    return said if isinstance(said, Require | Anyone) else None


def _checked(one: object) -> None:
    if not isinstance(one, Require | Anyone):
        raise ConfigurationError(f"access is Require(...) or ANYONE, not {one!r}")


def admit(said: Access | None, scope: Scope) -> None:
    """Raise for a caller who may not ask; nobody is asked where nobody can sign in."""
    if said is ANYONE or (said is None and not scope.is_guarded):
        return
    needs = said if isinstance(said, Require) else SIGNED_IN
    needs.admit(Viewer.from_scope(scope))


def admit_to(said: Access | None, scope: Scope, inputs: Callable[[], Inputs]) -> None:
    """Raise for a caller who may not ask for this; `inputs` are made where they matter."""
    if isinstance(said, Require) and said.when is not None:
        said.admit_to(Viewer.from_scope(scope), inputs())
