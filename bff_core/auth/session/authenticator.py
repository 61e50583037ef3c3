"""Signs in browsers: what they hold is a cookie, what it stands for never leaves the gateway."""

import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Final, TypeVar

from bff_core.auth.authenticator import Resources
from bff_core.auth.oidc.client import OIDCClient
from bff_core.auth.oidc.config import OpenIDProvider
from bff_core.auth.oidc.return_url import local
from bff_core.auth.session.active import Sessions
from bff_core.auth.session.cookie import Cookie, SameSite
from bff_core.auth.session.csrf import Origins
from bff_core.auth.session.memory import MemorySessionStore
from bff_core.auth.session.redis import RedisSessionStore
from bff_core.auth.session.replacement import Succession
from bff_core.auth.session.sealing import Sealing
from bff_core.auth.session.session import Session, key_of
from bff_core.auth.session.settings_checks import check_settings, cookie_of, origin_of
from bff_core.auth.session.sign_in_flow import Flow
from bff_core.auth.session.store import Lifetimes, SessionStore, StoredSession
from bff_core.auth.session.token import SessionToken
from bff_core.auth.session.token_refresh import Refresher, SessionEnded
from bff_core.auth.viewer import Viewer
from bff_core.clock import Clock
from bff_core.errors import ConfigurationError
from bff_core.scope import Scope
from bff_core.settings.model import Settings
from bff_core.settings.values import base_of
from bff_core.upstream.client import Upstream

HOUR: Final = 3600.0

T = TypeVar("T")


