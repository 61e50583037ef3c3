"""Applications mounted in a gateway: rules of their routes, `SignedIn`, and our errors."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Annotated

import httpx
import pytest
from fastapi import APIRouter, Depends, FastAPI
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Host

from bff_core import (
    ANYONE,
    Composition,
    ConfigurationError,
    Gateway,
    Policy,
    Require,
    Settings,
    SignedIn,
    Upstream,
    access,
    compose,
    critical,
    gateway,
)
from bff_core.errors import BFFError, NotFound
from bff_core.events import Events
from bff_core.testing.scripted import Scripted, ScriptedTransport, reply

ADA = {"Authorization": "Bearer demo-ada"}


class Names(Upstream):
    """A service."""

    policy = Policy()

    async def word(self) -> str:
        return await self.get("/name", str)


class Home(Composition):
    """A customer's screen."""

    names: Names
    customer: SignedIn
    first: int = 3

    @critical
    async def greeting(self) -> str:
        return f"{await self.names.word()} {self.customer.subject}"


async def greeting(home: Annotated[Home, Depends(compose(Home))]) -> str:
    """Depend on a customer's screen."""
    return await home.greeting()


def mounted() -> FastAPI:
    """Return an application of FastAPI with routes that anyone may use, and a closed one."""
    app = FastAPI()

    @app.get("/home")
    @access(ANYONE)
    async def home(home: Annotated[Home, Depends(compose(Home))]) -> str:
        return await home.greeting()

    @app.get("/inner")
    @access(ANYONE)
    async def inner(text: Annotated[str, Depends(greeting)]) -> str:
        return text

    @app.get("/audit")
    @access(Require("audit"))
    async def audit() -> str:
        return "secret"

    @app.get("/missing")
    async def missing() -> str:
        raise NotFound("There is no such thing.")

    @app.get("/open")
    async def anyone() -> str:
        return "open"

    return app


def in_router(app: Gateway, below: FastAPI) -> None:
    """Mount an application in a router."""
    router = APIRouter()
    router.mount("/below", access(ANYONE)(below))
    app.include_router(router)


def two_deep(app: Gateway, below: FastAPI) -> None:
    """Mount an application in another one."""
    outer = FastAPI()
    outer.mount("/low", below)
    app.mount("/be", access(ANYONE)(outer))


MOUNTS: dict[str, tuple[str, Callable[[Gateway, FastAPI], object]]] = {
    "in the gateway": ("/below", lambda app, sub: app.mount("/below", access(ANYONE)(sub))),
    "at the root": ("", lambda app, sub: app.mount("", access(ANYONE)(sub))),
    "with a parameter": ("/7/x", lambda app, sub: app.mount("/{id}/x", access(ANYONE)(sub))),
    "in a router": ("/below", in_router),
    "two deep": ("/be/low", two_deep),
    "by host": (
        "",
        lambda app, sub: app.router.routes.insert(0, Host("testserver", access(ANYONE)(sub))),
    ),
}
"""Where the mounted routes are, and how they are mounted."""


@asynccontextmanager
async def running(
    add: Callable[[Gateway], object], *, auth: str = "demo", is_late: bool = False
) -> AsyncIterator[tuple[Gateway, httpx.AsyncClient, Scripted]]:
    """Run a gateway to which an application is added before or after the start."""
    script = Scripted(reply(200, "Hello"))
    app = gateway(
        "shop",
        services=[Names],
        settings=Settings(
            env="development",
            auth=auth,
            gc_freeze=False,
            upstreams={"names": ("http://127.0.0.1:1",)},
        ),
        events=Events(),
        transport=lambda *_: ScriptedTransport({"127.0.0.1": script}),
    )
    if not is_late:
        add(app)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://testserver") as client,
    ):
        if is_late:
            add(app)
        yield app, client, script


@pytest.mark.parametrize("auth", ["demo", "none"])
@pytest.mark.parametrize("way", MOUNTS)
async def test_anonymous_caller_of_a_mounted_app_is_refused_before_any_call(way, auth):
    """A route that takes a `SignedIn` answers 401, and before inputs are read."""
    prefix, add = MOUNTS[way]
    async with running(lambda app: add(app, mounted()), auth=auth) as (_, client, script):
        paths = ["/home", "/inner", "/home?first=none"]
        answers = [await client.get(prefix + path) for path in paths]

    assert [(one.status_code, one.json()["code"]) for one in answers] == [
        (401, "not_authenticated")
    ] * 3
    assert script.calls == []


