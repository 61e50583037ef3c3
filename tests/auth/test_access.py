"""Access rules on routes, GraphQL fields and types; routes require a sign-in by default."""

from contextlib import asynccontextmanager
from typing import Annotated

import httpx
import pytest
import strawberry
from fastapi import APIRouter, Depends, WebSocket
from starlette.responses import PlainTextResponse

from bff_core import (
    ANYONE,
    Composition,
    NotFound,
    Require,
    Scope,
    Settings,
    Viewer,
    Views,
    access,
    compose,
    critical,
    gateway,
    optional,
)
from bff_core.call import find_header
from bff_core.errors import ConfigurationError, NotAllowed
from bff_core.events import Events
from bff_core.graphql import GraphQL, Info

OWN = Require(when=lambda viewer, inputs: inputs["customer_id"] == viewer.subject)
HIDDEN = Require(when=lambda viewer, inputs: inputs["customer_id"] == viewer.subject, hides=True)


class Doorman:
    """Believes a header: subject, scopes, roles."""

    challenge = "Bearer"

    async def authenticate(self, scope: Scope) -> Viewer | None:
        """Return whom the header names."""
        sent = (find_header(scope.headers, b"x-viewer") or b"").decode()
        if not sent:
            return None
        subject, scopes, roles = [*sent.split(";"), "", ""][:3]
        return Viewer(subject, scopes=frozenset(scopes.split()), roles=frozenset(roles.split()))


class Customer(Composition):
    """A customer's page."""

    viewer: Viewer
    customer_id: str

    @critical
    async def name(self) -> str:
        return f"customer {self.customer_id}"

    @optional
    async def secret(self) -> str:
        raise NotAllowed("Not yours.")

    @optional
    async def hidden(self) -> str:
        raise NotFound("There is no such thing.")


Page = Annotated[Customer, Depends(compose(Customer))]


def made(**options) -> Views:  # noqa: C901 # one of each
    """Return views with all kinds of requirements."""
    views = Views(prefix="/v1", **options)

    @views.get("/plain")
    async def get_plain() -> str:
        return "plain"

    @views.get("/open", access=ANYONE)
    async def get_open() -> str:
        return "open"

    @views.get("/orders", access=Require("orders:read"))
    async def get_orders() -> str:
        return "orders"

    @views.post("/orders", access=Require("orders:write"))
    async def post_orders(wish: dict[str, str]) -> str:
        return "ordered"

    @views.get("/desk", access=Require(roles=("support", "admin")))
    async def get_desk() -> str:
        return "desk"

    @views.get("/customers/{customer_id}", access=OWN)
    async def get_customer(page: Page) -> str:
        return await page.name()

    @views.get("/hidden/{customer_id}", access=HIDDEN)
    async def get_hidden(page: Page) -> str:
        return await page.name()

    @views.put("/customers/{customer_id}", access=OWN)
    async def put_customer(page: Page, wish: dict[str, str]) -> str:
        return await page.name()

    @views.get("/parts/{customer_id}")
    async def get_parts(page: Page) -> list[str | None]:
        return [await page.secret(), await page.hidden()]

    @views.stream("/stream", access=Require("orders:read"))
    async def stream():
        yield "line"

    return views


router = APIRouter()


@router.get("/foreign")
async def get_foreign() -> str:
    """Be a plain route of FastAPI's."""
    return "foreign"


@router.get("/imprint")
@access(ANYONE)
async def get_imprint() -> str:
    """Serve a plain route that declares itself open."""
    return "imprint"


@router.websocket("/imprint")
async def talk(socket: WebSocket) -> None:
    """Serve a WebSocket at the same path, without an access rule."""
    await socket.accept()


@access(Require("orders:read"))
@strawberry.type
class Ledger:
    """A type with an access rule."""

    @strawberry.field
    def balance(self) -> int | None:
        return 7


@access(ANYONE)
def get_motto() -> str:
    """Return what anyone may know."""
    return "cheap"


