"""Token introspection (RFC 7662): opaque access tokens, which only their issuer can read."""

import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from typing import ClassVar, Final

from cachetools import FIFOCache

from bff_core.auth.authenticator import Resources, StatefulAuthenticator
from bff_core.auth.bearer_token import BearerToken, bearer_in
from bff_core.auth.jwt import acr_of, audiences_of, auth_time_of
from bff_core.auth.refusal_reasons import REFUSAL, CredentialsRefused
from bff_core.auth.required_settings import require_settings
from bff_core.auth.viewer import Viewer
from bff_core.clock import Clock
from bff_core.errors import ConfigurationError, NotAuthenticated, ProviderUnavailable
from bff_core.keywords import checks_keywords
from bff_core.oauth.endpoint import OAuthClient, document_service, object_in
from bff_core.oauth.tokens import scopes_of, seconds_in
from bff_core.refreshed_value import Fetched, Refreshed
from bff_core.scope import WEBSOCKET, Scope
from bff_core.settings.model import Settings
from bff_core.upstream.client import Upstream
from bff_core.upstream.runtime import Spawn

ACTIVE_SECONDS: Final = 60.0
"""Seconds for which an active token is accepted without another request, or until it ends."""

INACTIVE_SECONDS: Final = 10.0
"""Seconds for which any other token is refused without another request."""

MAX_ACTIVE: Final = 10_000
MAX_INACTIVE: Final = 1_000

MAX_TOKEN_BYTES: Final = 4096


@checks_keywords
@dataclass(frozen=True, slots=True, kw_only=True)
class Introspection:
    """The introspection endpoint of an issuer, and which of its tokens are accepted.

    `upstream` is the service of the endpoint, `path` its path there; `client_id` and
    `client_secret` are those of this gateway as its client. `audience` names this gateway as tokens
    do: one of these has to be in `aud`. With an `issuer` it has to be in `iss`. `tenant` is the
    claim of a viewer's tenant. Tokens in three parts are left to other authenticators
    (`BearerAuthenticator`), unless it `takes_jwt`.
    """

    client_id: str
    client_secret: str = field(repr=False)
    audience: tuple[str, ...]
    issuer: str = ""
    upstream: str = "identity"
    path: str = "/introspect"
    scope: str = "scope"
    tenant: str = ""
    leeway: float = 60.0
    takes_jwt: bool = False

    def __post_init__(self) -> None:
        if not self.client_id or not self.client_secret:
            raise ConfigurationError(
                "Introspection: give the client_id and client_secret that the issuer knows us by"
            )
        if isinstance(self.audience, str) or not self.audience or not all(self.audience):
            raise ConfigurationError(
                "Introspection: audience=(...) has to name this gateway as tokens do, or those "
                "that are meant for others would be accepted here"
            )


@dataclass(frozen=True, slots=True)
class IntrospectedToken:
    """The viewer of an active token, or the reason why it is refused; used until an instant."""

    viewer: Viewer | None
    until: float
    reason: str = ""


class IntrospectedTokens:
    """Introspects tokens at their issuer and caches the results.

    There is one request at a time for a token, for all callers.
    """

    def __init__(
        self,
        options: Introspection,
        service: Upstream,
        *,
        spawn: Spawn,
        clock: Clock,
        wall: Clock,
    ) -> None:
        self._options = options
        self._service = service
        self._client = OAuthClient(options.client_id, options.client_secret)
        self._spawn = spawn
        self._clock = clock
        self._wall = wall
        self._active: FIFOCache[bytes, IntrospectedToken] = FIFOCache(MAX_ACTIVE)
        self._inactive: FIFOCache[bytes, IntrospectedToken] = FIFOCache(MAX_INACTIVE)
        self._requests: dict[bytes, Refreshed[IntrospectedToken]] = {}

    def cached(self, digest: bytes) -> IntrospectedToken | None:
        """Return the result for a token that was introspected not long ago; else None."""
        known = self._active.get(digest) or self._inactive.get(digest)
        return None if known is None or self._clock() >= known.until else known

    async def introspect(self, digest: bytes, token: bytes) -> IntrospectedToken:
        """Return the result of a request; raises the `BFFError` for which it failed."""
        request = self._request(digest, token)
        known = await request.get()
        if known is None:
            raise request.failure or ProviderUnavailable("the gateway is closing")
        return known

    def _request(self, digest: bytes, token: bytes) -> Refreshed[IntrospectedToken]:
        """Return the request for a token that is in flight, or start one."""
        request = self._requests.get(digest)
        if request is None:
            fetch = partial(self._fetch, digest, token)
            request = Refreshed(fetch, clock=self._clock, spawn=self._spawn)
            self._requests[digest] = request
            request.start().add_done_callback(lambda _: self._requests.pop(digest, None))
        return request

    async def _fetch(self, digest: bytes, token: bytes) -> Fetched[IntrospectedToken]:
        known = await self._introspect(token)
        # Refused tokens have a cache of their own: anyone can send as many as they like.
        (self._inactive if known.viewer is None else self._active)[digest] = known
        return Fetched(known, known.until, known.until, known.until)

    async def _introspect(self, token: bytes) -> IntrospectedToken:
        now = self._clock()
        if len(token) > MAX_TOKEN_BYTES:
            return IntrospectedToken(None, now + INACTIVE_SECONDS, "too_long")
        form = {"token": token.decode("latin-1"), "token_type_hint": "access_token"}
        reply = await self._client.post(self._service, self._options.path, form)
        if reply.status != 200:
            raise ProviderUnavailable(f"introspection answered {reply.status}")
        claims = object_in(reply)
        if not isinstance(claims.get("active"), bool):
            raise ProviderUnavailable("introspection answered something else")
        try:
            viewer, left = self._viewer(claims)
        except CredentialsRefused as refused:
            return IntrospectedToken(None, now + INACTIVE_SECONDS, str(refused))
        return IntrospectedToken(viewer, now + min(left, ACTIVE_SECONDS))

    def _viewer(self, claims: Mapping[str, object]) -> tuple[Viewer, float]:
        """Return the viewer of a token, and for how many seconds; raises `CredentialsRefused`."""
        options, wall = self._options, self._wall()
        if claims["active"] is not True:
            raise CredentialsRefused("inactive")
        if not audiences_of(claims.get("aud")) & set(options.audience):
            raise CredentialsRefused("audience")
        if options.issuer and claims.get("iss") != options.issuer:
            raise CredentialsRefused("issuer")
        if "cnf" in claims:  # bound to a key that the caller has not proved
            raise CredentialsRefused("bound")
        ends, begins = _instant_in(claims, "exp"), _instant_in(claims, "nbf")
        left = ACTIVE_SECONDS if ends is None else ends + options.leeway - wall
        if left <= 0 or (begins is not None and begins - options.leeway > wall):
            raise CredentialsRefused("expired")
        subject, tenant = (
            claims.get("sub"),
            claims.get(options.tenant, "") if options.tenant else "",
        )
        if not isinstance(subject, str) or not subject or not isinstance(tenant, str):
            raise CredentialsRefused("subject")
        client, issuer = claims.get("client_id", ""), claims.get("iss", "")
        return Viewer(
            subject,
            tenant,
            scopes_of(claims.get(options.scope)),
            client if isinstance(client, str) else "",
            acr=acr_of(claims),
            auth_time=auth_time_of(claims, wall + options.leeway),
            issuer=options.issuer or f"introspection:{options.upstream}{options.path} {issuer}",
        ), left


