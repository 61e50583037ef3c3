"""A gateway with sessions over the mock provider, all in process, and browsers in front of it."""

import json
import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from html import unescape
from typing import Annotated, Any
from urllib.parse import parse_qsl, urlsplit

import httpx
from fastapi import Depends

from bff_core import (
    ANYONE,
    Composition,
    Gateway,
    Policy,
    Relay,
    Settings,
    Upstream,
    Viewer,
    Views,
    compose,
    critical,
    gateway,
    optional,
)
from bff_core.auth.oidc.config import OpenIDProvider
from bff_core.auth.session.authenticator import SessionAuthenticator
from bff_core.call import Call, Reply
from bff_core.clock import Clock, monotonic
from bff_core.events import AnyEvent, Events
from bff_core.testing.scripted import Scripted, ScriptedTransport
from services_mock import identity
from services_mock.identity.clients import WEB_SECRET
from services_mock.identity.signing import read, signed

HERE = "https://shop.example"
FAR = ("oauth2.example", "www.example")
ISSUER = "https://id.example"
KEY = "a secret of the tests, which is long enough"
OURS = {"x-csrf": "1", "sec-fetch-site": "same-origin", "sec-fetch-mode": "cors"}
"""Headers of a browser with a request of the gateway's own page."""

GOES = {"sec-fetch-mode": "navigate", "sec-fetch-dest": "document", "accept": "text/html"}
"""Headers of a browser that navigates to a page."""


class Wall:
    """The time of day, as the tests set it."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


class Accounts(Upstream):
    """A service that is called with the viewer's access token."""

    policy = Policy(credentials=Relay(), retry=None, coalesce=False)

    async def balance(self) -> int:
        return await self.get("/balance", int)


class Me(Composition):
    """A screen of the viewer and its balance."""

    viewer: Viewer
    accounts: Accounts

    @critical
    async def balance(self) -> int:
        return await self.accounts.balance()

    @optional(fallback=-1, timeout=0.1)
    async def glance(self) -> int:
        return await self.accounts.balance()


@dataclass
class Caller:
    """The caller as the gateway authenticated it."""

    subject: str


def views() -> Views:
    """Return views: for signed-in viewers, with an unsafe method, and for anyone."""
    views = Views(prefix="/v1")

    @views.get("/me")
    async def get_me(me: Annotated[Me, Depends(compose(Me))]) -> Caller:
        return Caller(me.viewer.subject)

    @views.get("/balance")
    async def get_balance(me: Annotated[Me, Depends(compose(Me))]) -> int:
        return await me.balance()

    @views.get("/glance")
    async def get_glance(me: Annotated[Me, Depends(compose(Me))]) -> int:
        return await me.glance()

    @views.post("/note")
    async def post_note(me: Annotated[Me, Depends(compose(Me))]) -> Caller:
        return Caller(me.viewer.subject)

    @views.get("/welcome", access=ANYONE)
    async def get_welcome(me: Annotated[Me, Depends(compose(Me))]) -> Caller:
        return Caller(me.viewer.subject)

    return views


@dataclass
class Browser:
    """A browser: it stores cookies by host and sends the headers that a page would send."""

    site: "Site"
    jar: dict[str, dict[str, str]] = field(default_factory=dict)
    answers: list[httpx.Response] = field(default_factory=list)

    async def go(self, url: str, method: str = "GET", **options: Any) -> httpx.Response:
        """Navigate to a URL, and follow redirects."""
        answer = await self.send(method, url, headers=GOES, **options)
        while answer.is_redirect:
            answer = await self.send("GET", str(answer.next_request.url), headers=GOES)
        return answer

    async def fetch(self, path: str, method: str = "GET", **options: Any) -> httpx.Response:
        """Send a request to the gateway as a page of its origin does."""
        headers = {**OURS, **options.pop("headers", {})}
        return await self.send(method, HERE + path, headers=headers, **options)

    async def sign_in(self, user: str = "1", return_url: str = "/v1/welcome") -> httpx.Response:
        """Sign in as a user at the provider's page."""
        page = await self.go(f"{HERE}/bff/login?returnUrl={return_url}")
        if page.url.host == urlsplit(HERE).hostname:  # the provider still knew us
            return page
        return await self.choose(page, user)

    async def choose(self, page: httpx.Response, user: str) -> httpx.Response:
        """Submit the form of the provider's page for a user."""
        hidden = dict(re.findall(r'type="hidden" name="([^"]*)" value="([^"]*)"', page.text))
        form = {unescape(name): unescape(value) for name, value in hidden.items()}
        return await self.go(f"{ISSUER}/authorize", "POST", data={**form, "user": user})

    async def send(self, method: str, url: str, **options: Any) -> httpx.Response:
        """Send one request with the cookies of its host, and store those of the answer."""
        host = urlsplit(url).hostname or ""
        jar = self.jar.setdefault(host, {})
        headers = dict(options.pop("headers", {}))
        if method != "GET" and "origin" not in headers:
            headers["origin"] = HERE if host == urlsplit(HERE).hostname else ISSUER
        if jar:
            headers["cookie"] = "; ".join(f"{name}={value}" for name, value in jar.items())
        client = self.site.clients[host]
        client.cookies.clear()  # this browser's are its own
        answer = await client.request(method, url, headers=headers, **options)
        self.answers.append(answer)
        for set_cookie in answer.headers.get_list("set-cookie"):
            pair, _, rest = set_cookie.partition(";")
            name, _, value = pair.partition("=")
            if "max-age=0" in rest.lower():
                jar.pop(name, None)
            else:
                jar[name] = value
        return answer

    @property
    def cookie(self) -> str | None:
        """The cookie of its session."""
        return self.jar.get(urlsplit(HERE).hostname or "", {}).get("__Host-bff")


