"""What a gateway asks of its provider: codes redeemed, tokens refreshed, verified, revoked."""

import time
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import new as new_hash
from hmac import compare_digest
from typing import Final

from bff_core.auth.issuer import Issuer
from bff_core.auth.jwt import (
    Claims,
    PublicKey,
    Unverified,
    audiences_of,
    check_claims,
    instant_of,
    parse,
    scopes_of,
    verify,
)
from bff_core.auth.oidc.back_channel_logout import LOGOUT, LoggedOut, logout_in
from bff_core.auth.oidc.config import OpenIDProvider
from bff_core.auth.oidc.provider import Directory, Metadata, ProviderEndpoint
from bff_core.auth.refusal_reasons import CredentialsRefused
from bff_core.auth.signing_keys import SigningKeys
from bff_core.call import Reply
from bff_core.clock import Clock, monotonic
from bff_core.errors import BFFError
from bff_core.events import Events, TokenRefused
from bff_core.upstream.client import Upstream
from bff_core.upstream.provider import (
    ProviderUnavailable,
    basic,
    name_at,
    post,
    provider,
    token_endpoint,
    told_in,
)
from bff_core.upstream.runtime import Spawn
from bff_core.upstream.token_reply import (
    TokenErrorMeaning,
    error_in,
    lifetime_in,
    reason_of,
    verdict_of,
)

IDENTITY: Final = ("JWT", "")
"""The `typ` of ID tokens: most say nothing particular."""

LONGEST_ID_TOKEN: Final = 64 * 1024
"""Bytes of an ID token: it comes in an answer of the provider, and in no header."""


class GrantRefused(BFFError):
    """The provider does not accept a code or a refresh token; `reason` is its OAuth error."""

    status = 401
    code = "grant_refused"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Grant:
    """What the token endpoint gave; `expires_in` in seconds. Left out: an empty text, None."""

    access: str = field(repr=False)
    refresh: str = field(repr=False)
    id_token: str = field(repr=False)
    expires_in: float
    scope: frozenset[str] | None


