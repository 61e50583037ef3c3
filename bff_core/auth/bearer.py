"""Bearer authentication: access tokens (RFC 6750, RFC 9068) of known issuers."""

import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from cachetools import FIFOCache

from bff_core.auth.authenticator import Resources
from bff_core.auth.bearer_token import BearerToken, parse_bearer
from bff_core.auth.devices import DeviceSessions
from bff_core.auth.dpop import DPoP, ProofVerifier
from bff_core.auth.issuer_config import Issuer
from bff_core.auth.jwks import IssuerKeys
from bff_core.auth.jwt import (
    Claims,
    PublicKey,
    acr_of,
    auth_time_of,
    expiry_of,
    parse,
    verify,
)
from bff_core.auth.refusal_reasons import CredentialsRefused
from bff_core.auth.viewer import Viewer
from bff_core.clock import Clock, monotonic
from bff_core.errors import ConfigurationError, NotAuthenticated
from bff_core.oauth.endpoint import document_service
from bff_core.oauth.tokens import scopes_of
from bff_core.scope import Scope
from bff_core.settings.model import Settings
from bff_core.upstream.client import Upstream
from bff_core.upstream.runtime import Spawn

__all__ = ["BearerAuthenticator", "DPoP", "DeviceSessions", "Issuer"]

MAX_VERIFIED: Final = 10_000
"""Verified tokens that are cached while they are valid."""

REFUSAL: Final = "The access token is not valid."
"""The detail of every 401, whatever the reason."""


