"""Who asks: the authenticated caller, as compositions and upstreams see it."""

from dataclasses import dataclass
from typing import Self

from bff_core.errors import NotAllowed, NotAuthenticated
from bff_core.policy.pressure import USUAL, Criticality
from bff_core.scope import Scope


@dataclass(frozen=True, slots=True)
class Viewer:
    """The caller of one request; an empty `subject` is nobody in particular.

    `scopes` are what the caller was granted, `roles` what they are known as, `client` is the
    application that asks for it, and `session` names the server-side session where there is one.
    `criticality` moves the class of the caller's requests when the gateway has too many: a paying
    customer's up, a batch job's down. `acr` is the class of the proof that the caller gave at
    `auth_time`, a Unix time; empty and 0 where that is not known. A composition that declares a
    field of this type is handed the request's viewer.
    """

    subject: str
    tenant: str = ""
    scopes: frozenset[str] = frozenset()
    client: str = ""
    session: str | None = None
    criticality: Criticality = USUAL
    roles: frozenset[str] = frozenset()
    acr: str = ""
    auth_time: float = 0.0

    @property
    def is_anonymous(self) -> bool:
        """Whether nobody is signed in."""
        return not self.subject

    @property
    def audience(self) -> str:
        """The key of what only this viewer may share with itself.

        The tenant's length stands in front, so that no two pairs of tenant and subject make the
        same key. Anonymous callers share one that no pair can make; it differs from None, which
        is reserved for what was declared public.
        """
        if not self.subject:
            return "anonymous"
        return f"{len(self.tenant)}:{self.tenant}:{self.subject}"

    def require(self, *scopes: str) -> Self:
        """Return itself, or raise NotAuthenticated for nobody and NotAllowed without a scope."""
        if self.is_anonymous:
            raise NotAuthenticated("Sign in to see this.")
        missing = [scope for scope in scopes if scope not in self.scopes]
        if missing:
            raise NotAllowed(f"This needs the scope {missing[0]!r}.")
        return self

    @classmethod
    def from_scope(cls, scope: Scope, /) -> Self:
        """Return the request's viewer; an anonymous one where no authenticator made another."""
        return scope.viewer if isinstance(scope.viewer, cls) else cls("")


ANONYMOUS = Viewer("")
