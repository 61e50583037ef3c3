"""The screen that the page of faults watches, over a gateway whose service fails."""

import asyncio
import contextlib
import json
from contextlib import asynccontextmanager
from functools import partial

import pytest

from bff_core import (
    ANYONE,
    Composition,
    Require,
    Settings,
    Upstream,
    Viewer,
    Views,
    gateway,
    optional,
)
from bff_core.console.faults.watched_screen import WatchedScreen, shared_screen
from bff_core.console.model import ScreenName
from bff_core.console.process_commands import process_commands
from bff_core.console.sources import GatewaySource
from bff_core.testing import running


class Reviews(Upstream):
    """A service."""

    async def top(self) -> list[str]:
        return await self.get("/top", list[str])


class Home(Composition):
    """A screen with a part that may be missing."""

    reviews: Reviews

    @optional
    async def top(self) -> list[str]:
        return await self.reviews.top()


class Service:
    """A service on a socket, which answers with a status."""

    def __init__(self) -> None:
        self.status, self.calls, self.port, self.delay = 200, 0, 0, 0.0
        self.gone = asyncio.Event()

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request."""
        await reader.readuntil(b"\r\n\r\n")
        self.calls += 1
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.gone.wait(), self.delay)
        body = json.dumps(["good"]).encode()
        head = f"HTTP/1.1 {self.status} X\r\ncontent-type: application/json\r\n"
        writer.write(f"{head}connection: close\r\ncontent-length: {len(body)}\r\n\r\n".encode())
        writer.write(body)
        await writer.drain()
        writer.close()

    @asynccontextmanager
    async def served(self):
        """Serve on a free port."""
        async with await asyncio.start_server(self.answer, "127.0.0.1", 0) as server:
            self.port = server.sockets[0].getsockname()[1]
            yield self


class NoSignIn:
    """An authenticator that needs what a console does not have."""

    challenge = "Bearer"

    async def authenticate(self, scope, /) -> None:
        """Return no viewer."""


def made(port: int, *, access=ANYONE, **options):
    """Return a gateway of one screen."""
    views = Views(access=access)

    @views.get("/home")
    async def get_home(home: Home) -> list[str] | None:
        return await home.top()

    settings = Settings(
        env="development", log="off", upstreams={"reviews": f"http://127.0.0.1:{port}"}
    )
    return gateway("mobile", settings=settings, faces=[views], **options)


@pytest.fixture
def opened(pages):
    """Watch a screen of a gateway and its service; its clock is set by the test."""

    @asynccontextmanager
    async def open_probe(**options):
        async with Service().served() as service:
            app = made(service.port, **options)
            async with running(app):
                source = GatewaySource(name="mobile", commands=process_commands(app))
                now = [0.0]
                console = pages.console([source])
                yield WatchedScreen(console, clock=lambda: now[0]), service, now

    return open_probe


async def test_the_screen_is_shown_as_clients_get_it_now(opened):
    """A service that fails changes it with the next look, and is not called without one."""
    async with opened() as (watched, service, now):
        await watched.refresh()
        before = watched.clients[0]
        service.status = 500
        await watched.refresh()
        soon, calls = watched.clients[0], service.calls
        now[0] += 1.0
        watched.clients = []
        await watched.refresh()
        after = watched.clients[0]

    assert (watched.screen, watched.critical, watched.optional) == ("Home", [], ["reviews"])
    assert before.part_status == "top=ok"
    assert after.part_status.startswith("top=missing;reason=")
    assert after.parts[0].reason
    assert (before.complete_size, after.complete_size) == (before.size, before.size)
    assert (before.route, before.status, before.state) == ("GET /home", 200, "complete")
    assert (soon, calls) == (before, 1)
    assert (after.state, [one.state for one in after.parts]) == ("degraded", ["missing"])


async def test_a_p95_is_that_of_the_last_10_seconds(opened):
    """The page's own looks count, so that it is known without other requests; old ones drop out."""
    async with opened() as (watched, service, now):
        await watched.refresh()
        first = watched.clients[0]
        watched.clients, now[0], service.delay = [], 4.0, 0.1
        await watched.refresh()
        slow, service.delay = watched.clients[0].p95, 0.0
        watched.clients, now[0] = [], 14.5
        await watched.refresh()
        later = watched.clients[0].p95

    assert first.p95 == first.took
    assert slow >= 0.1 > later


async def test_a_screen_is_shown_whatever_the_gateways_sign_in_is(opened):
    """In development a viewer of `demo` is signed in, with the scopes of this user."""
    options = {"access": Require("home:read"), "authenticator": NoSignIn()}
    demo = partial(Viewer, scopes=frozenset({"home:read"}))
    async with opened(**options, demo=demo) as (watched, _, _now):
        await watched.refresh()
        shown = watched.clients[0]
    async with opened(**options) as (watched, _, _now):
        await watched.refresh()
        refused = watched.clients[0]

    assert (shown.status, shown.state) == (200, "complete")
    assert refused.status == 403


async def test_a_probe_ends_with_its_console(opened):
    """A service that hangs holds up neither page nor console."""
    async with opened() as (watched, service, _now):
        service.delay = 60
        await watched.refresh()
        shown, before = watched.clients, watched.is_running
        await watched.console.aclose()
        service.gone.set()

    assert (shown, before, watched.is_running) == ([], True, False)


def test_the_home_screen_is_watched():
    """Of screens that are shared alike; else the one that most gateways have."""

    def name(screen: str, *gateways: str) -> ScreenName:
        return ScreenName(screen=screen, views=[(one, "GET /") for one in gateways])

    cart, home = name("Cart", "web", "mobile"), name("Home", "web", "mobile")

    assert shared_screen([cart, home, name("Zoo", "web", "web", "web")]) == "Home"
    assert shared_screen([cart, name("Home", "web")]) == "Cart"
    assert shared_screen([]) == ""


async def test_without_gateways_there_is_no_screen(pages):
    """The page says so, and does not wait."""
    watched = WatchedScreen(pages.console())
    await watched.refresh()

    assert (watched.screen, watched.clients) == ("", [])
