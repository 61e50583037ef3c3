"""Who may do what: the words that routes, GraphQL fields and types are guarded by."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar
from urllib.parse import urlencode

from bff_core.auth.viewer import Viewer
from bff_core.call import find_header
from bff_core.errors import ConfigurationError, NotAllowed, NotAuthenticated, NotFound
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

    `acr` are classes of the proof that the viewer gave, of which one is enough; `max_age` is for
    how many seconds it is good. A viewer who has given less is refused with `StepUpRequired`, and
    signs in again to prove more.

        Require("payments:write", acr="urn:example:mfa", max_age=300)
    """

    scopes: tuple[str, ...]
    roles: tuple[str, ...]
    when: When | None
    hides: bool
    acr: tuple[str, ...]
    max_age: int | None

    def __init__(
        self,
        *scopes: str,
        roles: Sequence[str] = (),
        when: When | None = None,
        hides: bool = False,
        acr: str | Sequence[str] = (),
        max_age: int | None = None,
    ) -> None:
        if isinstance(roles, str) or not all(isinstance(one, str) for one in scopes):
            raise ConfigurationError(
                'Require("scope", …, roles=("role", …)): scopes one by one, roles in a tuple'
            )
        if unfit := [one for one in scopes if one.split() != [one]]:
            raise ConfigurationError(
                f"Require({unfit[0]!r}): a scope has no spaces and is not empty; "
                'give several one by one, as in Require("orders:read", "orders:write")'
            )
        if hides and when is None:
            raise ConfigurationError("Require(hides=True) hides what `when` refuses: give one")
        classes = (acr,) if isinstance(acr, str) else tuple(acr)
        if not all(isinstance(one, str) and _is_class(one) for one in classes):
            raise ConfigurationError(
                'Require(acr="class") or acr=("class", …): names without spaces and quotes'
            )
        if max_age is not None and not (type(max_age) is int and max_age >= 1):
            raise ConfigurationError("Require(max_age=…) is a whole number of seconds from 1 up")
        object.__setattr__(self, "scopes", scopes)
        object.__setattr__(self, "roles", tuple(roles))
        object.__setattr__(self, "when", when)
        object.__setattr__(self, "hides", hides)
        object.__setattr__(self, "acr", classes)
        object.__setattr__(self, "max_age", max_age)

    def admit(self, viewer: Viewer) -> None:
        """Raise `NotAuthenticated` for nobody, `NotAllowed` without a scope or a role."""
        viewer.require(*self.scopes)
        if self.roles and viewer.roles.isdisjoint(self.roles):
            raise NotAllowed("This takes a role that you don't have.")

    def is_met_by(self, viewer: Viewer, wall: float) -> bool:
        """Return whether the viewer has proved enough, at a Unix time."""
        is_strong = not self.acr or viewer.acr in self.acr
        return is_strong and (self.max_age is None or wall - viewer.auth_time <= self.max_age)

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
        words += ["acr " + " or ".join(self.acr)] if self.acr else []
        words += [f"a proof of the last {self.max_age} seconds"] if self.max_age else []
        return "signed in" + (f", with {', '.join(words)}" if words else "")


_is_class: Final = re.compile(r"[!#-\[\]-~]+").fullmatch  # fits a quoted string (RFC 9110, 5.6.4)


class StepUpRequired(NotAuthenticated):
    """The viewer has to prove more, or anew (RFC 9470); the problem says what, and where.

    `login` is the address for a viewer with a session, empty for one with a token: that gets the
    challenge in `WWW-Authenticate`, of its own `scheme`.
    """

    code = "insufficient_user_authentication"
    title = "Stronger authentication is required"

    def __init__(self, needs: Require, *, login: str, scheme: str) -> None:
        self.needs = needs
        wanted: dict[str, str] = {}
        if needs.acr:
            wanted["acr_values"] = " ".join(needs.acr)
        if needs.max_age is not None:
            wanted["max_age"] = str(needs.max_age)
        self._login = f"{login}?{urlencode(wanted)}" if login else ""
        fields = {"error": self.code, "error_description": "Sign in again", **wanted}
        challenge = ", ".join(f'{name}="{value}"' for name, value in fields.items())
        super().__init__(
            "Sign in again: this takes a stronger or a more recent sign-in.",
            challenge="" if login else f"{scheme} {challenge}",
        )

    @property
    def members(self) -> Mapping[str, object]:
        """What to ask the provider for, and where a browser does so."""
        found: dict[str, object] = {}
        if self.needs.acr:
            found["acr_values"] = " ".join(self.needs.acr)
        if self.needs.max_age is not None:
            found["max_age"] = self.needs.max_age
        return {**found, "login": self._login} if self._login else found


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
    checked_access(one)

    def mark(thing: E) -> E:
        setattr(thing, MARK, one)
        return thing

    return mark


def access_of(thing: object) -> Access | None:
    """Return what was said of a thing; None where nothing was."""
    said = getattr(thing, MARK, None)
    return said if isinstance(said, Require | Anyone) else None


def checked_access(one: object) -> Access:
    """Return a rule; raise `ConfigurationError` for what is none, which would admit callers."""
    if not isinstance(one, Require | Anyone):
        raise ConfigurationError(f"access is Require(...) or ANYONE, not {one!r}")
    return one


def is_open(said: Access | None, scope: Scope) -> bool:
    """Whether a rule, or its absence, admits anonymous callers."""
    return said is ANYONE or (said is None and not scope.is_guarded)


def admit(said: Access | None, scope: Scope) -> None:
    """Raise for a caller who may not ask; nobody is asked where nobody can sign in."""
    if is_open(said, scope):
        return
    needs = said if isinstance(said, Require) else SIGNED_IN
    viewer = Viewer.from_scope(scope)
    needs.admit(viewer)
    if (needs.acr or needs.max_age is not None) and not needs.is_met_by(viewer, scope.wall()):
        sent = find_header(scope.headers, b"authorization") or b""
        scheme = "DPoP" if sent[:5].lower() == b"dpop " else "Bearer"
        raise StepUpRequired(needs, login=scope.login, scheme=scheme)


def admit_to(said: Access | None, scope: Scope, inputs: Callable[[], Inputs]) -> None:
    """Raise for a caller who may not ask for this; `inputs` are made where they matter."""
    if isinstance(said, Require) and said.when is not None:
        said.admit_to(Viewer.from_scope(scope), inputs())
