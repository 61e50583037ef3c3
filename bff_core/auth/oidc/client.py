"""OpenID Connect: redeems codes, refreshes, verifies and revokes tokens, reads logout tokens."""

import time
from collections.abc import Mapping, Sequence
from hashlib import new as new_hash
from hmac import compare_digest
from typing import Final

from cachetools import FIFOCache

from bff_core.auth import base64url
from bff_core.auth.issuer_config import Issuer
from bff_core.auth.jwks import IssuerKeys
from bff_core.auth.jwt import (
    Claims,
    PublicKey,
    Unverified,
    audiences_of,
    check_claims,
    instant_of,
    parse,
    verify,
)
from bff_core.auth.oidc.back_channel_logout import LOGOUT_TOKEN_TYPES, LoggedOut, logout_in
from bff_core.auth.oidc.config import OpenIDProvider
from bff_core.auth.refusal_reasons import CredentialsRefused
from bff_core.call import Reply
from bff_core.clock import Clock, monotonic
from bff_core.errors import GrantRefused, OAuthError, ProviderUnavailable
from bff_core.events import Events, TokenRefused
from bff_core.oauth.discovery import DiscoveryOptions, MetadataCache, ProviderMetadata
from bff_core.oauth.endpoint import OAuthClient, ProviderEndpoint, grant_service
from bff_core.oauth.tokens import Grant, fields_in, grant_in
from bff_core.upstream.client import Upstream
from bff_core.upstream.runtime import Spawn

ID_TOKEN_TYPES: Final = ("JWT", "")
"""The `typ` of ID tokens."""

MAX_ID_TOKEN_BYTES: Final = 64 * 1024
"""Bytes of an ID token, which comes in the body of a reply, not in a header."""

MAX_KEY_SETS: Final = 2
"""Key sets that are cached: the current one, and the previous one after the provider moved it."""


