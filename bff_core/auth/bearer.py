"""Bearer authentication: access tokens (RFC 6750, RFC 9068) of known issuers."""

import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

from bff_core.auth.access_tokens import AccessTokenVerifier, VerifiedToken
from bff_core.auth.authenticator import Resources, StatefulAuthenticator
from bff_core.auth.bearer_token import BearerToken, parse_bearer
from bff_core.auth.devices import ActiveDevices, DeviceSessions
from bff_core.auth.dpop import DPoP, ProofVerifier
from bff_core.auth.issuer_config import Issuer
from bff_core.auth.refusal_reasons import REFUSAL, CredentialsRefused
from bff_core.auth.required_settings import require_settings
from bff_core.auth.viewer import Viewer
from bff_core.clock import Clock, monotonic
from bff_core.errors import ConfigurationError, NotAuthenticated
from bff_core.keywords import checks_keywords
from bff_core.oauth.endpoint import document_service
from bff_core.scope import WEBSOCKET, Scope
from bff_core.settings.model import Settings
from bff_core.upstream.client import Upstream


@dataclass(frozen=True, slots=True)
class RunningBearer:
    """The verifiers and stores of bearer authentication; None for those that are not configured."""

    tokens: AccessTokenVerifier
    proofs: ProofVerifier | None
    devices: ActiveDevices | None


@checks_keywords
class BearerAuthenticator(StatefulAuthenticator[RunningBearer]):
    """Authenticates `Authorization: Bearer <JWT>`; without that header the caller is anonymous.

    Tokens are verified by the keys of their issuer, which are fetched through an upstream of the
    gateway. A verified token is cached by its hash until it expires, its key is withdrawn, or the
    issuer's keys have to be fetched again (five minutes). All refusals look alike. With `dpop`,
    tokens that are bound to a key are accepted with a proof of it; with `devices`, their sessions
    can be listed and ended. While an issuer's keys are unavailable the answer is 503.

    Without an issuer, the settings name one: `BFF_ISSUER`, `BFF_AUDIENCE`, `BFF_JWKS_PATH`, with
    its address in `BFF_UPSTREAM_IDENTITY`.
    """

    def __init__(
        self,
        *issuers: Issuer,
        dpop: DPoP | None = None,
        devices: DeviceSessions | None = None,
        clock: Clock = monotonic,
        wall: Clock = time.time,
    ) -> None:
        self._is_configured = bool(issuers)
        self._issuers = {one.issuer: one for one in issuers}
        if len(self._issuers) < len(issuers):
            raise ConfigurationError("BearerAuthenticator: each issuer is named once")
        self._dpop = dpop
        self._devices = devices
        self._clock = clock
        self._wall = wall

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
        return {
            "type": "http",
            "scheme": "dpop" if is_bound else "bearer",
            "bearerFormat": "JWT",
            "description": "An access token (RFC 9068), which is verified as RFC8725 recommends.",
        }

    @property
    def has_devices(self) -> bool:
        """Whether the devices of viewers are tracked."""
        return self._devices is not None

    def active_devices(self) -> ActiveDevices:
        """Return the devices of viewers; raise `ConfigurationError` unless the gateway runs."""
        devices = self.running.devices
        if devices is None:
            raise ConfigurationError("BearerAuthenticator: devices=DeviceSessions() is not set")
        return devices

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
        """Raise `ConfigurationError` for DPoP without the public URL; read an issuer from them."""
        if not self._is_configured:
            needed = ("issuer", "audience", "upstreams")
            require_settings("BearerAuthenticator", settings, *needed)
            issuer = Issuer(
                issuer=settings.issuer, audience=settings.audience, keys=settings.jwks_path
            )
            self._issuers = {issuer.issuer: issuer}
        if self._dpop is not None and not settings.public_url:
            raise ConfigurationError(
                "BFF_PUBLIC_URL is not set: DPoP proofs name the address of each request; set it "
                "to where clients find this gateway, as in BFF_PUBLIC_URL=https://api.shop.example"
            )

    @asynccontextmanager
    async def start(self, resources: Resources) -> AsyncIterator[RunningBearer]:
        """Yield the verifier of tokens, and what DPoP and device sessions need."""
        settings, proofs, devices = resources.settings, None, None
        link = resources.links.to(settings.session_url) if settings.session_url else None
        if self._dpop is not None:
            proofs = ProofVerifier(
                self._dpop,
                origin=settings.public_url,
                secret=next(iter(settings.sealing_secrets), ""),
                link=link,
                clock=self._clock,
                wall=self._wall,
            )
        if self._devices is not None:
            devices = self._devices.start(link, spawn=resources.spawn, clock=resources.clock)
        tokens = AccessTokenVerifier(
            list(self._issuers.values()),
            resources.services,
            resources.spawn,
            clock=self._clock,
            wall=self._wall,
        )
        yield RunningBearer(tokens, proofs, devices)

    async def authenticate(self, scope: Scope, /) -> Viewer | None:
        """Return the viewer of the token; None without one. Raises `NotAuthenticated`."""
        sent = scope.field(b"authorization")
        if sent is None:
            return None
        running = self.running
        has_proof = running.proofs is not None and sent[:5].lower() == b"dpop "
        token = sent[5:].strip() if has_proof else self._unproved(sent)
        known = await self._verified(token)
        if scope.method == WEBSOCKET:
            scope.recheck = partial(self._verified, token)
        if has_proof and running.proofs is not None and known.thumbprint:
            await running.proofs.check(scope, token, known.thumbprint)
        elif has_proof or known.thumbprint:  # a bound token without its proof, or the reverse
            raise NotAuthenticated(REFUSAL, reason="not_bound" if has_proof else "proof_missing")
        else:
            scope.token = BearerToken(token)
        if running.devices is not None:
            await running.devices.admit(scope, known.viewer, known.device)
        scope.wall = self._wall
        return known.viewer

    async def _verified(self, token: bytes) -> VerifiedToken:
        """Return a valid token; raise `NotAuthenticated` for any other, or an expired one."""
        tokens = self.running.tokens
        try:
            return tokens.cached(token) or await tokens.verify(token)
        except CredentialsRefused as refused:
            raise NotAuthenticated(REFUSAL) from refused

    def _unproved(self, sent: bytes) -> bytes:
        """Return a token without a proof; raises `NotAuthenticated` if one is required."""
        found = parse_bearer(sent)
        if found is None:
            raise NotAuthenticated(REFUSAL, reason="no_bearer_token")
        if self._dpop is not None and self._dpop.required:
            raise NotAuthenticated(REFUSAL, reason="proof_missing")
        return found[1]
