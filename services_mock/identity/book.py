"""The provider's state: keys, codes, grants, sessions; all bounded."""

import secrets
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from joserfc.jwk import ECKey

from services_mock.identity.clients import Client

T = TypeVar("T")

MOST = 10_000
"""Stored items of each kind, at most; the oldest are dropped."""

OLD_KEYS = 2
"""Keys that are published after a rotation."""


class Shelf(OrderedDict[str, T], Generic[T]):
    """A bounded dictionary with unguessable keys."""

    def put(self, thing: T) -> str:
        """Store an item; return its key."""
        name = secrets.token_urlsafe(32)
        self[name] = thing
        if len(self) > MOST:
            self.popitem(last=False)
        return name


@dataclass(slots=True, eq=False)
class Consent:
    """A user's consent to one client during one session at the provider.

    Every sign-in of that session shares it, as certified providers do: if it is revoked, the tokens
    of all these sign-ins end.
    """

    is_revoked: bool = False


@dataclass(slots=True)
class Grant:
    """One sign-in of a client: a family of refresh tokens, of which one is good."""

    client: str
    subject: str
    scope: frozenset[str]
    sid: str
    nonce: str = ""
    signed_in_at: int = 0
    refresh: str = ""
    jkt: str = ""
    acr: str = ""
    consent: Consent = field(default_factory=Consent)

    @property
    def is_revoked(self) -> bool:
        """Whether the consent that it belongs to was revoked."""
        return self.consent.is_revoked


@dataclass(slots=True)
class Code:
    """An authorization code, to be redeemed once."""

    grant: Grant
    redirect_uri: str
    challenge: str
    until: float
    is_used: bool = False


@dataclass(slots=True)
class Stay:
    """A session at the provider, and its clients."""

    sid: str
    subject: str
    since: int
    acr: str = ""
    clients: set[str] = field(default_factory=set)
    consents: dict[str, Consent] = field(default_factory=dict)

    def consent_to(self, client: str) -> Consent:
        """Return the consent that all sign-ins of a client share, a new one after a revocation."""
        consent = self.consents.get(client)
        if consent is None or consent.is_revoked:
            consent = self.consents[client] = Consent()
        return consent


@dataclass(slots=True)
class Opaque:
    """An opaque access token: the result of its introspection."""

    claims: Mapping[str, object]
    grant: Grant | None = None


class Book:
    """The state of the provider; pages of `page_origins` may read demo tokens."""

    def __init__(
        self,
        issuer: str,
        clients: Mapping[str, Client],
        *,
        lifetime: float,
        wall: Callable[[], float],
        page_origins: Collection[str] = (),
    ) -> None:
        self.issuer = issuer
        self.page_origins = page_origins
        self.clients = clients
        self.lifetime = lifetime
        self.wall = wall
        self.codes: Shelf[Code] = Shelf()
        self.refreshes: Shelf[Grant] = Shelf()
        self.pushed: Shelf[dict[str, str]] = Shelf()
        self.stays: Shelf[Stay] = Shelf()
        self.opaque: Shelf[Opaque] = Shelf()
        self.revoked: OrderedDict[str, None] = OrderedDict()
        self.issued: OrderedDict[str, Grant] = OrderedDict()
        # It is the same after a restart: gateways that trust it accept new tokens at once.
        first = ECKey.derive_key(f"mock {issuer}", "P-256", auto_kid=True)
        self.keys: list[ECKey] = [first]

    @property
    def key(self) -> ECKey:
        """The current signing key."""
        return self.keys[0]

    def rotate(self) -> None:
        """Rotate the signing key; the previous ones stay published for a while."""
        fresh = ECKey.generate_key("P-256", {"kid": secrets.token_urlsafe(8)}, private=True)
        self.keys = [fresh, *self.keys[:OLD_KEYS]]

    def issue(self, jti: str, grant: Grant) -> None:
        """Store the grant of an access token."""
        self.issued[jti] = grant
        if len(self.issued) > MOST:
            self.issued.popitem(last=False)

    def is_active(self, token: str, claims: Mapping[str, object]) -> bool:
        """Whether an access token has neither expired nor been revoked, nor has its grant."""
        grant = self.issued.get(str(claims.get("jti")))
        is_revoked = token in self.revoked or (grant is not None and grant.is_revoked)
        expires_at = claims.get("exp")
        return not is_revoked and isinstance(expires_at, int) and expires_at >= self.wall()

    def revoke(self, grant: Grant) -> None:
        """End the consent of a grant, with all tokens of all sign-ins that share it."""
        grant.consent.is_revoked = True
        ended = [name for name, one in self.refreshes.items() if one.is_revoked]
        for name in ended:
            del self.refreshes[name]

    def end(self, stay: Stay) -> None:
        """End a session at the provider, with all its grants."""
        for name in [name for name, one in self.stays.items() if one is stay]:
            del self.stays[name]
        for grant in [one for one in self.refreshes.values() if one.sid == stay.sid]:
            self.revoke(grant)
        for consent in stay.consents.values():
            consent.is_revoked = True