class SessionAuthenticator:
    """Takes the cookie of somebody who signed in at `/bff/login`, from our own pages alone.

    Give it to a gateway, and `/bff/login`, `/callback`, `/user`, `/logout`, `/backchannel-logout`
    and `/sessions` are there. It is this authenticator that checks where a request comes from
    (`Origins`), so that no order of middleware can leave that out. Other `origins` may be let in,
    such as that of pages which are served from elsewhere. Browsers come to `home` without another
    path; by default it is the root of the gateway.

    A session ends `idle` seconds after its last request, and `lifetime` seconds after it began.
    Settings: `BFF_PUBLIC_URL`, `BFF_SESSION_KEYS`; with `BFF_SESSION_URL` sessions outlive the
    process, and are shared by all.

    Raises `ConfigurationError` for what would not be safe.
    """

    def __init__(
        self,
        sign_in: OpenIDProvider,
        *,
        idle: float = HOUR,
        lifetime: float = 12 * HOUR,
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
                "SessionAuthenticator(csrf=False): a cookie is sent with requests that other "
                "sites forge, so sessions without that protection don't start; leave it on, and "
                "have your pages send X-CSRF: 1"
            )
        if not 60 <= idle <= lifetime:
            raise ConfigurationError(
                "SessionAuthenticator: idle has to be 60 seconds at least, and lifetime no less"
            )
        if not prefix.startswith("/") or prefix.endswith("/"):
            raise ConfigurationError("SessionAuthenticator: prefix has to be like /bff")
        if home and local(home) != home:
            raise ConfigurationError("SessionAuthenticator: home has to be a path like /")
        self.prefix = prefix
        self.base = ""
        self._home = home
        self._is_named = bool(cookie)
        self.cookie = Cookie(cookie or cookie_of(""), same_site)
        self.lifetimes = Lifetimes(idle, lifetime)
        self.client = OIDCClient(sign_in, wall=wall)
        self._origins = tuple(map(origin_of, origins))
        self.wall = wall
        self._judge: Origins | None = None
        self._sessions: Sessions | None = None
        self._refresher: Refresher | None = None
        self._flow: Flow | None = None
        self._succession: Succession | None = None
        self._resources: Resources | None = None
        self._own: tuple[str, ...] = ()
        self._doors: set[str] = set()

    @property
    def challenge(self) -> str:
        """How to sign in, for whoever is refused."""
        return f'Cookie form-action="{self.login}", cookie-name="{self.cookie.name}"'

    @property
    def sign_in(self) -> OpenIDProvider:
        """The provider, and this gateway as a client of it."""
        return self.client.sign_in

    @property
    def login(self) -> str:
        """The path where browsers sign in."""
        return f"{self.base}{self.prefix}/login"

    @property
    def home(self) -> str:
        """The path where browsers come to without another."""
        return self._home or f"{self.base}/"

    @property
    def security_scheme(self) -> Mapping[str, object]:
        """How OpenAPI calls it."""
        return {"type": "apiKey", "in": "cookie", "name": self.cookie.name}

    @property
    def services(self) -> Sequence[type[Upstream]]:
        """The provider."""
        return self.client.kinds

    @property
    def sessions(self) -> Sessions:
        """The sessions, while the gateway runs."""
        return _opened(self._sessions)

    @property
    def flow(self) -> Flow:
        """What signs in, while the gateway runs."""
        return _opened(self._flow)

    @property
    def succession(self) -> Succession:
        """What ends sessions, while the gateway runs."""
        return _opened(self._succession)

    @property
    def issuers(self) -> Sequence[str]:
        """The URL of the provider."""
        return [self.sign_in.issuer]

    def unshared(self, settings: Settings) -> Mapping[str, str]:
        """Return what goes wrong in several processes, by the variable that is missing."""
        if settings.session_url:
            return {}
        return {"BFF_SESSION_URL": "people would be signed in to, and signed out of, one of them"}

    def check(self, settings: Settings) -> None:
        """Refuse to start with settings that would not be safe; take our own address from them."""
        check_settings(settings, self.prefix)
        self.client.add_origins(settings.issuer_origins)
        self.base = base_of(settings.public_url)
        if not self._is_named:
            self.cookie = Cookie(cookie_of(settings.public_url), self.cookie.same_site)

    @asynccontextmanager
    async def opened(self, resources: Resources) -> AsyncIterator[None]:
        """Hold the sessions open."""
        settings = resources.settings
        self._resources = resources
        sealing = Sealing(settings.sealing_secrets)
        public = settings.public_url
        origin = origin_of(public.removesuffix(self.base))
        self._judge = Origins((origin, *self._origins))
        self.client.open(resources.services, resources.spawn, resources.events)
        await self.client.start()
        store = self._store(resources, sealing)
        self._sessions = Sessions(
            store,
            self.lifetimes,
            clock=resources.clock,
            spawn=resources.spawn,
            events=resources.events,
        )
        self._succession = Succession(self._sessions, self.client, resources.spawn)
        self._refresher = Refresher(
            store,
            self.client,
            spawn=resources.spawn,
            clock=resources.clock,
            wall=self.wall,
            events=resources.events,
            changed=self._sessions.changed,
            revoke=self._succession.revoke,
            login=self.login,
        )
        self._flow = Flow(
            self.client,
            sealing,
            callback=f"{public}{self.prefix}/callback",
            login=self.login,
            cookie=self.cookie.name,
            wall=self.wall,
        )
        self._own = tuple({f"{self.prefix}/", f"{self.base}{self.prefix}/"})
        self._doors = {own + name for own in self._own for name in ("login", "callback")}
        yield
        self._judge = self._sessions = self._refresher = self._flow = self._resources = None
        self._succession = None

    def unready(self) -> str | None:
        """Return what is wrong with the provider's discovery document."""
        return self.client.fault or None

    async def authenticate(self, scope: Scope, /) -> Viewer | None:
        """Return whose session a cookie stands for; None without one.

        Raises `Forged` for a request that is not ours, `SessionEnded` for a cookie of a session
        that is over: the browser is told to forget it.
        """
        scope.vary.append("cookie")
        if scope.path in self._doors:  # signing in needs no session, and no page of ours
            return None
        kept = await self.find(scope)
        if kept is None:
            return None
        # Those who sign out need no token for it.
        if kept.session.tokens is not None and not scope.path.startswith(self._own):
            kept = await self._with_fresh_tokens(scope, kept)
        scope.login, scope.wall = self.login, self.wall
        return kept.session.viewer

    async def find(self, scope: Scope) -> StoredSession | None:
        """Return the session of a request, whatever has become of its tokens."""
        secret = self.cookie.read(scope.headers)
        if secret is None or _opened(self._judge).judge(scope.method, scope.headers) != "ours":
            return None
        kept = await self.sessions.find(secret)
        if kept is None:
            if not await self.sessions.was_replaced(secret):
                self.forget(scope)
            raise SessionEnded(self.login)
        return kept

    def forget(self, scope: Scope) -> None:
        """Have the browser forget its cookie."""
        scope.added.append(self.cookie.cleared())

    async def begin(self, scope: Scope, session: Session) -> None:
        """Keep a new session, and give the browser its cookie."""
        secret = await self.sessions.begin(session)
        scope.added.append(self.cookie.written(secret))

    async def rotate(self, scope: Scope) -> None:
        """Give the session of a request another cookie; call it when its privileges change."""
        kept = await self.find(scope)
        secret = None if kept is None else await self.sessions.rotate(kept)
        if secret is not None:
            scope.added.append(self.cookie.written(secret))

    @property
    def clock(self) -> Clock:
        """The clock of the gateway, while it runs."""
        return _opened(self._resources).clock

    @property
    def public_url(self) -> str:
        """Where browsers find the gateway."""
        return _opened(self._resources).settings.public_url

    async def _with_fresh_tokens(self, scope: Scope, kept: StoredSession) -> StoredSession:
        refresher, before = _opened(self._refresher), kept.session.scopes
        try:
            if refresher.has_expired(kept.session):
                kept = await refresher.refreshed(kept)
            elif refresher.is_due(kept.session):
                refresher.begin(kept)
        except SessionEnded:
            self.forget(scope)
            raise
        scope.token = SessionToken(refresher, kept)
        if kept.session.scopes != before:
            secret = await self.sessions.rotate(kept)
            if secret is not None:
                scope.added.append(self.cookie.written(secret))
        return kept

    def _store(self, resources: Resources, sealing: Sealing) -> SessionStore:
        url = resources.settings.session_url
        if not url:
            return MemorySessionStore(resources.clock)
        # Apart for each provider: neither a cookie nor a `sub` of one means anything to another.
        place = f"{resources.gateway}:{key_of(self.sign_in.viewer_issuer)}"
        return RedisSessionStore(resources.links.to(url), sealing, gateway=place)


def _opened(one: T | None) -> T:
    if one is None:
        raise ConfigurationError("sessions are there while the gateway runs: run its lifespan")
    return one