class BearerAuthenticator:
    """Authenticates `Authorization: Bearer <JWT>`; without that header the caller is anonymous.

    Tokens are verified by the keys of their issuer, which are fetched through an upstream of the
    gateway. A verified token is cached by its hash until it expires, its key is withdrawn, or the
    issuer's keys have to be fetched again (five minutes). All refusals look alike. With `dpop`,
    tokens that are bound to a key are accepted with a proof of it; with `devices`, their sessions
    can be listed and ended. While an issuer's keys are unavailable the answer is 503.
    """

    def __init__(
        self,
        *issuers: Issuer,
        dpop: DPoP | None = None,
        devices: DeviceSessions | None = None,
        clock: Clock = monotonic,
        wall: Clock = time.time,
    ) -> None:
        if not issuers:
            raise ConfigurationError("BearerAuthenticator: name at least one Issuer(...)")
        self._issuers = {one.issuer: one for one in issuers}
        self._keys: dict[str, IssuerKeys] = {}
        if len(self._issuers) < len(issuers):
            raise ConfigurationError("BearerAuthenticator: each issuer is named once")
        self._dpop = dpop
        self._proofs: ProofVerifier | None = None
        self._devices = devices
        self._clock = clock
        self._wall = wall
        self._verified: FIFOCache[bytes, _Verified] = FIFOCache(MAX_VERIFIED)

    @property
    def challenge(self) -> str:
        """The `WWW-Authenticate` challenge."""
        if self._dpop is None:
            return "Bearer"
        return self._dpop.challenge if self._dpop.required else f"{self._dpop.challenge}, Bearer"

    @property
    def security_scheme(self) -> Mapping[str, object]:
        """The security scheme in OpenAPI."""
        is_bound = self._dpop is not None and self._dpop.required
        return {"type": "http", "scheme": "dpop" if is_bound else "bearer", "bearerFormat": "JWT"}

    @property
    def devices(self) -> DeviceSessions | None:
        """The device sessions of its viewers; None if there are none."""
        return self._devices

    @property
    def services(self) -> Sequence[type[Upstream]]:
        """The upstreams that publish the keys."""
        return [document_service(one.upstream) for one in self._issuers.values()]

    @property
    def issuers(self) -> Sequence[str]:
        """The URLs of the issuers."""
        return list(self._issuers)

    def unshared(self, settings: Settings) -> Mapping[str, str]:
        """Return what goes wrong in several processes, by the missing variable."""
        found, broken = {}, []
        if self._dpop is not None:
            broken.append("a DPoP proof would be accepted once by each process")
            if self._dpop.nonces and not settings.sealing_secrets:
                found["BFF_SESSION_KEYS"] = "a DPoP nonce of one process is refused by the others"
        if self._devices is not None:
            broken.append("a device that is ended in one process stays signed in in the others")
        if broken and not settings.session_url:
            found["BFF_SESSION_URL"] = "; ".join(broken)
        return found

    def check(self, settings: Settings) -> None:
        """Raise `ConfigurationError` for DPoP without the public URL."""
        if self._dpop is not None and not settings.public_url:
            raise ConfigurationError(
                "BFF_PUBLIC_URL is not set: DPoP proofs name the address of each request; set it "
                "to where clients find this gateway, as in BFF_PUBLIC_URL=https://api.shop.example"
            )

    @asynccontextmanager
    async def opened(self, resources: Resources) -> AsyncIterator[None]:
        """Use the services of a gateway while it runs."""
        self.open(resources.services, resources.spawn)
        settings = resources.settings
        link = resources.links.to(settings.session_url) if settings.session_url else None
        if self._dpop is not None:
            self._proofs = ProofVerifier(
                self._dpop,
                origin=settings.public_url,
                secret=next(iter(settings.sealing_secrets), ""),
                link=link,
                clock=self._clock,
                wall=self._wall,
            )
        if self._devices is not None:
            self._devices.open(link, resources)
        yield
        self._proofs = None

    def open(self, services: Mapping[type[Upstream], Upstream], spawn: Spawn) -> None:
        """Use the services of a gateway that runs."""
        self._verified.clear()  # by keys that are not known any more
        self._keys = {
            name: IssuerKeys(issuer, services, spawn, clock=self._clock, withdrawn=self._withdraw)
            for name, issuer in self._issuers.items()
        }

    async def authenticate(self, scope: Scope, /) -> Viewer | None:
        """Return the viewer of the token; None without one. Raises `NotAuthenticated`."""
        sent = scope.field(b"authorization")
        if sent is None:
            return None
        has_proof = self._proofs is not None and sent[:5].lower() == b"dpop "
        token = sent[5:].strip() if has_proof else self._unproved(sent)
        digest = sha256(token).digest()
        known = self._verified.get(digest)
        if known is None or self._clock() >= known.until:
            known = await self._verified_token(token, digest)
        if has_proof and self._proofs is not None and known.thumbprint:
            await self._proofs.check(scope, token, known.thumbprint)
        elif has_proof or known.thumbprint:  # a bound token without its proof, or the reverse
            raise NotAuthenticated(REFUSAL, reason="not_bound" if has_proof else "proof_missing")
        else:
            scope.token = BearerToken(token)
        if self._devices is not None:
            await self._devices.admit(scope, known.viewer, known.device)
        scope.wall = self._wall
        return known.viewer

    def _unproved(self, sent: bytes) -> bytes:
        """Return a token without a proof; raises `NotAuthenticated` if one is required."""
        found = parse_bearer(sent)
        if found is None:
            raise NotAuthenticated(REFUSAL, reason="no_bearer_token")
        if self._dpop is not None and self._dpop.required:
            raise NotAuthenticated(REFUSAL, reason="proof_missing")
        return found[1]

    async def _verified_token(self, token: bytes, digest: bytes) -> "_Verified":
        try:
            known = await self._verify(token)
        except CredentialsRefused as refused:
            raise NotAuthenticated(REFUSAL) from refused
        self._verified[digest] = known
        return known

    async def _verify(self, token: bytes) -> "_Verified":
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
        until = self._clock() + expiry_of(claims) + issuer.leeway - wall
        viewer, bound = self._viewer(claims, issuer, wall), _bound(claims)
        device = claims.get("sid") or bound or viewer.client
        return _Verified(viewer, min(until, keys.trusted_until), bound, str(device), key)

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


@dataclass(frozen=True, slots=True)
class _Verified:
    """A verified token: its viewer, until when it is cached, the key and device it is bound to.

    `key` is the issuer's key that verified it.
    """

    viewer: Viewer
    until: float
    thumbprint: str
    device: str
    key: PublicKey


def _bound(claims: Claims) -> str:
    """Return the thumbprint of the key that a token is bound to (RFC 9449, section 6.1).

    Raises `CredentialsRefused` for one that is bound by anything else: it is no bearer token.
    """
    cnf = claims.get("cnf")
    if cnf is None:
        return ""
    thumbprint = cnf.get("jkt") if isinstance(cnf, dict) and cnf.keys() == {"jkt"} else None
    if not isinstance(thumbprint, str) or not thumbprint:
        raise CredentialsRefused("cnf")
    return thumbprint
