"""Verifies access tokens (RFC 9068) of known issuers, and caches those that are valid."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from cachetools import FIFOCache

from bff_core.auth.issuer_config import Issuer
from bff_core.auth.jwks import IssuerKeys
from bff_core.auth.jwt import Claims, PublicKey, acr_of, auth_time_of, instant_of, parse, verify
from bff_core.auth.refusal_reasons import CredentialsRefused
from bff_core.auth.viewer import Viewer
from bff_core.clock import Clock
from bff_core.oauth.tokens import scopes_of
from bff_core.upstream.client import Upstream
from bff_core.upstream.runtime import Spawn

MAX_VERIFIED: Final = 10_000
"""Verified tokens that are cached while they are valid."""


@dataclass(frozen=True, slots=True)
class VerifiedToken:
    """A verified token: its viewer, its device, the instant until which it is cached.

    `thumbprint` is that of the key that the caller has to prove (DPoP); empty for a bearer token.
    `key` is the issuer's key that verified the token.
    """

    viewer: Viewer
    until: float
    thumbprint: str
    device: str
    key: PublicKey


class AccessTokenVerifier:
    """Verifies access tokens by the keys of their issuers.

    A verified token is cached by its hash until it expires, its key is withdrawn, or the keys of
    its issuer have to be fetched again.
    """

    def __init__(
        self,
        issuers: Sequence[Issuer],
        services: Mapping[type[Upstream], Upstream],
        spawn: Spawn,
        *,
        clock: Clock,
        wall: Clock,
    ) -> None:
        self._issuers = {one.issuer: one for one in issuers}
        self._keys = {
            one.issuer: IssuerKeys(one, services, spawn, clock=clock, withdrawn=self._withdraw)
            for one in issuers
        }
        self._clock = clock
        self._wall = wall
        self._verified: FIFOCache[bytes, VerifiedToken] = FIFOCache(MAX_VERIFIED)

    def cached(self, token: bytes) -> VerifiedToken | None:
        """Return a token that was verified before and is still valid; None for any other."""
        known = self._verified.get(sha256(token).digest())
        return None if known is None or self._clock() >= known.until else known

    async def verify(self, token: bytes) -> VerifiedToken:
        """Return a token that is valid; raises `CredentialsRefused` for any other."""
        unverified = parse(token)
        issuer = self._issuers.get(str(unverified.claims.get("iss")))
        if issuer is None:
            raise CredentialsRefused("issuer")
        if unverified.algorithm not in issuer.algorithms:
            raise CredentialsRefused("algorithm")
        keys = self._keys[issuer.issuer]
        key = await keys.find(unverified)
        if key is None:
            raise CredentialsRefused("key")
        wall = self._wall()
        claims = verify(unverified, key, issuer, wall)
        expires_at = instant_of(claims, "exp", required=True) + issuer.leeway
        until = self._clock() + expires_at - wall
        viewer, thumbprint = self._viewer(claims, issuer, wall), _thumbprint_in(claims)
        device = str(claims.get("sid") or thumbprint or viewer.client)
        verified = VerifiedToken(viewer, min(until, keys.trusted_until), thumbprint, device, key)
        self._verified[sha256(token).digest()] = verified
        return verified

    def _withdraw(self, keys: frozenset[PublicKey]) -> None:
        """Drop the tokens that were verified by withdrawn keys."""
        for digest in [name for name, known in self._verified.items() if known.key in keys]:
            del self._verified[digest]

    def _viewer(self, claims: Claims, issuer: Issuer, wall: float) -> Viewer:
        subject, tenant = str(claims["sub"]), claims.get(issuer.tenant) if issuer.tenant else ""
        if issuer.tenant and (not isinstance(tenant, str) or not tenant):
            raise CredentialsRefused("tenant")
        if len(self._issuers) > 1:  # one subject of two issuers is two viewers
            subject = f"{subject}@{issuer.issuer}"
        client = claims.get(issuer.client, "")
        return Viewer(
            subject,
            str(tenant),
            scopes_of(claims.get(issuer.scope)),
            client if isinstance(client, str) else "",
            acr=acr_of(claims),
            auth_time=auth_time_of(claims, wall + issuer.leeway),
            issuer=issuer.issuer,
        )


def _thumbprint_in(claims: Claims) -> str:
    """Return the thumbprint of the key that a token is bound to (RFC 9449, section 6.1).

    Raises `CredentialsRefused` for a token that is bound in another way, which is no bearer token.
    """
    cnf = claims.get("cnf")
    if cnf is None:
        return ""
    thumbprint = cnf.get("jkt") if isinstance(cnf, dict) and cnf.keys() == {"jkt"} else None
    if not isinstance(thumbprint, str) or not thumbprint:
        raise CredentialsRefused("cnf")
    return thumbprint