class OIDCClient:
    """One gateway as a confidential client of one provider (RFC 6749, OpenID Connect Core).

    Raises `ProviderUnavailable` if the provider does not answer, which ends no session.
    """

    def __init__(
        self,
        sign_in: OpenIDProvider,
        services: Mapping[type[Upstream], Upstream],
        *,
        spawn: Spawn,
        events: Events,
        clock: Clock = monotonic,
        wall: Clock = time.time,
    ) -> None:
        self.sign_in = sign_in
        self._oauth = OAuthClient(sign_in.client_id, sign_in.client_secret, sign_in.auth)
        self._services = services
        self._spawn = spawn
        self._events = events
        self._clock = clock
        self._wall = wall
        options = DiscoveryOptions(sign_in.issuer, sign_in.upstream, sign_in.origins)
        self._metadata = MetadataCache(options, services, spawn, clock=clock, events=events)
        self._keys: FIFOCache[ProviderEndpoint, IssuerKeys] = FIFOCache(MAX_KEY_SETS)

    @property
    def fault(self) -> str:
        """What is wrong with the provider's discovery document; empty for nothing."""
        return self._metadata.fault

    async def start(self) -> None:
        """Fetch the discovery document before the first user signs in."""
        await self._metadata.start()

    async def metadata(self) -> ProviderMetadata:
        """Return the endpoints of the provider; raises `ProviderUnavailable` if none are known."""
        return await self._metadata.get()

    async def push(self, parameters: Mapping[str, str]) -> str:
        """Send the parameters of an authorization request; return their URI (RFC 9126)."""
        metadata = await self.metadata()
        endpoint = metadata.pushed or metadata.token
        reply = await self._post(endpoint, parameters)
        try:
            uri = fields_in(reply).get("request_uri")
        except OAuthError as error:
            self._report(endpoint, error.reason)
            raise ProviderUnavailable(error.reason) from error
        if not isinstance(uri, str) or not uri:
            raise ProviderUnavailable("no request_uri")
        return uri

    async def redeem(self, code: str, *, verifier: str, redirect_uri: str) -> Grant:
        """Return the tokens for a code; raises `GrantRefused`."""
        form = {"code": code, "code_verifier": verifier, "redirect_uri": redirect_uri}
        return await self._granted("authorization_code", form)

    async def refresh(self, token: str, identity: Mapping[str, str]) -> Grant:
        """Return new tokens for the user that the claims in `identity` name.

        Raises `GrantRefused` if the provider refuses, or sends an ID token that names another user
        or is not for this client.
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
        """Revoke a refresh token (RFC 7009), whatever the provider replies."""
        endpoint = (await self.metadata()).revocation
        if endpoint and token:
            await self._post(endpoint, {"token": token, "token_type_hint": "refresh_token"})

    async def logged_out(self, token: str) -> LoggedOut:
        """Return the sessions that a logout token ends (Back-Channel Logout, section 2.6).

        Raises `CredentialsRefused`.
        """
        claims = await self._verified(token, *LOGOUT_TOKEN_TYPES, names_subject=False)
        return logout_in(claims, leeway=self.sign_in.leeway, wall=self._wall())

    async def identified(self, grant: Grant, nonce: str) -> Claims:
        """Return the claims of a grant's ID token (OpenID Connect Core, section 3.1.3.7)."""
        claims = await self._verified(grant.id_token, *ID_TOKEN_TYPES)
        sent = claims.get("nonce")
        if not isinstance(sent, str) or not compare_digest(sent.encode(), nonce.encode()):
            raise CredentialsRefused("nonce")
        client_id = self.sign_in.client_id
        default = client_id if audiences_of(claims.get("aud")) == {client_id} else ""
        if claims.get("azp", default) != client_id:  # the authorized one of several
            raise CredentialsRefused("azp")
        algorithm = parse(grant.id_token.encode(), MAX_ID_TOKEN_BYTES).algorithm
        at_hash = at_hash_of(grant.access, algorithm)
        if claims.get("at_hash", at_hash) != at_hash:
            raise CredentialsRefused("at_hash")
        if "events" in claims:  # that is a logout token
            raise CredentialsRefused("events")
        if claims.get("iat") is None:
            raise CredentialsRefused("iat")
        return claims

    async def _confirm(self, grant: Grant, identity: Mapping[str, str]) -> None:
        """Verify the ID token of a refresh, if there is one (OpenID Connect Core, section 12.2).

        The provider itself has just sent it (section 3.1.3.7, item 6). While its key is not known
        only the claims are checked, since the refresh token that it came for can't be used again.
        """
        if not grant.id_token:
            return
        token, issuer = await self._parsed(grant.id_token, *ID_TOKEN_TYPES)
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
        unverified, issuer = await self._parsed(token, *types)
        key = await self._key_of(unverified, issuer)
        if key is None:
            raise CredentialsRefused("key")
        claims = verify(unverified, key, issuer, self._wall(), names_subject=names_subject)
        instant_of(claims, "iat", required=True)
        return claims

    async def _parsed(self, token: str, *types: str) -> tuple[Unverified, Issuer]:
        """Return a token, not verified yet, and the issuer that it has to be of."""
        issuer = self.sign_in.tokens_for_us(*(await self.metadata()).keys, *types)
        unverified = parse(token.encode(), MAX_ID_TOKEN_BYTES)
        if unverified.algorithm not in issuer.algorithms:
            raise CredentialsRefused("algorithm")
        return unverified, issuer

    async def _key_of(self, token: Unverified, issuer: Issuer) -> PublicKey | None:
        endpoint = ProviderEndpoint(issuer.upstream, issuer.keys)
        keys = self._keys.get(endpoint)
        if keys is None:
            keys = IssuerKeys(issuer, self._services, self._spawn, clock=self._clock)
            self._keys[endpoint] = keys
        return await keys.find(token)

    async def _granted(self, grant_type: str, form: Mapping[str, str]) -> Grant:
        endpoint = (await self.metadata()).token
        reply = await self._post(endpoint, {"grant_type": grant_type, **form})
        try:
            return grant_in(reply)
        except ProviderUnavailable as error:
            self._report(endpoint, error.reason)
            raise

    def _report(self, endpoint: ProviderEndpoint, reason: str) -> None:
        if self._events.sinks:
            self._events.emit(TokenRefused(endpoint.upstream, f"POST {endpoint.target}", reason))

    async def _post(self, endpoint: ProviderEndpoint, form: Mapping[str, str]) -> Reply:
        service = self._services[grant_service(endpoint.upstream)]
        return await self._oauth.post(service, endpoint.target, form)


def scopes_in(claims: Claims, name: str) -> frozenset[str]:
    """Return the texts of a claim that is a list of them, or one."""
    value = claims.get(name)
    names: Sequence[object] = value if isinstance(value, list) else [value]
    return frozenset(one for one in names if isinstance(one, str))


def at_hash_of(access: str, algorithm: str) -> str:
    """Return the `at_hash` of an access token (OpenID Connect Core, section 3.1.3.6)."""
    size = algorithm[-3:] if algorithm[-3:] in {"256", "384"} else "512"
    digest = new_hash(f"sha{size}", access.encode()).digest()
    return base64url.encode(digest[: len(digest) // 2])
