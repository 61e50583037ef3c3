"""How a gateway authenticates a browser by its session cookie; tokens never leave the gateway."""

import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Final

from bff_core.auth.authenticator import Resources, StatefulAuthenticator
from bff_core.auth.oidc.client import OIDCClient
from bff_core.auth.oidc.config import OpenIDProvider
from bff_core.auth.oidc.return_url import local_path
from bff_core.auth.session.active_sessions import ActiveSessions
from bff_core.auth.session.cookie import Cookie, SameSite
from bff_core.auth.session.csrf import CsrfProtection
from bff_core.auth.session.interface import Lifetimes, SessionStore, StoredSession
from bff_core.auth.session.memory import MemorySessionStore
from bff_core.auth.session.redis import RedisSessionStore
from bff_core.auth.session.replacement import SessionReplacement
from bff_core.auth.session.sealing import Sealing
from bff_core.auth.session.session import Session, key_of
from bff_core.auth.session.session_token import SessionToken
from bff_core.auth.session.settings_checks import check_settings, cookie_of, origin_of, provider_of
from bff_core.auth.session.sign_in_flow import SignInFlow
from bff_core.auth.session.token_refresh import SessionEnded, TokenRefresher
from bff_core.auth.viewer import Viewer
from bff_core.clock import Clock
from bff_core.errors import ConfigurationError
from bff_core.keywords import checks_keywords
from bff_core.scope import WEBSOCKET, Scope
from bff_core.settings.model import Settings
from bff_core.settings.values import base_of
from bff_core.upstream.client import Upstream

HOUR_SECONDS: Final = 3600.0


@dataclass(frozen=True, slots=True)
class RunningSessions:
    """The parts of session authentication while the gateway runs."""

    client: OIDCClient
    csrf: CsrfProtection
    sessions: ActiveSessions
    replacement: SessionReplacement
    token_refresher: TokenRefresher
    flow: SignInFlow
    clock: Clock
    public_url: str