@pytest.mark.parametrize("is_late", [False, True])
@pytest.mark.parametrize("way", [one for one in MOUNTS if one != "at the root"])
async def test_rules_of_mounted_routes_hold(way, is_late):
    """A rule that a mounted route declares is checked, also if the mount is added late."""
    prefix, add = MOUNTS[way]
    async with running(lambda app: add(app, mounted()), is_late=is_late) as (_, client, _):
        anonymous = [await client.get(prefix + path) for path in ("/audit", "/open")]
        ada = [await client.get(prefix + path, headers=ADA) for path in ("/home", "/audit")]

    assert [one.status_code for one in anonymous] == [401, 200]
    assert [(one.status_code, one.json()) for one in ada[:1]] == [(200, "Hello ada")]
    assert (ada[1].status_code, ada[1].json()["code"]) == (403, "not_allowed")


async def test_rule_of_the_mount_stays():
    """A mounted route that anyone may use opens no mount that requires a viewer."""
    app = FastAPI()
    app.get("/open")(access(ANYONE)(lambda: "open"))
    async with running(lambda made: made.mount("/below", app)) as (_, client, _):
        answers = [await client.get("/below/open"), await client.get("/below/open", headers=ADA)]

    assert [one.status_code for one in answers] == [401, 200]


async def test_late_route_of_a_mounted_app_has_its_rule():
    """A route that is added to a mounted application while the gateway runs is checked."""
    sub = FastAPI()
    async with running(lambda app: app.mount("/below", access(ANYONE)(sub))) as (_, client, _):
        assert (await client.get("/below/late")).status_code == 404
        sub.get("/late")(access(Require("audit"))(lambda: "secret"))
        answer = await client.get("/below/late")

    assert answer.status_code == 401


async def test_rules_of_mounted_routes_are_listed():
    """`app.access` lists what mounted routes require beyond their mount."""
    async with running(lambda app: two_deep(app, mounted())) as (app, _, _):
        rules = [str(one) for one in app.access if one.path.startswith("/be")]

    assert rules == [
        "* /be: anyone",
        "GET /be/low/home: signed in",
        "GET /be/low/inner: signed in",
        "GET /be/low/audit: signed in, with audit",
    ]


def test_rule_on_inputs_of_a_mounted_route_is_refused_at_the_start():
    """`Require(when=…)` on a plain route has no inputs to decide by, also below a mount."""
    sub = FastAPI()
    sub.get("/x")(access(Require(when=lambda *_: True))(lambda: "x"))
    app = gateway("shop", settings=Settings(env="development"))
    app.mount("/below", sub)
    with pytest.raises(ConfigurationError, match=r"/x: Require\(when=…\) decides by inputs"):
        app.build_middleware_stack()


async def test_gateway_below_a_mount_checks_its_own_rules():
    """The outer gateway checks no rule of the inner one, which has viewers of its own."""

    def add(app: Gateway) -> None:
        inner = gateway("inner", settings=app.settings, events=Events())
        inner.get("/x")(access(Require("audit"))(lambda: "x"))
        app.mount("/inner", access(ANYONE)(inner))

    async with running(add) as (app, client, _):
        assert "* /inner: anyone" in map(str, app.access)
        assert not any("audit" in str(one) for one in app.access)
        assert (await client.get("/inner/x")).status_code == 401  # by the inner one


async def test_mounted_apps_answer_our_errors():
    """What a screen raises has its status and problem details below a mount as well."""
    async with running(lambda app: two_deep(app, mounted())) as (_, client, _):
        answer = await client.get("/be/low/missing")

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("kind", [BFFError, Exception, 500])
async def test_handler_of_a_mounted_app_stays(kind):
    """An application that answers errors itself goes on to do so."""

    async def handle(_request: Request, error: Exception) -> JSONResponse:
        return JSONResponse(type(error).__name__, 418)

    sub = mounted()
    sub.add_exception_handler(kind, handle)
    async with running(lambda app: app.mount("/below", access(ANYONE)(sub))) as (_, client, _):
        answer = await client.get("/below/missing")

    assert (answer.status_code, answer.json()) == (418, "NotFound")
