"""The authenticated caller of a request: who it is, and what it may do."""

from collections.abc import Callable, Iterable
from copy import copy
from dataclasses import dataclass, fields
from functools import lru_cache
from hashlib import blake2b
from operator import attrgetter
from typing import Final, Self, TypeVar

import msgspec

from bff_core.errors import NotAllowed, NotAuthenticated
from bff_core.policy.edge.shedding import DEFAULT_CRITICALITY, Criticality
from bff_core.scope import Scope

V = TypeVar("V", bound="Viewer")

IDENTITY_FIELDS: Final = frozenset({
    "auth_time", "client", "criticality", "issuer", "session", "subject", "tenant",
})  # fmt: skip
"""Fields that say who a viewer is, or by which sign-in; all others are rights."""

_encode = msgspec.json.Encoder(order="deterministic", enc_hook=repr).encode


@dataclass(frozen=True, slots=True)
class Viewer:
    """The caller of one request; an empty `subject` is an anonymous caller.

    `scopes` and `roles` are those of the caller, `client` is the application that sends the
    request, and `session` names the server-side session if there is one. `criticality` raises or
    lowers the class of the caller's requests for load shedding: up for a paying customer, down for
    a batch job. `acr` is the authentication context class of the sign-in at `auth_time`, a Unix
    time; empty and 0 where they are unknown. A composition gets the request's viewer in a field of
    this type.

    `issuer` names the authority that identifies the subject: the URL of an OpenID provider, or
    the kind of credentials. Equal subjects of two issuers are two viewers. The edge sets it for an
    authenticator that leaves it empty. Fields of a subclass count as `rights`.
    """

    subject: str
    tenant: str = ""
    scopes: frozenset[str] = frozenset()
    client: str = ""
    session: str | None = None
    criticality: Criticality = DEFAULT_CRITICALITY
    roles: frozenset[str] = frozenset()
    acr: str = ""
    auth_time: float = 0.0
    issuer: str = ""

    def __post_init__(self) -> None:
        if not isinstance(self.subject, str):
            raise TypeError(f"{type(self).__name__}.subject is a str, not {self.subject!r}")
        for name in ("scopes", "roles"):
            rights = getattr(self, name)
            if type(rights) is not frozenset:
                object.__setattr__(self, name, _frozen(type(self).__name__, name, rights))

    @property
    def is_anonymous(self) -> bool:
        """Whether the caller is not signed in."""
        return not self.subject

    @property
    def identity(self) -> str:
        """The key of this viewer for rate limits and idempotency keys, whatever its rights are.

        Tenant and subject are preceded by their lengths, so that no two viewers make the same key.
        Anonymous callers share one that no other viewer can make.
        """
        if not self.subject:
            return "anonymous"
        return f"{len(self.tenant)}:{self.tenant}:{len(self.subject)}:{self.subject}:{self.issuer}"

    @property
    def rights(self) -> str:
        """A digest of the scopes, the roles and all other rights of the viewer.

        Empty without rights. Two sign-ins of one person with equal rights have equal digests.
        """
        values = _rights_of(type(self))(self)  # type: ignore[arg-type]  # a class is hashable
        if not any(values) and type(self) in PLAIN:
            return ""
        try:
            return _digest(values)
        except TypeError:  # a subclass holds a list, or a dict
            return _digest.__wrapped__(values)

    @property
    def audience(self) -> str:
        """The cache key of the viewer: its identity and its rights.

        A token with fewer scopes does not get the cached reply to one with more. The key is never
        None, which stands for data that was declared public.
        """
        return f"{self.identity}#{self.rights}" if self.subject else "anonymous"

    def issued_by(self, name: str) -> Self:
        """Return the viewer with an issuer: its own if it has one, else `name`."""
        if self.issuer or not self.subject:
            return self
        named = copy(self) if type(self) is not Viewer else _copied(self)
        object.__setattr__(named, "issuer", name)
        return named

    def require(self, *scopes: str) -> Self:
        """Return the viewer; raise NotAuthenticated if anonymous, NotAllowed without a scope."""
        if self.is_anonymous:
            raise NotAuthenticated("Sign in to see this.", reason="no_credentials")
        missing = [scope for scope in scopes if scope not in self.scopes]
        if missing:
            raise NotAllowed(f"This needs the scope {missing[0]!r}.")
        return self

    @classmethod
    def from_scope(cls, scope: Scope, /) -> Self:
        """Return the viewer of a request; an anonymous one if no authenticator found another."""
        return scope.viewer if isinstance(scope.viewer, cls) else cls("")


@dataclass(frozen=True, slots=True)
class SignedIn(Viewer):
    """A viewer that is never anonymous: `subject` is never empty.

    A screen with a field of this type, and a view with a parameter of it, answer 401 to anonymous
    callers before any service is called. The value is the viewer of the request itself, so that
    methods and rights are those of its class.

        class Orders(Composition):
            orders: OrderService
            customer: SignedIn

            @critical
            async def latest(self) -> Sequence[Order]:
                return await self.orders.of(self.customer.subject)
    """

    def __post_init__(self) -> None:
        Viewer.__post_init__(self)
        if not self.subject:
            raise ValueError(f"{type(self).__name__} needs a subject: it is never anonymous")

    @classmethod
    def from_scope(cls, scope: Scope, /) -> Self:
        """Return the viewer of a request; raise `NotAuthenticated` for an anonymous one.

        A subclass of the author's takes only viewers of its own class.
        """
        viewer = Viewer.from_scope(scope).require()
        if cls is SignedIn or isinstance(viewer, cls):
            return viewer  # type: ignore[return-value]  # a viewer with a subject
        raise NotAuthenticated("Sign in to see this.", reason="no_credentials")


def _frozen(kind: str, name: str, rights: object) -> frozenset[str]:
    """Return rights as a set; a text would admit by its substrings."""
    if isinstance(rights, str) or not isinstance(rights, Iterable):
        raise TypeError(
            f"{kind}.{name} is a set of strings, not {rights!r}: for a text with spaces, such as "
            f"the claim `scope`, write {name}=frozenset(text.split())"
        )
    found = frozenset(rights)
    if not all(isinstance(one, str) for one in found):
        raise TypeError(f"{kind}.{name} is a set of strings, not {rights!r}")
    return found


PLAIN: Final = frozenset({Viewer, SignedIn})
"""The classes of viewers without rights of an author's own."""


@lru_cache(maxsize=64)
def _rights_of(kind: type[Viewer]) -> Callable[[Viewer], tuple[object, ...]]:
    return attrgetter(*[one.name for one in fields(kind) if one.name not in IDENTITY_FIELDS])


@lru_cache(maxsize=1024)
def _digest(values: tuple[object, ...]) -> str:
    return blake2b(_encode(values), digest_size=16).hexdigest()


def _copied(viewer: V) -> V:
    """Return a copy of a plain viewer, in a fifth of the time that `copy` takes."""
    made = object.__new__(type(viewer))
    for name in Viewer.__slots__:
        object.__setattr__(made, name, getattr(viewer, name))
    return made


ANONYMOUS = Viewer("")
