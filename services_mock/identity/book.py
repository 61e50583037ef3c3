"""What the provider remembers: keys, codes, grants, who is signed in; all of it bounded."""

import secrets
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from joserfc.jwk import ECKey

from services_mock.identity.clients import Client

T = TypeVar("T")

MOST = 10_000
"""Things of each kind that are remembered; the oldest go."""

OLD_KEYS = 2
"""Keys that are still told of after a rotation."""


class Shelf(OrderedDict[str, T], Generic[T]):
    """A bounded dictionary under names that can't be guessed."""

    def put(self, thing: T) -> str:
        """Keep a thing; return its name."""
        name = secrets.token_urlsafe(32)
        self[name] = thing
        if len(self) > MOST:
            self.popitem(last=False)
        return name


@dataclass(slots=True)
class Grant:
    """What somebody allowed a client: a family of refresh tokens, of which one is good."""

    client: str
    subject: str
    scope: frozenset[str]
    sid: str
    nonce: str = ""
    signed_in_at: int = 0
    refresh: str = ""
    is_revoked: bool = False
    jkt: str = ""


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
    """Somebody who is signed in at the provider, and at which clients."""

    sid: str
    subject: str
    since: int
    clients: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Opaque:
    """An access token without content: what introspection tells of it."""

    claims: Mapping[str, object]
    grant: Grant | None = None


class Book:
    """The state of the provider."""

    def __init__(
        self,
        issuer: str,
        clients: Mapping[str, Client],
        *,
        lifetime: float,
        wall: Callable[[], float],
    ) -> None:
        self.issuer = issuer
        self.clients = clients
        self.lifetime = lifetime
        self.wall = wall
        self.codes: Shelf[Code] = Shelf()
        self.refreshes: Shelf[Grant] = Shelf()
        self.pushed: Shelf[dict[str, str]] = Shelf()
        self.stays: Shelf[Stay] = Shelf()
        self.opaque: Shelf[Opaque] = Shelf()
        self.revoked: OrderedDict[str, None] = OrderedDict()
        self.keys: list[ECKey] = []
        self.rotate()

    @property
    def key(self) -> ECKey:
        """What is signed with."""
        return self.keys[0]

    def rotate(self) -> None:
        """Sign with a new key from now on; the last ones are told of for a while."""
        fresh = ECKey.generate_key("P-256", {"kid": secrets.token_urlsafe(8)}, private=True)
        self.keys = [fresh, *self.keys[:OLD_KEYS]]

    def revoke(self, grant: Grant) -> None:
        """End a grant, with all refresh tokens of its family."""
        grant.is_revoked = True
        self.refreshes.pop(grant.refresh, None)

    def end(self, stay: Stay) -> None:
        """Sign somebody out at the provider; what clients have been granted ends with it."""
        for name in [name for name, one in self.stays.items() if one is stay]:
            del self.stays[name]
        for grant in [one for one in self.refreshes.values() if one.sid == stay.sid]:
            self.revoke(grant)
