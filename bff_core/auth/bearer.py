"""Believes access tokens (RFC 6750, RFC 9068) of known issuers, and nothing else."""

import re
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from hashlib import sha256
from typing import Final

from bff_core.auth.authenticator import Resources
from bff_core.auth.issuer import Issuer
from bff_core.auth.jwt import Claims, Refused, expiry_of, parse, verify
from bff_core.auth.keys import Keys
from bff_core.auth.viewer import Viewer
from bff_core.call import find_header
from bff_core.clock import Clock, monotonic
from bff_core.errors import ConfigurationError, NotAuthenticated
from bff_core.scope import Scope
from bff_core.settings import Settings
from bff_core.upstream.client import Upstream
from bff_core.upstream.runtime import Spawn

__all__ = ["BearerAuthenticator", "Issuer"]

REMEMBERED: Final = 10_000
"""Tokens that are not verified again while they are valid."""

TRUSTED_FOR: Final = 300.0
"""Seconds after which a token is verified again: its key may have been withdrawn."""

REFUSAL: Final = "The access token is not valid."
"""What everybody is told whose token is refused, whatever the reason."""

_credentials: Final = re.compile(rb"bearer +(\S+)", re.IGNORECASE).fullmatch


class BearerAuthenticator:
    """Takes `Authorization: Bearer <JWT>`; without that header the caller is anonymous.

    Tokens are verified by the keys of their issuer, which are fetched through an upstream of the
    gateway. What was verified is remembered by its hash until it expires, or for five minutes. All
    refusals look alike. While an issuer's keys can't be had at all its tokens are answered 503:
    nobody is taken for signed out.
    """

    challenge = "Bearer"

    def __init__(self, *issuers: Issuer, clock: Clock = monotonic, wall: Clock = time.time) -> None:
        if not issuers:
            raise ConfigurationError("BearerAuthenticator: name at least one Issuer(...)")
        self._issuers = {one.issuer: (one, Keys(one, clock)) for one in issuers}
        if len(self._issuers) < len(issuers):
            raise ConfigurationError("BearerAuthenticator: each issuer is named once")
        self._clock = clock
        self._wall = wall
        self._verified: dict[bytes, tuple[Viewer, float]] = {}

    @property
    def services(self) -> Sequence[type[Upstream]]:
        """The upstreams that have the keys."""
        return [keys.kind for _, keys in self._issuers.values()]

    def check(self, settings: Settings) -> None:
        """Find nothing wrong: an issuer checks itself, and its address is a service's."""

    @asynccontextmanager
    async def opened(self, resources: Resources) -> AsyncIterator[None]:
        """Use the services of a gateway that runs, and have it own what goes on behind."""
        self.open(resources.services, resources.spawn)
        yield

    def open(self, services: Mapping[type[Upstream], Upstream], spawn: Spawn) -> None:
        """Use the services of a gateway that runs."""
        for _, keys in self._issuers.values():
            keys.open(services, spawn)

    async def authenticate(self, scope: Scope, /) -> Viewer | None:
        """Return whom the token names; None without one. Raises `NotAuthenticated`."""
        sent = find_header(scope.headers, b"authorization")
        if sent is None:
            return None
        found = _credentials(sent)
        if found is None:
            raise NotAuthenticated(REFUSAL)
        token = found[1]
        digest = sha256(token).digest()
        known = self._verified.get(digest)
        if known is not None and self._clock() < known[1]:
            return known[0]
        try:
            viewer, left = await self._verify(token)
        except Refused as refused:
            raise NotAuthenticated(REFUSAL) from refused
        self._remember(digest, viewer, left)
        return viewer

    async def _verify(self, token: bytes) -> tuple[Viewer, float]:
        """Return the viewer, and for how many seconds that holds."""
        told = parse(token)
        issuer, keys = self._issuers.get(str(told.claims.get("iss")), (None, None))
        if issuer is None or keys is None:
            raise Refused("issuer")
        if told.algorithm not in issuer.algorithms:
            raise Refused("algorithm")
        key = await keys.find(told)
        if key is None:
            raise Refused("key")
        wall = self._wall()
        claims = verify(told, key, issuer, wall)
        left = expiry_of(claims) + issuer.leeway - wall
        return self._viewer(claims, issuer), min(left, TRUSTED_FOR)

    def _viewer(self, claims: Claims, issuer: Issuer) -> Viewer:
        subject, tenant = str(claims["sub"]), claims.get(issuer.tenant) if issuer.tenant else ""
        if issuer.tenant and (not isinstance(tenant, str) or not tenant):
            raise Refused("tenant")
        if len(self._issuers) > 1:  # the same subject of two issuers is two people
            subject = f"{subject}@{issuer.issuer}"
        client = claims.get(issuer.client, "")
        return Viewer(
            subject,
            str(tenant),
            _scopes(claims.get(issuer.scope)),
            client if isinstance(client, str) else "",
        )

    def _remember(self, digest: bytes, viewer: Viewer, left: float) -> None:
        known = self._verified
        known.pop(digest, None)
        known[digest] = viewer, self._clock() + left
        if len(known) > REMEMBERED:
            del known[next(iter(known))]


def _scopes(told: object) -> frozenset[str]:
    """Return scopes, as one text (RFC 8693, section 4.2) or as a list."""
    if isinstance(told, str):
        return frozenset(told.split())
    names = told if isinstance(told, list) else ()
    return frozenset(name for name in names if isinstance(name, str))