@access(OWN)
async def get_customer(info: Info, customer_id: str) -> str:
    """Return a customer's name."""
    return await info.context.compose(Customer, customer_id=customer_id).name()


def get_ledger() -> Ledger:
    """Return the ledger."""
    return Ledger()


@strawberry.type
class Query:
    """The queries of the schema."""

    motto: str | None = strawberry.field(resolver=get_motto)
    customer: str | None = strawberry.field(resolver=get_customer)
    ledger: Ledger | None = strawberry.field(resolver=get_ledger)


def app(faces=None, authenticator=True, **options):
    """Return a gateway with routes of all kinds."""
    found = gateway(
        "shop",
        faces=faces or [made(**options), GraphQL(strawberry.Schema(Query))],
        settings=Settings(env="production", gc_freeze=False, allowed_hosts=["testserver"]),
        authenticator=Doorman() if authenticator else None,
        events=Events(),
    )
    found.include_router(router)
    found.mount("/files", PlainTextResponse("file"))
    return found


@asynccontextmanager
async def client_of(found):
    """Run it, with a client in front."""
    transport = httpx.ASGITransport(found, raise_app_exceptions=False)
    async with (
        found.router.lifespan_context(found),
        httpx.AsyncClient(transport=transport, base_url="http://testserver") as client,
    ):
        yield client


ANN = {"x-viewer": "ann;orders:read"}
BOB = {"x-viewer": "bob;orders:write;support"}


@pytest.mark.mostly_slow
@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/v1/open", [200, 200, 200]),
        ("GET", "/v1/plain", [401, 200, 200]),
        ("GET", "/v1/orders", [401, 200, 403]),
        ("POST", "/v1/orders", [401, 403, 200]),
        ("GET", "/v1/desk", [401, 403, 200]),
        ("GET", "/v1/customers/ann", [401, 200, 403]),
        ("PUT", "/v1/customers/ann", [401, 200, 403]),
        ("GET", "/v1/hidden/ann", [401, 200, 404]),
        ("GET", "/v1/stream", [401, 200, 403]),
        ("GET", "/foreign", [401, 200, 200]),
        ("GET", "/imprint", [200, 200, 200]),
        ("HEAD", "/foreign", [401, 200, 200]),
        ("GET", "/files/x", [401, 200, 200]),
        ("GET", "/openapi.json", [200, 200, 200]),
        ("GET", "/nowhere", [404, 404, 404]),
    ],
)
@pytest.mark.parametrize("served_by", ["fast path", "FastAPI"])
async def test_who_may_use_a_route(served_by, method, path, expected):
    """An anonymous caller gets 401, a viewer without the right 403, on fast and slow path."""
    found = app()
    if served_by != "fast path":
        found.dependency_overrides[object] = object
    async with client_of(found) as client:
        body = {"json": {"a": "b"}} if method in {"POST", "PUT"} else {}
        statuses = [
            (await client.request(method, path, headers=headers, **body)).status_code
            for headers in ({}, ANN, BOB)
        ]

    assert statuses == expected


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "application/xml", ""])
@pytest.mark.parametrize(("headers", "status"), [({}, 401), ({"x-viewer": "ann"}, 403)])
async def test_a_body_is_not_validated_before_the_caller_is_authorized(kind, headers, status):
    """An anonymous caller does not learn which bodies are valid."""
    sent = headers | ({"content-type": kind} if kind else {})
    async with client_of(app()) as client:
        answer = await client.post("/v1/orders", content=b"nonsense", headers=sent)

    assert answer.status_code == status


async def test_views_may_declare_a_rule_for_all_their_routes():
    """Each route may declare another rule."""
    async with client_of(app(access=ANYONE)) as client:
        statuses = [(await client.get(path)).status_code for path in ("/v1/plain", "/v1/orders")]

    assert statuses == [200, 401]


