"""Signs in browsers: what they hold is a cookie, what it stands for never leaves the gateway."""

import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Final, TypeVar
from urllib.parse import urlsplit

from bff_core.auth.authenticator import Resources
from bff_core.auth.oidc.client import Client
from bff_core.auth.oidc.flow import Flow
from bff_core.auth.oidc.sign_in import SignIn
from bff_core.auth.session.cookie import Cookie, SameSite
from bff_core.auth.session.csrf import Origins
from bff_core.auth.session.memory import MemoryStore
from bff_core.auth.session.redis import RedisStore
from bff_core.auth.session.sealing import Sealing
from bff_core.auth.session.session import Session
from bff_core.auth.session.store import Kept, Lifetimes, SessionStore
from bff_core.auth.token_handler.refresh import Refresher, SessionEnded
from bff_core.auth.token_handler.sessions import Sessions
from bff_core.auth.token_handler.token import SessionToken
from bff_core.auth.viewer import Viewer
from bff_core.clock import Clock
from bff_core.errors import ConfigurationError
from bff_core.scope import Scope
from bff_core.settings import Settings
from bff_core.upstream.client import Upstream
from bff_core.upstream.provider import ProviderUnavailable

HOUR: Final = 3600.0

T = TypeVar("T")


class SessionAuthenticator:
    """Takes the cookie of somebody who signed in at `/bff/login`, from our own pages alone.

    Give it to a gateway, and `/bff/login`, `/callback`, `/user`, `/logout`, `/backchannel-logout`
    and `/sessions` are there. It is this authenticator that checks where a request comes from
    (`Origins`), so that no order of middleware can leave that out. Other `origins` may be let in,
    such as that of pages which are served from elsewhere.

    A session ends `idle` seconds after its last request, and `lifetime` seconds after it began.
    Settings: `BFF_PUBLIC_URL`, `BFF_SESSION_KEYS`; with `BFF_SESSION_URL` sessions outlive the
    process, and are shared by all.

    Raises `ConfigurationError` for what would not be safe.
    """

    def __init__(
        self,
        sign_in: SignIn,
        *,
        idle: float = HOUR,
        lifetime: float = 12 * HOUR,
        cookie: str = "__Host-bff",
        same_site: SameSite = "Strict",
        origins: Sequence[str] = (),
        csrf: bool = True,
        prefix: str = "/bff",
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
        self.prefix = prefix
        self.cookie = Cookie(cookie, same_site)
        self.lifetimes = Lifetimes(idle, lifetime)
        self.client = Client(sign_in, wall=wall)
        self.sign_in = sign_in
        self._origins = tuple(map(_origin, origins))
        self.wall = wall
        self._judge: Origins | None = None
        self._sessions: Sessions | None = None
        self._refresher: Refresher | None = None
        self._flow: Flow | None = None
        self._resources: Resources | None = None

    @property
    def challenge(self) -> str:
        """How to sign in, for whoever is refused."""
        return f'Cookie form-action="{self.prefix}/login", cookie-name="{self.cookie.name}"'

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

    def check(self, settings: Settings) -> None:
        """Refuse to start without an address of our own, over TLS, and without a key."""
        Sealing(settings.sealing_secrets)
        is_known = any(one.startswith("development-only") for one in settings.sealing_secrets)
        if is_known and settings.env == "production":
            raise ConfigurationError(
                "BFF_SESSION_KEYS holds the key of the examples, which everybody knows: make your "
                "own, as in BFF_SESSION_KEYS=$(openssl rand -base64 32)"
            )
        if not settings.public_url:
            raise ConfigurationError(
                "BFF_PUBLIC_URL is not set: browsers are sent back there when they have signed "
                "in, and requests of other origins are refused; set it to where browsers find "
                "this gateway, as in BFF_PUBLIC_URL=https://shop.example"
            )
        secure = settings.public_url.startswith("https://")
        if settings.env == "production" and not secure:
            raise ConfigurationError(
                f"BFF_PUBLIC_URL={settings.public_url}: cookies of sessions go over TLS only; "
                "give an https:// address, or set BFF_ENV=development to try things out"
            )

    @asynccontextmanager
    async def opened(self, resources: Resources) -> AsyncIterator[None]:
        """Hold the sessions open."""
        settings = resources.settings
        self._resources = resources
        sealing = Sealing(settings.sealing_secrets)
        public = settings.public_url
        self._judge = Origins((_origin(public), *self._origins))
        self.client.open(resources.services, resources.spawn)
        store = self._store(resources, sealing)
        self._sessions = Sessions(
            store,
            self.lifetimes,
            clock=resources.clock,
            spawn=resources.spawn,
            events=resources.events,
        )
        self._refresher = Refresher(
            store,
            self.client,
            spawn=resources.spawn,
            clock=resources.clock,
            wall=self.wall,
            events=resources.events,
            changed=self._sessions.changed,
            login=f"{self.prefix}/login",
        )
        self._flow = Flow(
            self.client,
            sealing,
            callback=f"{public}{self.prefix}/callback",
            login=f"{self.prefix}/login",
            wall=self.wall,
        )
        yield
        self._judge = self._sessions = self._refresher = self._flow = self._resources = None

    async def authenticate(self, scope: Scope, /) -> Viewer | None:
        """Return whose session a cookie stands for; None without one.

        Raises `Forged` for a request that is not ours, `SessionEnded` for a cookie of a session
        that is over: the browser is told to forget it.
        """
        scope.vary.append("cookie")
        kept = await self.find(scope)
        if kept is None:
            return None
        # Those who sign out need no token for it.
        if kept.session.tokens is not None and not scope.path.startswith(f"{self.prefix}/"):
            kept = await self._with_fresh_tokens(scope, kept)
        return kept.session.viewer

    async def find(self, scope: Scope) -> Kept | None:
        """Return the session of a request, whatever has become of its tokens."""
        secret = self.cookie.read(scope.headers)
        if secret is None or _opened(self._judge).judge(scope.method, scope.headers) != "ours":
            return None
        kept = await self.sessions.find(secret)
        if kept is None:
            self.forget(scope)
            raise SessionEnded(f"{self.prefix}/login")
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

    def revoke(self, session: Session) -> None:
        """Tell the provider in the background that a session's tokens are not needed any more."""
        if session.tokens is not None and session.tokens.refresh:
            _opened(self._resources).spawn(self._revoke(session.tokens.refresh))

    async def _revoke(self, token: str) -> None:
        try:
            await self.client.revoke(token)
        except ProviderUnavailable:
            return  # they end by themselves, and nobody has them

    @property
    def public_url(self) -> str:
        """Where browsers find the gateway."""
        return _opened(self._resources).settings.public_url

    async def _with_fresh_tokens(self, scope: Scope, kept: Kept) -> Kept:
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
            return MemoryStore(resources.clock)
        return RedisStore(resources.links.to(url), sealing, gateway=resources.gateway)


def _origin(url: str) -> str:
    """Return the origin of a URL as browsers write it."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path not in {"", "/"}:
        raise ConfigurationError(f"{url!r} is no origin: write it like https://shop.example")
    default = {"http": 80, "https": 443}[parts.scheme]
    port = "" if parts.port in {None, default} else f":{parts.port}"
    return f"{parts.scheme}://{parts.hostname}{port}"


def _opened(one: T | None) -> T:
    if one is None:
        raise ConfigurationError("sessions are there while the gateway runs: run its lifespan")
    return one
