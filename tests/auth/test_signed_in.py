"""`SignedIn`: viewers of screens and views that are never anonymous."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated, Any

import httpx
import pytest
import strawberry
from fastapi import Depends, Query
from openapi_spec_validator import validate

from bff_core import (
    ANYONE,
    Composition,
    Gateway,
    Locale,
    Policy,
    Require,
    Saga,
    Settings,
    SignedIn,
    Upstream,
    Viewer,
    Views,
    access,
    compose,
    critical,
    gateway,
    step,
)
from bff_core.errors import NotAuthenticated
from bff_core.events import Events
from bff_core.graphql import GraphQL, Info
from bff_core.policy.upstream.cache import Cache
from bff_core.scope import Scope
from bff_core.testing.scripted import Scripted, ScriptedTransport, reply

ADA = {"Authorization": "Bearer demo-ada"}
BOB = {"Authorization": "Bearer demo-bob"}


class Names(Upstream):
    """A service; its replies are the same for everybody."""

    policy = Policy(public=True, cache=Cache(ttl=60))

    async def word(self) -> str:
        return await self.get("/name", str)


class Home(Composition):
    """A customer's screen."""

    names: Names
    customer: SignedIn
    first: Annotated[int, Query(ge=1)] = 3

    @critical
    async def greeting(self) -> str:
        return f"{await self.names.word()} {self.customer.subject}"


class Buy(Saga):
    """A customer's saga."""

    names: Names
    customer: SignedIn

    @step
    async def pay(self) -> str:
        return f"{await self.names.word()} {self.customer.subject}"


class French(Locale, offers=("en", "fr")):
    """A value that is made of the request as well."""


views = Views(access=ANYONE)


@views.get("/home", public=True)
async def get_home(home: Home) -> str:
    """Show a customer's screen."""
    return await home.greeting()


@views.post("/buy")
async def post_buy(buy: Buy) -> str:
    """Run a customer's saga."""
    await buy.run()
    return await buy.pay()


@views.get("/name")
async def get_name(customer: SignedIn, locale: French) -> dict[str, str]:
    """Take the viewer itself."""
    return {"name": customer.subject, "locale": locale.code}


@views.put("/name")
async def put_name(customer: SignedIn, wanted: dict[str, str]) -> dict[str, str]:
    """Take the viewer beside a body."""
    return {"name": customer.subject, **wanted}


@views.get("/viewer")
async def get_viewer(viewer: Viewer) -> dict[str, str]:
    """Take a viewer, who may be anonymous."""
    return {"name": viewer.subject}


@views.post("/viewer")
async def post_viewer(viewer: Viewer) -> dict[str, str]:
    """Take a viewer in a write, whose body can't be one."""
    return {"name": viewer.subject}


@views.stream("/lines")
async def stream_lines(home: Home) -> AsyncIterator[str]:
    """Stream a customer's screen."""
    yield await home.greeting()


@access(ANYONE)
async def plain(home: Annotated[Home, Depends(compose(Home))]) -> str:
    """Show a customer's screen on a plain route."""
    return await home.greeting()


@strawberry.type
class Root:
    """A schema whose fields take customers, and everybody."""

    @strawberry.field
    @access(ANYONE)
    async def greeting(self, info: Info) -> str | None:
        return await info.context.compose(Home).greeting()

    @strawberry.field
    @access(ANYONE)
    async def other(self) -> str:
        return "there"


@asynccontextmanager
async def open_gateway(way: str = "") -> AsyncIterator[tuple[Gateway, httpx.AsyncClient, Scripted]]:
    script = Scripted(reply(200, "Hello", headers={"cache-control": "max-age=60"}))
    app = gateway(
        "shop",
        services=[Names],
        sagas=[Buy],
        faces=[views, GraphQL(strawberry.Schema(Root))],
        settings=Settings(
            env="development",
            auth="demo",
            gc_freeze=False,
            journal_url="sqlite://",
            upstreams={"names": ("http://127.0.0.1:1",)},
        ),
        events=Events(),
        transport=lambda *_: ScriptedTransport({"127.0.0.1": script}),
    )
    app.get("/plain")(plain)
    if way == "the slow path":
        app.add_middleware(lambda app: app)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://testserver") as client,
    ):
        yield app, client, script


BOTH_WAYS = pytest.mark.parametrize("way", ["the fast path", "the slow path"])


@BOTH_WAYS
@pytest.mark.parametrize(
    ("method", "path", "options"),
    [
        ("GET", "/home", {}),
        ("GET", "/home?first=none", {}),
        ("GET", "/lines", {}),
        ("GET", "/plain", {}),
        ("GET", "/plain?first=none", {}),
        ("GET", "/name", {}),
        ("POST", "/buy", {}),
        ("PUT", "/name", {"json": {}}),
        ("PUT", "/name", {"content": b"{", "headers": {"content-type": "application/json"}}),
    ],
)
async def test_anonymous_caller_is_refused_before_any_call(way, method, path, options):
    """A 401 comes before inputs are read and services are called, also where ANYONE is admitted."""
    async with open_gateway(way) as (_, client, script):
        answer = await client.request(method, path, **options)

    assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")
    assert script.calls == []