class OIDCClient:
    """One gateway as a confidential client of one provider (RFC 6749, OpenID Connect Core).

    Whatever keeps the provider from being asked is `ProviderUnavailable`, and says nothing of
    whoever waits for it.
    """

    def __init__(
        self, sign_in: OpenIDProvider, *, clock: Clock = monotonic, wall: Clock = time.time
    ) -> None:
        self._directory = Directory(sign_in, clock)
        self._clock = clock
        self._wall = wall
        self._keys: SigningKeys | None = None
        self._open: tuple[Mapping[type[Upstream], Upstream], Spawn] | None = None
        self._events = Events()

    @property
    def kinds(self) -> Sequence[type[Upstream]]:
        """The services that the provider is called through."""
        names = [name_at(self.sign_in.upstream, one) for one in self.sign_in.origins]
        names = [self.sign_in.upstream, *names]
        return [*map(provider, names), *map(token_endpoint, names)]

    @property
    def sign_in(self) -> OpenIDProvider:
        """What is known of the provider beforehand."""
        return self._directory.sign_in

    @property
    def fault(self) -> str:
        """What is wrong with the provider's discovery document; empty for nothing."""
        return self._directory.fault

    def add_origins(self, origins: Sequence[str]) -> None:
        """Let endpoints be at further origins than the issuer's."""
        self._directory.add_origins(origins)

    def open(
        self,
        services: Mapping[type[Upstream], Upstream],
        spawn: Spawn,
        events: Events | None = None,
    ) -> None:
        """Use the services of a gateway that runs."""
        self._directory.open(services, spawn)
        self._open = services, spawn
        self._events = events or self._events

    async def start(self) -> None:
        """Learn what the provider offers before anybody signs in."""
        await self._directory.start()

    async def metadata(self) -> Metadata:
        """Return what the provider offers."""
        return await self._directory.metadata()

    async def push(self, parameters: Mapping[str, str]) -> str:
        """Hand the parameters of an authorization over; return what names them (RFC 9126)."""
        metadata = await self.metadata()
        told = await self._ask(metadata.pushed or metadata.token, parameters)
        uri = told.get("request_uri")
        if not isinstance(uri, str) or not uri:
            raise ProviderUnavailable("no request_uri")
        return uri

    async def redeem(self, code: str, *, verifier: str, redirect_uri: str) -> Grant:
        """Return what a code is good for; raises `GrantRefused`."""
        asked = {"code": code, "code_verifier": verifier, "redirect_uri": redirect_uri}
        return await self._granted("authorization_code", asked)

    async def refresh(self, token: str, identity: Mapping[str, str]) -> Grant:
        """Return new tokens for the user that the claims in `identity` name.

        Raises `GrantRefused` where the provider refuses, or answers with an ID token that names
        somebody else or is not for this client.
        """
        grant = await self._granted("refresh_token", {"refresh_token": token})
        try:
            await self._confirm(grant, identity)
        except CredentialsRefused as refused:
            reason = f"id_token_{refused}"
            self._report((await self.metadata()).token, reason)
            raise GrantRefused(reason) from refused
        return grant

    async def revoke(self, token: str) -> None:
        """Let the provider forget a refresh token (RFC 7009); what it makes of it is its own."""
        endpoint = (await self.metadata()).revocation
        if endpoint and token:
            await self._post(endpoint, {"token": token, "token_type_hint": "refresh_token"})

    async def logged_out(self, token: str) -> LoggedOut:
        """Return what a logout token ends (OpenID Connect Back-Channel Logout, section 2.6).

        Raises `CredentialsRefused`.
        """
        claims = await self._verified(token, *LOGOUT, names_subject=False)
        return logout_in(claims, leeway=self.sign_in.leeway, wall=self._wall())

    async def identified(self, grant: Grant, nonce: str) -> Claims:
        """Return the claims of a grant's ID token (OpenID Connect Core, section 3.1.3.7)."""
        claims = await self._verified(grant.id_token, *IDENTITY)
        told = claims.get("nonce")
        if not isinstance(told, str) or not compare_digest(told.encode(), nonce.encode()):
            raise CredentialsRefused("nonce")
        ours = self.sign_in.client_id
        assumed = ours if audiences_of(claims.get("aud")) == {ours} else ""
        if claims.get("azp", assumed) != ours:  # of several audiences one is authorized
            raise CredentialsRefused("azp")
        algorithm = parse(grant.id_token.encode(), LONGEST_ID_TOKEN).algorithm
        half = half_of(grant.access, algorithm)
        if claims.get("at_hash", half) != half:
            raise CredentialsRefused("at_hash")
        if "events" in claims:  # a logout token is none
            raise CredentialsRefused("events")
        if claims.get("iat") is None:
            raise CredentialsRefused("iat")
        return claims

    async def _confirm(self, grant: Grant, identity: Mapping[str, str]) -> None:
        """Check the ID token of a refresh, if there is one (OpenID Connect Core, section 12.2).

        The provider itself has just sent it (section 3.1.3.7, item 6): while its key is not known
        the claims are checked alone, since the refresh token that it came for is spent.
        """
        if not grant.id_token:
            return
        token, issuer = await self._parsed(grant.id_token, *IDENTITY)
        try:
            key = await self._key_of(token, issuer)
        except ProviderUnavailable:
            key = None
        wall = self._wall()
        claims = (
            check_claims(token, issuer, wall) if key is None else verify(token, key, issuer, wall)
        )
        instant_of(claims, "iat", required=True)
        if "sub" not in claims:
            raise CredentialsRefused("subject")
        for name, value in {"azp": self.sign_in.client_id, **identity}.items():
            if claims.get(name, value) != value:
                raise CredentialsRefused(name)

    async def _verified(self, token: str, *types: str, names_subject: bool = True) -> Claims:
        told, issuer = await self._parsed(token, *types)
        key = await self._key_of(told, issuer)
        if key is None:
            raise CredentialsRefused("key")
        claims = verify(told, key, issuer, self._wall(), names_subject=names_subject)
        instant_of(claims, "iat", required=True)
        return claims

    async def _parsed(self, token: str, *types: str) -> tuple[Unverified, Issuer]:
        """Return a token, not verified yet, and the issuer that it has to be of."""
        issuer = self.sign_in.tokens_for_us(*(await self.metadata()).keys, *types)
        told = parse(token.encode(), LONGEST_ID_TOKEN)
        if told.algorithm not in issuer.algorithms:
            raise CredentialsRefused("algorithm")
        return told, issuer

    async def _key_of(self, token: Unverified, issuer: Issuer) -> PublicKey | None:
        keys = self._keys
        if keys is None or (keys.kind.name, keys.path) != (issuer.upstream, issuer.keys):
            keys = self._keys = SigningKeys(issuer, self._clock)
            if self._open is not None:
                keys.open(*self._open)
        return await keys.find(token)

    async def _granted(self, kind: str, asked: Mapping[str, str]) -> Grant:
        endpoint = (await self.metadata()).token
        told = await self._ask(endpoint, {"grant_type": kind, **asked}, kind=kind)
        access = told.get("access_token")
        if not isinstance(access, str) or not access:
            raise self._failure(endpoint, "no_access_token")
        if str(told.get("token_type", "")).lower() != "bearer":
            raise self._failure(endpoint, "token_type")
        scope = told.get("scope")
        return Grant(
            access,
            _text(told, "refresh_token"),
            _text(told, "id_token"),
            lifetime_in(told),
            None if scope is None else scopes_of(scope),
        )

    async def _ask(
        self, endpoint: ProviderEndpoint, asked: Mapping[str, str], kind: str = ""
    ) -> Mapping[str, object]:
        """Return the JSON that a provider answers; raises `GrantRefused` for a refused grant."""
        reply = await self._post(endpoint, asked)
        told = told_in(reply)
        error = error_in(told)
        if reply.status in {200, 201} and not error:
            return told
        if kind and verdict_of(reply.status, error) is TokenErrorMeaning.REFUSED:
            raise GrantRefused(error)
        raise self._failure(endpoint, reason_of(reply.status, error))

    def _failure(self, endpoint: ProviderEndpoint, reason: str) -> ProviderUnavailable:
        """Report an answer that is no token; return the error to raise."""
        self._report(endpoint, reason)
        return ProviderUnavailable(reason)

    def _report(self, endpoint: ProviderEndpoint, reason: str) -> None:
        if self._events.sinks:
            self._events.emit(TokenRefused(endpoint.upstream, f"POST {endpoint.target}", reason))

    async def _post(self, endpoint: ProviderEndpoint, asked: Mapping[str, str]) -> Reply:
        sign_in, body, proof = self.sign_in, dict(asked), ""
        if sign_in.auth == "basic":
            proof = basic(sign_in.client_id, sign_in.client_secret)
        else:
            body |= {"client_id": sign_in.client_id, "client_secret": sign_in.client_secret}
        assert self._open is not None, "the provider is asked while the gateway runs"  # noqa: S101 # for the type checker
        service = self._open[0][token_endpoint(endpoint.upstream)]
        return await post(service, endpoint.target, body, proof)


def scopes_in(claims: Claims, name: str) -> frozenset[str]:
    """Return the texts of a claim that is a list of them, or one."""
    told = claims.get(name)
    names: Sequence[object] = told if isinstance(told, list) else [told]
    return frozenset(one for one in names if isinstance(one, str))


def half_of(access: str, algorithm: str) -> str:
    """Return the `at_hash` of an access token (OpenID Connect Core, section 3.1.3.6)."""
    size = algorithm[-3:] if algorithm[-3:] in {"256", "384"} else "512"
    digest = new_hash(f"sha{size}", access.encode()).digest()
    return urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=").decode()


def _text(told: Mapping[str, object], name: str) -> str:
    value = told.get(name)
    return value if isinstance(value, str) else ""
