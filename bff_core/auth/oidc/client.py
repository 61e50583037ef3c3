"""What a gateway asks of its provider: codes redeemed, tokens refreshed, verified, revoked."""

import time
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import new as new_hash
from hmac import compare_digest
from typing import Final

from bff_core.auth.jwt import Claims, Refused, audiences_of, parse, verify
from bff_core.auth.keys import Keys
from bff_core.auth.oidc.provider import Directory, Endpoint, Metadata
from bff_core.auth.oidc.sign_in import SignIn
from bff_core.call import Reply
from bff_core.clock import Clock, monotonic
from bff_core.errors import BFFError
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

IDENTITY: Final = ("JWT", "")
"""The `typ` of ID tokens: most say nothing particular."""

LONGEST_ID_TOKEN: Final = 64 * 1024
"""Bytes of an ID token: it comes in an answer of the provider, and in no header."""

LOGOUT: Final = ("logout+jwt", "JWT", "")
LOGOUT_EVENT: Final = "http://schemas.openid.net/event/backchannel-logout"

BRIEF: Final = 300.0
"""Seconds that an access token is used of which the provider does not say for how long."""


class GrantRefused(BFFError):
    """The provider does not take a code or a refresh token any more; `reason` is its word."""

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


@dataclass(frozen=True, slots=True)
class LoggedOut:
    """Whose sessions the provider has ended: one of its own, `sid`, or all of a subject's."""

    id: str
    subject: str
    sid: str


class Client:
    """One gateway as a confidential client of one provider (RFC 6749, OpenID Connect Core).

    Whatever keeps the provider from being asked is `ProviderUnavailable`, and says nothing of
    whoever waits for it.
    """

    def __init__(
        self, sign_in: SignIn, *, clock: Clock = monotonic, wall: Clock = time.time
    ) -> None:
        self._directory = Directory(sign_in, clock)
        self._clock = clock
        self._wall = wall
        self._keys: Keys | None = None
        self._open: tuple[Mapping[type[Upstream], Upstream], Spawn] | None = None

    @property
    def kinds(self) -> Sequence[type[Upstream]]:
        """The services that the provider is called through."""
        names = [name_at(self.sign_in.upstream, one) for one in self.sign_in.origins]
        names = [self.sign_in.upstream, *names]
        return [*map(provider, names), *map(token_endpoint, names)]

    @property
    def sign_in(self) -> SignIn:
        """What is known of the provider beforehand."""
        return self._directory.sign_in

    @property
    def fault(self) -> str:
        """What is wrong with the provider's discovery document; empty for nothing."""
        return self._directory.fault

    def add_origins(self, origins: Sequence[str]) -> None:
        """Let endpoints be at further origins than the issuer's."""
        self._directory.add_origins(origins)

    def open(self, services: Mapping[type[Upstream], Upstream], spawn: Spawn) -> None:
        """Use the services of a gateway that runs."""
        self._directory.open(services, spawn)
        self._open = services, spawn

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

    async def refresh(self, token: str) -> Grant:
        """Return new tokens; raises `GrantRefused` where the old ones were all there will be."""
        return await self._granted("refresh_token", {"refresh_token": token})

    async def revoke(self, token: str) -> None:
        """Let the provider forget a refresh token (RFC 7009); what it makes of it is its own."""
        endpoint = (await self.metadata()).revocation
        if endpoint and token:
            await self._post(endpoint, {"token": token, "token_type_hint": "refresh_token"})

    async def logged_out(self, token: str) -> LoggedOut:
        """Return what a logout token ends (OpenID Connect Back-Channel Logout, section 2.6).

        Raises `Refused`.
        """
        claims = await self._verified(token, *LOGOUT, names_subject=False)
        events = claims.get("events")
        if not isinstance(events, dict) or not isinstance(events.get(LOGOUT_EVENT), dict):
            raise Refused("events")
        if "nonce" in claims:  # an ID token is none
            raise Refused("nonce")
        told = LoggedOut(*(str(claims.get(name) or "") for name in ("jti", "sub", "sid")))
        if not told.id or not (told.subject or told.sid):
            raise Refused("claim_missing")
        return told

    async def identified(self, grant: Grant, nonce: str) -> Claims:
        """Return the claims of a grant's ID token (OpenID Connect Core, section 3.1.3.7)."""
        claims = await self._verified(grant.id_token, *IDENTITY)
        told = claims.get("nonce")
        if not isinstance(told, str) or not compare_digest(told.encode(), nonce.encode()):
            raise Refused("nonce")
        ours = self.sign_in.client_id
        assumed = ours if audiences_of(claims.get("aud")) == {ours} else ""
        if claims.get("azp", assumed) != ours:  # of several audiences one is authorized
            raise Refused("azp")
        algorithm = parse(grant.id_token.encode(), LONGEST_ID_TOKEN).algorithm
        half = half_of(grant.access, algorithm)
        if claims.get("at_hash", half) != half:
            raise Refused("at_hash")
        if "events" in claims:  # a logout token is none
            raise Refused("events")
        if claims.get("iat") is None:
            raise Refused("iat")
        return claims

    async def _verified(self, token: str, *types: str, names_subject: bool = True) -> Claims:
        place = (await self.metadata()).keys
        issuer = self.sign_in.tokens_for_us(*place, *types)
        keys = self._keys
        if keys is None or (keys.kind.name, keys.path) != place:
            keys = self._keys = Keys(issuer, self._clock)
            if self._open is not None:
                keys.open(*self._open)
        told = parse(token.encode(), LONGEST_ID_TOKEN)
        if told.algorithm not in issuer.algorithms:
            raise Refused("algorithm")
        key = await keys.find(told)
        if key is None:
            raise Refused("key")
        return verify(told, key, issuer, self._wall(), names_subject=names_subject)

    async def _granted(self, kind: str, asked: Mapping[str, str]) -> Grant:
        told = await self._ask(
            (await self.metadata()).token, {"grant_type": kind, **asked}, kind=kind
        )
        access = told.get("access_token")
        if not isinstance(access, str) or not access:
            raise ProviderUnavailable("no access_token")
        if str(told.get("token_type", "")).lower() != "bearer":
            raise ProviderUnavailable("token_type")
        scope, seconds = told.get("scope"), told.get("expires_in", BRIEF)
        is_number = isinstance(seconds, int | float) and not isinstance(seconds, bool)
        return Grant(
            access,
            _text(told, "refresh_token"),
            _text(told, "id_token"),
            max(0.0, float(seconds)) if is_number else BRIEF,  # type: ignore[arg-type]  # it is a number
            frozenset(scope.split()) if isinstance(scope, str) else None,
        )

    async def _ask(
        self, endpoint: Endpoint, asked: Mapping[str, str], kind: str = ""
    ) -> Mapping[str, object]:
        """Return the JSON that a provider answers; raises `GrantRefused` for a refused grant."""
        reply = await self._post(endpoint, asked)
        told = told_in(reply)
        if reply.status in {200, 201}:
            return told
        error = told.get("error")
        if reply.status == 400 and kind and error in {"invalid_grant", "access_denied"}:
            raise GrantRefused(str(error))
        raise ProviderUnavailable(f"answered {reply.status} {error or ''}".rstrip())

    async def _post(self, endpoint: Endpoint, asked: Mapping[str, str]) -> Reply:
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