@BOTH_WAYS
@pytest.mark.parametrize(
    ("method", "path", "options", "expected"),
    [
        ("GET", "/home", {}, "Hello ada"),
        ("GET", "/lines", {}, "Hello ada"),
        ("GET", "/plain", {}, "Hello ada"),
        ("GET", "/name", {}, {"name": "ada", "locale": "en"}),
        ("POST", "/buy", {}, "Hello ada"),
        ("PUT", "/name", {"json": {"a": "b"}}, {"name": "ada", "a": "b"}),
        ("GET", "/viewer", {}, {"name": "ada"}),
        ("POST", "/viewer", {"json": {"subject": "eve"}}, {"name": "ada"}),
    ],
)
async def test_signed_in_caller_is_the_customer(way, method, path, options, expected):
    """The value is the viewer of the request, and never one that a client sends."""
    async with open_gateway(way) as (_, client, _):
        answer = await client.request(method, path, headers=ADA, **options)

    assert (answer.status_code, answer.json()) == (200, expected)


@BOTH_WAYS
async def test_viewer_of_a_view_may_be_anonymous(way):
    """`viewer: Viewer` admits everybody, as in a screen."""
    async with open_gateway(way) as (_, client, _):
        answers = [await client.get("/viewer"), await client.post("/viewer", json={"subject": "e"})]

    assert [(one.status_code, one.json()) for one in answers] == [(200, {"name": ""})] * 2


async def test_cached_answer_is_the_customers():
    """No viewer gets the answer of another, also where the view declares its answers public."""
    async with open_gateway() as (_, client, script):
        answers = [await client.get("/home", headers=who) for who in (ADA, BOB, ADA)]
        names = [await client.get("/name", headers=who) for who in (ADA, BOB, ADA)]
        anonymous = await client.get("/home")

    assert [one.json() for one in answers] == ["Hello ada", "Hello bob", "Hello ada"]
    assert "hit" in answers[2].headers["cache-status"]
    assert [one.json()["name"] for one in names] == ["ada", "bob", "ada"]
    assert anonymous.status_code == 401
    assert len(script.calls) == 1


async def test_graphql_field_of_an_anonymous_caller_is_an_error():
    """The field is null and has an error with the usual code; other fields are answered."""
    async with open_gateway() as (_, client, script):
        answer = await client.post("/graphql", json={"query": "{ greeting other }"})
        signed_in = await client.post("/graphql", json={"query": "{ greeting }"}, headers=ADA)

    body = answer.json()
    assert body["data"] == {"greeting": None, "other": "there"}
    assert [(one["path"], one["extensions"]["code"]) for one in body["errors"]] == [
        (["greeting"], "not_authenticated")
    ]
    assert signed_in.json()["data"] == {"greeting": "Hello ada"}
    assert len(script.calls) == 1


async def test_access_of_such_views_is_listed():
    """`app.access` and OpenAPI have the rule that holds, not ANYONE."""
    async with open_gateway() as (app, _, _):
        rules = {(min(one.methods), one.path): str(one.access) for one in app.access if one.methods}
        document = app.openapi()

    assert rules["GET", "/home"] == rules["POST", "/buy"] == rules["GET", "/name"] == "signed in"
    assert rules["GET", "/lines"] == rules["GET", "/plain"] == "signed in"
    assert rules["GET", "/viewer"] != "signed in"
    validate(document)
    operation = document["paths"]["/name"]["put"]
    assert "SignedIn" not in str(document["components"].get("schemas", {}).keys())
    assert operation["requestBody"]["required"]
    assert "requestBody" not in document["paths"]["/viewer"]["post"]


def test_rule_with_scopes_stays():
    """A view that requires scopes goes on to require them."""
    found = Views()

    @found.get("/x", access=Require("orders:read"))
    async def x(customer: SignedIn) -> str:
        return customer.subject

    assert str(found.router.routes[0].endpoint.__access__) == "signed in, with orders:read"


@dataclass(frozen=True)
class Customer(SignedIn):
    """A customer of the author's, with a right of its own."""

    plan: str = "basic"


@dataclass(frozen=True)
class Member(Viewer):
    """A viewer of the author's, who may be anonymous."""

    plan: str = ""


def scope_of(viewer: object) -> Scope:
    return Scope(deadline=1.0, viewer=viewer)


def test_value_is_the_viewer_of_the_request():
    """Methods, rights and cache keys are those of the author's class."""
    member = Member("7", plan="gold")

    assert SignedIn.from_scope(scope_of(member)) is member
    assert Customer.from_scope(scope_of(Customer("7"))).plan == "basic"


@pytest.mark.parametrize(
    ("kind", "viewer"),
    [
        (SignedIn, None),
        (SignedIn, Viewer("")),
        (SignedIn, Member("")),
        (Customer, Viewer("7")),
        (Customer, Viewer("")),
    ],
)
def test_no_viewer_and_another_class_of_viewer_are_refused(kind, viewer):
    """A class of the author's takes viewers that its authenticator made."""
    with pytest.raises(NotAuthenticated):
        kind.from_scope(scope_of(viewer))


def test_signed_in_viewer_without_subject_can_not_be_made():
    """A test that forgets the subject hears of it."""
    with pytest.raises(ValueError, match="SignedIn needs a subject"):
        SignedIn("")


@pytest.mark.parametrize("given", [{}, {"tenant": "a"}, {"scopes": frozenset({"read"})}])
def test_signed_in_viewer_has_the_keys_of_a_viewer(given: Mapping[str, Any]):
    """A test that makes one gets the cache keys of the same viewer."""
    one, other = SignedIn("7", **given), Viewer("7", **given)

    assert (one.audience, one.identity, one.rights) == (
        other.audience,
        other.identity,
        other.rights,
    )