@checks_keywords
class SessionAuthenticator(StatefulAuthenticator[RunningSessions]):
    """Authenticates requests of browsers that signed in at `/bff/login`, by their session cookie.

    It adds the endpoints `/bff/login`, `/callback`, `/user`, `/logout`, `/backchannel-logout` and
    `/sessions` to a gateway. It also does the CSRF protection, so that no order of middleware can
    leave that out. `origins` lists further origins whose pages may use the cookie. `home` is the
    path to which browsers return by default; if empty, the root of the gateway.

    A session ends `idle` seconds after its last request, and `lifetime` seconds after it began.
    Settings: `BFF_PUBLIC_URL`, `BFF_SESSION_KEYS`; with `BFF_SESSION_URL` sessions outlive the
    process, and all processes share them. Without `sign_in`, the provider is that of `BFF_ISSUER`,
    `BFF_CLIENT_ID` and `BFF_CLIENT_SECRET`, with its address in `BFF_UPSTREAM_IDENTITY`; `scope`
    replaces the scopes that are requested of it.

    Raises `ConfigurationError` for options that are not safe.
    """

    def __init__(
        self,
        sign_in: OpenIDProvider | None = None,
        *,
        scope: Sequence[str] = (),
        idle: float = HOUR_SECONDS,
        lifetime: float = 12 * HOUR_SECONDS,
        cookie: str = "",
        same_site: SameSite = "Strict",
        origins: Sequence[str] = (),
        csrf: bool = True,
        prefix: str = "/bff",
        home: str = "",
        wall: Clock = time.time,
    ) -> None:
        if not csrf:
            raise ConfigurationError(
                "SessionAuthenticator(csrf=False): browsers send the cookie with requests that "
                "other sites forge, so a gateway does not start without CSRF protection; leave it "
                "on, and let your pages send X-CSRF: 1"
            )
        if not 60 <= idle <= lifetime:
            raise ConfigurationError(
                "SessionAuthenticator: idle has to be 60 seconds at least, and lifetime no less"
            )
        if sign_in is not None and scope:
            raise ConfigurationError(
                "SessionAuthenticator: the scopes of a provider are OpenIDProvider(scope=...)"
            )
        if not prefix.startswith("/") or prefix.endswith("/"):
            raise ConfigurationError("SessionAuthenticator: prefix has to be like /bff")
        if home and local_path(home) != home:
            raise ConfigurationError("SessionAuthenticator: home has to be a path like /")
        self.prefix = prefix
        self._set_base("")
        self._given = self._provider = sign_in
        self._scope = tuple(scope)
        self._home = home
        self._has_own_name = bool(cookie)
        self.cookie = Cookie(cookie or cookie_of(""), same_site)
        self.lifetimes = Lifetimes(idle, lifetime)
        self._origins = tuple(map(origin_of, origins))
        self.wall = wall

    @property
    def sign_in(self) -> OpenIDProvider:
        """The provider; without one that was given, it is known when a gateway is made."""
        if self._provider is None:
            raise ConfigurationError(
                "SessionAuthenticator() reads its settings when a gateway is made with it"
            )
        return self._provider

    @property
    def challenge(self) -> str:
        """The `WWW-Authenticate` value: where to sign in, and the name of the cookie."""
        return f'Cookie form-action="{self.login}", cookie-name="{self.cookie.name}"'

    @property
    def login(self) -> str:
        """The path at which browsers sign in."""
        return f"{self.base}{self.prefix}/login"

    @property
    def home(self) -> str:
        """The path to which browsers return by default."""
        return self._home or f"{self.base}/"

    def session_store(self) -> SessionStore:
        """Return the store of sessions; raise `ConfigurationError` unless the gateway runs."""
        return self.running.sessions.store

    @property
    def security_scheme(self) -> Mapping[str, object]:
        """The security scheme in OpenAPI."""
        return {
            "type": "apiKey",
            "in": "cookie",
            "name": self.cookie.name,
            "description": "The cookie of a session. Scripts send the header `X-CSRF: 1` with it.",
        }

    @property
    def services(self) -> Sequence[type[Upstream]]:
        """The upstreams of the provider."""
        return self.sign_in.services

    @property
    def sessions(self) -> ActiveSessions:
        """The active sessions, while the gateway runs."""
        return self.running.sessions

    @property
    def issuers(self) -> Sequence[str]:
        """The URL of the provider."""
        return [self.sign_in.issuer]

    def unshared(self, settings: Settings) -> Mapping[str, str]:
        """Return what fails with several processes, by the name of the missing setting."""
        if settings.session_url:
            return {}
        return {"BFF_SESSION_URL": "people would be signed in to, and signed out of, one of them"}

    def check(self, settings: Settings) -> None:
        """Raise `ConfigurationError` for unsafe settings; read the public address from them."""
        provider = self._given or provider_of(settings, self._scope)
        check_settings(settings, self.prefix)
        self._provider = provider.with_origins(settings.issuer_origins)
        self._set_base(base_of(settings.public_url))
        if not self._has_own_name:
            self.cookie = Cookie(cookie_of(settings.public_url), self.cookie.same_site)

    @asynccontextmanager
    async def start(self, resources: Resources) -> AsyncIterator[RunningSessions]:
        """Yield the sessions, with their store and a client of the provider."""
        settings, clock, spawn = resources.settings, resources.clock, resources.spawn
        sealing, public = Sealing(settings.sealing_secrets), settings.public_url
        client = OIDCClient(
            self.sign_in, resources.services, spawn=spawn, events=resources.events, wall=self.wall
        )
        await client.start()
        store = self._store(resources, sealing)
        sessions = ActiveSessions(
            store, self.lifetimes, clock=clock, spawn=spawn, events=resources.events
        )
        replacement = SessionReplacement(sessions, client, spawn)
        yield RunningSessions(
            client=client,
            csrf=CsrfProtection((origin_of(public.removesuffix(self.base)), *self._origins)),
            sessions=sessions,
            replacement=replacement,
            token_refresher=TokenRefresher(
                store,
                client,
                spawn=spawn,
                clock=clock,
                wall=self.wall,
                events=resources.events,
                changed=sessions.changed,
                revoke=replacement.revoke,
                login=self.login,
            ),
            flow=SignInFlow(
                client,
                sealing,
                callback=f"{public}{self.prefix}/callback",
                login=self.login,
                cookie=self.cookie.name,
                wall=self.wall,
            ),
            clock=clock,
            public_url=public,
        )

    def unready(self) -> str | None:
        """Return the fault of the provider's discovery document; None without one."""
        return None if self._running is None else self._running.client.fault or None

    async def authenticate(self, scope: Scope, /) -> Viewer | None:
        """Return the viewer of a session cookie; None without one.

        Raises `Forged` for a cross-site request, and `SessionEnded` for the cookie of a session
        that has ended: the answer clears the cookie.
        """
        scope.vary.append("cookie")
        if scope.path in self._sign_in_paths:  # sign-in needs no session, and no page of ours
            return None
        stored = await self.find(scope)
        if stored is None:
            return None
        # The endpoints of sessions, such as logout, need no fresh token.
        if stored.session.tokens is not None and not scope.path.startswith(self._endpoint_prefixes):
            stored = await self._with_fresh_tokens(scope, stored)
        scope.login, scope.wall = self.login, self.wall
        if scope.method == WEBSOCKET:
            scope.recheck = partial(self._recheck, self.cookie.read(scope.headers) or "")
        return stored.session.viewer

    async def _recheck(self, secret: str) -> None:
        """Raise `SessionEnded` if the session of a cookie has ended."""
        if not await self.running.sessions.is_active(secret):
            raise SessionEnded(self.login)

    async def find(self, scope: Scope) -> StoredSession | None:
        """Return the session of a request, even with expired tokens; None without one."""
        secret = self.cookie.read(scope.headers)
        if secret is None or self.running.csrf.check(scope.method, scope.headers) != "trusted":
            return None
        sessions = self.running.sessions
        stored = await sessions.find(secret)
        if stored is None:
            if not await sessions.was_replaced(secret):
                self.forget(scope)
            raise SessionEnded(self.login)
        return stored

    def forget(self, scope: Scope) -> None:
        """Clear the browser's cookie."""
        scope.added.append(self.cookie.removal_header())

    async def begin(self, scope: Scope, session: Session) -> None:
        """Store a new session, and send the browser its cookie."""
        secret = await self.sessions.begin(session)
        scope.added.append(self.cookie.set_header(secret))

    async def rotate(self, scope: Scope) -> None:
        """Give the session of a request a new cookie; call it when its privileges change."""
        stored = await self.find(scope)
        if stored is not None:
            await self._rotate(scope, stored)

    async def _with_fresh_tokens(self, scope: Scope, stored: StoredSession) -> StoredSession:
        token_refresher, before = self.running.token_refresher, stored.session.scopes
        try:
            if token_refresher.has_expired(stored.session):
                stored = await token_refresher.refreshed(stored)
            elif token_refresher.is_due(stored.session):
                token_refresher.begin(stored)
        except SessionEnded:
            self.forget(scope)
            raise
        scope.token = SessionToken(token_refresher, stored)
        if stored.session.scopes != before:
            await self._rotate(scope, stored)
        return stored

    async def _rotate(self, scope: Scope, stored: StoredSession) -> None:
        secret = await self.sessions.rotate(stored)
        if secret is not None:
            scope.added.append(self.cookie.set_header(secret))

    def _set_base(self, base: str) -> None:
        """Set the path of the public URL, which a proxy in front may strip."""
        self.base = base
        self._endpoint_prefixes = tuple({f"{self.prefix}/", f"{base}{self.prefix}/"})
        self._sign_in_paths = {
            prefix + name for prefix in self._endpoint_prefixes for name in ("login", "callback")
        }

    def _store(self, resources: Resources, sealing: Sealing) -> SessionStore:
        url = resources.settings.session_url
        if not url:
            return MemorySessionStore(resources.clock)
        # One namespace for each provider: neither cookies nor a `sub` of one are valid for another.
        namespace = f"{resources.gateway}:{key_of(self.sign_in.viewer_issuer)}"
        return RedisSessionStore(resources.links.to(url), sealing, gateway=namespace)