@checks_keywords
class IntrospectionAuthenticator(StatefulAuthenticator[IntrospectedTokens]):
    """Authenticates `Authorization: Bearer <token>` by introspection at the token's issuer.

    The result is used for a minute, so a revoked token is accepted for that long at most. While the
    issuer is unavailable the answer is 503. In `FirstOf` it stands before `BearerAuthenticator`.

    Without options, the settings have them: `BFF_ISSUER`, `BFF_CLIENT_ID`, `BFF_CLIENT_SECRET`,
    `BFF_AUDIENCE`, `BFF_INTROSPECTION_PATH`, with its address in `BFF_UPSTREAM_IDENTITY`.
    """

    challenge = "Bearer"
    security_scheme: ClassVar[Mapping[str, object]] = {"type": "http", "scheme": "bearer"}

    def __init__(self, options: Introspection | None = None, *, wall: Clock = time.time) -> None:
        self._given = options
        self._read: Introspection | None = None
        self._wall = wall

    @property
    def _options(self) -> Introspection:
        options = self._given or self._read
        if options is None:
            raise ConfigurationError(
                "IntrospectionAuthenticator() reads its settings when a gateway is made with it"
            )
        return options

    def check(self, settings: Settings) -> None:
        """Read the options from the settings, unless they were given."""
        if self._given is not None:
            return
        needed = ("issuer", "client_id", "client_secret", "audience", "upstreams")
        require_settings("IntrospectionAuthenticator", settings, *needed)
        self._read = Introspection(
            issuer=settings.issuer,
            client_id=settings.client_id,
            client_secret=settings.client_secret.get_secret_value(),
            audience=settings.audience,
            path=settings.introspection_path,
        )

    @property
    def services(self) -> Sequence[type[Upstream]]:
        """The issuer."""
        return [document_service(self._options.upstream)]

    @property
    def issuers(self) -> Sequence[str]:
        """The URL of the issuer, if it is named."""
        return [self._options.issuer] if self._options.issuer else []

    @asynccontextmanager
    async def start(self, resources: Resources) -> AsyncIterator[IntrospectedTokens]:
        """Yield the tokens, which are introspected at the issuer."""
        yield IntrospectedTokens(
            self._options,
            resources.services[document_service(self._options.upstream)],
            spawn=resources.spawn,
            clock=resources.clock,
            wall=self._wall,
        )

    async def authenticate(self, scope: Scope, /) -> Viewer | None:
        """Return the viewer of the token; None without one. Raises `NotAuthenticated`."""
        token = bearer_in(scope)
        if token is None or (token.count(b".") == 2 and not self._options.takes_jwt):
            return None
        tokens, digest = self.running, sha256(token).digest()
        known = tokens.cached(digest) or await tokens.introspect(digest, token)
        if known.viewer is None:
            raise NotAuthenticated(REFUSAL, reason=known.reason)
        scope.token, scope.wall = BearerToken(token), self._wall
        if scope.method == WEBSOCKET:
            scope.recheck = partial(self.authenticate, scope)
        return known.viewer


def _instant_in(claims: Mapping[str, object], name: str) -> float | None:
    """Return a Unix time that an issuer wrote as a number or as its digits; None without it.

    Raises `CredentialsRefused` for any other value.
    """
    value = claims.get(name)
    instant = seconds_in(value)
    if instant is None and value is not None:
        raise CredentialsRefused(name)
    return instant