async def test_without_an_authenticator_routes_are_open_by_default():
    """A declared rule that requires a sign-in still applies, also on a plain route."""
    found = app(authenticator=False)

    @found.get("/closed")
    @access(Require("orders:read"))
    async def get_closed() -> str:
        return "closed"

    async with client_of(found) as client:
        paths = ("/v1/plain", "/foreign", "/v1/orders", "/closed")
        statuses = [(await client.get(path)).status_code for path in paths]

    assert statuses == [200, 200, 401, 401]


async def ask(client, query, headers=None):
    """Send a query."""
    body = (await client.post("/graphql", json={"query": query}, headers=headers)).json()
    codes = [error["extensions"]["code"] for error in body.get("errors", ())]
    return body["data"], codes


async def test_who_may_request_a_field():
    """The rule of the resolver or of the type applies; without one a field needs a sign-in."""
    query = '{ motto customer(customerId: "ann") ledger { balance } }'
    async with client_of(app()) as client:
        anonymous, missing = await ask(client, query)
        ann, fine = await ask(client, query, ANN)
        bob, refused = await ask(client, query, BOB)

    assert anonymous == {"motto": "cheap", "customer": None, "ledger": None}
    assert missing == ["not_authenticated", "not_authenticated"]
    assert ann == {"motto": "cheap", "customer": "customer ann", "ledger": {"balance": 7}}
    assert fine == []
    assert bob == {"motto": "cheap", "customer": None, "ledger": {"balance": None}}
    assert refused == ["not_allowed", "not_allowed"]


async def test_a_hidden_part_looks_missing():
    """A forbidden part is reported as forbidden; a hidden one as not found."""
    async with client_of(app()) as client:
        answer = await client.get("/v1/parts/ann", headers=ANN)

    assert answer.json() == [None, None]
    assert "secret=forbidden" in answer.headers["part-status"]
    assert "hidden=missing;reason=not_found" in answer.headers["part-status"]


def test_the_access_rules_of_an_app_are_listed():
    """`app.access` lists routes first, then fields."""
    routes = app().access
    rules = {one.path: str(one.access) for one in reversed(routes)}

    assert rules["/v1/plain"] == rules["/foreign"] == rules["/files"] == "signed in"
    assert rules["/v1/open"] == rules["/imprint"] == "anyone"
    assert rules["/v1/orders"] == "signed in, with orders:read"
    assert rules["/v1/desk"] == "signed in, with one of support, admin"
    assert rules["/v1/customers/{customer_id}"] == "signed in, with its inputs"
    assert rules["/graphql Query.motto"] == "anyone"
    assert rules["/graphql Query.ledger"] == "signed in"
    assert rules["/graphql Ledger.balance"] == "signed in, with orders:read"


@pytest.mark.parametrize(
    "make",
    [
        lambda: Require(""),
        lambda: Require("orders:read orders:write"),
        lambda: Require("orders:read\n"),
        lambda: Require(["a"]),
        lambda: Require(roles="admin"),
        lambda: Require(hides=True),
        lambda: access("anyone"),
    ],
)
def test_wrong_rules_are_refused(make):
    """The error is raised when the rule is written."""
    with pytest.raises(ConfigurationError):
        make()


async def never(viewer: Viewer, inputs: object) -> bool:
    """Refuse, if it was ever awaited."""
    return False


@pytest.mark.parametrize("when", [never, True, "yes", 7])
def test_a_rule_that_can_not_decide_is_refused(when: object) -> None:
    """A coroutine is true, and would admit every viewer."""
    with pytest.raises(ConfigurationError, match="plain function"):
        Require(when=when)


@pytest.mark.parametrize("decision", ["no", 1, None, [], never])
def test_a_decision_that_is_no_bool_admits_no_viewer(decision: object) -> None:
    """Whatever it looks like."""
    rule = Require(when=lambda viewer, inputs: decision)

    with pytest.raises(TypeError, match="not a bool"):
        rule.admit_to(Viewer("7"), {})
