"""Which callers may use a route, a GraphQL field or a type: access rules and their checks."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from inspect import iscoroutinefunction
from typing import Final, TypeVar
from urllib.parse import urlencode

from bff_core.auth.viewer import Viewer
from bff_core.errors import ConfigurationError, NotAllowed, NotAuthenticated, NotFound
from bff_core.keywords import checks_keywords
from bff_core.scope import Scope

E = TypeVar("E")

ACCESS_ATTRIBUTE: Final = "__access__"

Inputs = Mapping[str, object]
"""The inputs of a request by name: parameters of a route and its screens, arguments of a field."""

When = Callable[[Viewer, Inputs], bool]
"""Whether a viewer may use a route with these inputs."""


@checks_keywords
@dataclass(frozen=True, slots=True, init=False)
class Require:
    """An access rule: a signed-in viewer with all of the scopes and one of the roles.

        Require("orders:read")
        Require(roles=("support", "admin"))
        Require(when=lambda viewer, inputs: inputs["customer_id"] == viewer.subject, hides=True)

    `when` decides by the viewer and the inputs of the request. A request that it refuses gets 403,
    or 404 with `hides`, so that other viewers don't learn what exists.

    `acr` lists authentication context classes, one of which is enough. `max_age` limits the age of
    the viewer's sign-in (seconds). A viewer whose sign-in is weaker or older gets
    `StepUpRequired` and has to sign in again.

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
        if when is not None and (not callable(when) or iscoroutinefunction(when)):
            raise ConfigurationError(
                f"Require(when={when!r}): give a plain function (not async) of the viewer and the "
                "inputs, which returns True to admit"
            )
        if hides and when is None:
            raise ConfigurationError(
                "Require(hides=True) hides what `when` refuses: pass when=... too"
            )
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
        """Check scopes and roles: raise `NotAuthenticated` if anonymous, else `NotAllowed`."""
        viewer.require(*self.scopes)
        if self.roles and viewer.roles.isdisjoint(self.roles):
            raise NotAllowed("This takes a role that you don't have.")

    def is_met_by(self, viewer: Viewer, wall: float) -> bool:
        """Return whether the viewer's sign-in is strong and recent enough at a Unix time."""
        is_strong = not self.acr or viewer.acr in self.acr
        return is_strong and (self.max_age is None or wall - viewer.auth_time <= self.max_age)

    def admit_to(self, viewer: Viewer, inputs: Inputs) -> None:
        """Check the inputs: raise `NotAllowed`, or `NotFound` with `hides`."""
        is_admitted = self.when is None or self.when(viewer, inputs)
        if is_admitted is True:
            return
        if is_admitted is not False:
            raise TypeError(f"Require(when={self.when!r}) returned {is_admitted!r}, not a bool")
        if self.hides:
            raise NotFound("There is no such thing.")
        raise NotAllowed("You may not do this.")

    def __str__(self) -> str:
        words = [*self.scopes, *(["one of " + ", ".join(self.roles)] if self.roles else [])]
        words += ["its inputs"] if self.when is not None else []
        words += ["acr " + " or ".join(self.acr)] if self.acr else []
        words += [f"a sign-in of the last {self.max_age} seconds"] if self.max_age else []
        return "signed in" + (f", with {', '.join(words)}" if words else "")


_is_class: Final = re.compile(r"[!#-\[\]-~]+").fullmatch  # fits a quoted string (RFC 9110, 5.6.4)


class StepUpRequired(NotAuthenticated):
    """The viewer has to sign in again, with a stronger or a more recent sign-in (RFC 9470).

    A viewer with a session gets the address `login`. A viewer with a token gets a challenge of
    its `scheme` in `WWW-Authenticate`; `login` is empty then.
    """

    code = "insufficient_user_authentication"
    title = "Stronger authentication is required"

    def __init__(self, rule: Require, *, login: str, scheme: str) -> None:
        required: dict[str, object] = {}
        if rule.acr:
            required["acr_values"] = " ".join(rule.acr)
        if rule.max_age is not None:
            required["max_age"] = rule.max_age
        address = {"login": f"{login}?{urlencode(required)}"} if login else {}
        self._members = {**required, **address}
        fields = {"error": self.code, "error_description": "Sign in again", **required}
        challenge = ", ".join(f'{name}="{value}"' for name, value in fields.items())
        super().__init__(
            "Sign in again: this takes a stronger or a more recent sign-in.",
            challenge="" if login else f"{scheme} {challenge}",
        )

    @property
    def members(self) -> Mapping[str, object]:
        """The parameters of the sign-in request, and the address where a browser sends it."""
        return self._members


@dataclass(frozen=True, slots=True)
class Anyone:
    """The access rule that admits anonymous callers; a signed-in caller is still authenticated."""

    def __str__(self) -> str:
        return "anyone"


ANYONE: Final = Anyone()
"""The access rule of routes that anonymous callers may use."""

SIGNED_IN: Final = Require()

Access = Require | Anyone
"""An access rule."""


@checks_keywords
def access(one: Access) -> Callable[[E], E]:
    """Declare an access rule: a decorator for the function of a route, a resolver, a GraphQL type.

        @app.get("/imprint")
        @access(ANYONE)
        async def imprint() -> Imprint: ...

    In a gateway with an authenticator, routes require a signed-in viewer unless they declare
    another rule.
    """
    checked_access(one)

    def declare(guarded: E) -> E:
        setattr(guarded, ACCESS_ATTRIBUTE, one)
        return guarded

    return declare


def access_of(guarded: object) -> Access | None:
    """Return the access rule that a function or a type declares; None without one."""
    rule = getattr(guarded, ACCESS_ATTRIBUTE, None)
    return rule if isinstance(rule, Require | Anyone) else None


def checked_access(one: object) -> Access:
    """Return an access rule; raise `ConfigurationError` for a value that is none."""
    if not isinstance(one, Require | Anyone):
        raise ConfigurationError(f"access is Require(...) or ANYONE, not {one!r}")
    return one


def is_open(rule: Access | None, scope: Scope) -> bool:
    """Return whether a rule, or its absence, admits anonymous callers."""
    return rule is ANYONE or (rule is None and not scope.is_guarded)


def admit(rule: Access | None, scope: Scope) -> None:
    """Check a rule for the caller of a request; raise where it refuses.

    A gateway without an authenticator admits every caller where no rule is declared.
    """
    if is_open(rule, scope):
        return
    required = rule if isinstance(rule, Require) else SIGNED_IN
    viewer = Viewer.from_scope(scope)
    required.admit(viewer)
    if required.acr or required.max_age is not None:
        if required.is_met_by(viewer, scope.wall()):
            return
        sent = scope.field(b"authorization") or b""
        scheme = "DPoP" if sent[:5].lower() == b"dpop " else "Bearer"
        raise StepUpRequired(required, login=scope.login, scheme=scheme)


def admit_to(rule: Access | None, scope: Scope, inputs: Callable[[], Inputs]) -> None:
    """Check the `when` of a rule for the inputs of a request; `inputs` is called only if needed."""
    if isinstance(rule, Require) and rule.when is not None:
        rule.admit_to(Viewer.from_scope(scope), inputs())