@dataclass
class Site:
    """The gateway, the provider, the service behind, and the gateway's events."""

    app: Gateway
    auth: SessionAuthenticator
    provider: Scripted
    service: Scripted
    wall: Wall
    clients: dict[str, httpx.AsyncClient]
    events: list[AnyEvent]
    identity: Any
    answer: Any

    def browser(self) -> Browser:
        """Return a browser without a session."""
        return Browser(self)

    async def rotate_keys(self) -> None:
        """Have the provider sign with a new key."""
        await self.clients[urlsplit(ISSUER).hostname].post(
            "/__keys__", headers={"host": "localhost"}
        )

    def forms_sent(self, path: str) -> list[dict[str, str]]:
        """Return the forms that the provider was sent at a path."""
        calls = [call for call in self.provider.calls if call.target == path]
        return [dict(parse_qsl(call.body.decode())) for call in calls]


def asgi(app: Any) -> Callable[[Call], Any]:
    """Return a step that has an app answer a call."""
    client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=ISSUER)

    async def step(call: Call) -> Reply:
        headers = [(name.decode(), value.decode()) for name, value in call.headers]
        answer = await client.request(call.method, call.target, headers=headers, content=call.body)
        fields = tuple((name.lower(), value) for name, value in answer.headers.raw)
        return Reply(answer.status_code, fields, answer.content)

    return step


def with_claims(provider: Any, answer: Any, changed: dict[str, Any]) -> Callable[[Call], Any]:
    """Return a step that answers as the provider, with other claims in its ID tokens."""
    book = provider.state.store

    async def step(call: Call) -> Reply:
        given = await answer(call)
        if call.target != "/token" or given.status != 200:
            return given
        body = json.loads(given.body)
        claims = {**read(book, body["id_token"]), **changed}
        if isinstance(changed.get("auth_time"), int):
            claims["auth_time"] = int(book.wall()) + changed["auth_time"]
        claims = {name: value for name, value in claims.items() if value is not None}
        body["id_token"] = signed(book, "JWT", claims)
        return Reply(200, given.headers, json.dumps(body).encode())

    return step


def settings(**changed: Any) -> Settings:
    """Return the settings of a gateway in production."""
    return Settings(
        **{
            "env": "production",
            "gc_freeze": False,
            "allowed_hosts": ["shop.example"],
            "public_url": HERE,
            "session_keys": (KEY,),
            "upstreams": dict.fromkeys(("identity", "accounts"), ("http://10.0.0.1",)),
            **changed,
        }
    )


def sign_in_at(**changed: Any) -> OpenIDProvider:
    """Return how our gateway is known to the provider."""
    options = {"issuer": ISSUER, "client_id": "web", "client_secret": WEB_SECRET, **changed}
    return OpenIDProvider(**options)


@asynccontextmanager
async def open_site(
    *,
    overrides: dict[str, Any] | None = None,
    clock: Clock = monotonic,
    provider: Any = None,
    wall: Wall | None = None,
    changed: dict[str, Any] | None = None,
    steps: tuple[Any, ...] = (),
    front: Any = None,
    elsewhere: Scripted | None = None,
    claims: dict[str, Any] | None = None,
    more: Sequence[Any] = (),
    **options: Any,
) -> AsyncIterator[Site]:
    """Run a gateway over a provider; `overrides` are its settings, `options` those of its sessions.

    The provider answers after `steps`, and through `front` if that is given; what it has at other
    origins is `elsewhere`. Its ID tokens have other `claims` (None takes one away, an
    `auth_time` counts from now); the gateway has `more` faces.
    """
    wall = wall or Wall()
    provider = provider or identity.create_app(ISSUER, HERE, wall=wall)
    answer = front or asgi(provider)
    if claims is not None:
        answer = with_claims(provider, answer, claims)
    identity_script, service = Scripted(*steps, answer), Scripted()
    events: list[AnyEvent] = []
    scripts = {"identity": identity_script, "accounts": service}
    far = {} if elsewhere is None else dict.fromkeys(FAR, elsewhere)
    auth = SessionAuthenticator(sign_in_at(**(changed or {})), wall=wall, **options)
    app = gateway(
        "shop",
        services=[Accounts],
        faces=[views(), *more],
        settings=settings(**(overrides or {})),
        authenticator=auth,
        events=Events(events.append),
        transport=lambda _, runtime: ScriptedTransport(
            {"10.0.0.1": scripts[runtime.upstream]} if runtime.upstream in scripts else far
        ),
        clock=clock,
    )
    async with AsyncExitStack() as closing:
        await closing.enter_async_context(app.router.lifespan_context(app))
        clients = {
            urlsplit(url).hostname or "": await closing.enter_async_context(
                httpx.AsyncClient(
                    transport=httpx.ASGITransport(each, raise_app_exceptions=False), base_url=url
                )
            )
            for url, each in ((HERE, app), (ISSUER, provider))
        }
        yield Site(app, auth, identity_script, service, wall, clients, events, provider, answer)
