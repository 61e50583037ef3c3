"""Access rules come before any answer about an `Idempotency-Key`."""

import asyncio
from contextlib import asynccontextmanager
from typing import Annotated

import pytest
import strawberry
from fastapi import APIRouter, Depends
from starlette.responses import PlainTextResponse

from bff_core import (
    Composition,
    ConfigurationError,
    Require,
    Settings,
    Viewer,
    Views,
    access,
    compose,
    gateway,
)
from bff_core.errors import Overloaded
from bff_core.events import Events
from bff_core.graphql import GraphQL
from bff_core.scope import Scope
from tests.auth.test_access import Doorman, client_of

KEY = "8e03978e-40d5-43dd-bc93-6894a57f9324"
WRITE = Require("orders:write")


class Order(Composition):
    """An order of a customer."""

    viewer: Viewer
    customer: str


class Book:
    """What was done, by which derived keys; who is blocked; and how the next one ends."""

    def __init__(self) -> None:
        self.done = 0
        self.keys: list[str] = []
        self.blocked: set[str] = set()
        self.failing = False
        self.begun = asyncio.Event()
        self.gate: asyncio.Event | None = None

    async def add(self, scope: Scope | None = None) -> int:
        """Do it, and return how often it was done."""
        self.done += 1
        self.begun.set()
        if scope is not None:
            self.keys.append(scope.idempotency_key)
        if self.gate is not None:
            await self.gate.wait()
        if self.failing:
            raise Overloaded("later")
        return self.done

    def allows(self, viewer: Viewer, _) -> bool:
        """Return whether a customer is not blocked: a rule that changes between equal requests."""
        return viewer.subject not in self.blocked


@strawberry.type
class Placed:
    """A placed order; its margin is for few."""

    number: int

    @strawberry.field
    @access(Require("margins:read"))
    def margin(self) -> int | None:
        return 30


@strawberry.type
class Query:
    """The queries of the schema."""

    motto: str = "cheap"


def faces(book: Book):
    """Return routes of all kinds that accept a key."""
    views, router = Views(prefix="/v1"), APIRouter()
    open_to_some = Require("orders:write", when=book.allows)
    hidden = Require("orders:write", when=book.allows, hides=True)

    @views.post("/fast", access=WRITE)
    async def post_fast() -> int:
        return await book.add()

    @views.post("/slow", access=WRITE)
    async def post_slow(wish: dict[str, str]) -> int:
        return await book.add()

    @views.post("/bulk", access=WRITE, status=207)
    async def post_bulk(wishes: list[str]) -> int:
        return await book.add()

    @views.post("/required", access=WRITE, idempotency="required")
    async def post_required(wish: dict[str, str]) -> int:
        return await book.add()

    @views.put("/when/{customer}", access=open_to_some)
    async def put_when(order: Annotated[Order, Depends(compose(Order))]) -> int:
        return await book.add()

    @views.post("/when", access=open_to_some)
    async def post_when(wish: dict[str, str]) -> int:
        return await book.add()

    @views.post("/hidden", access=hidden)
    async def post_hidden(wish: dict[str, str]) -> int:
        return await book.add()

    @router.post("/plain")
    @access(WRITE)
    async def post_plain(wish: dict[str, str]) -> int:
        return await book.add()

    @access(open_to_some)
    async def place(info: strawberry.Info, customer: str = "ann") -> Placed:
        return Placed(number=await book.add(info.context.scope))

    @strawberry.type
    class Orders:
        order: Placed | None = strawberry.field(resolver=place)

    @strawberry.type
    class Mutation:
        order: Placed | None = strawberry.field(resolver=place)
        orders: Orders | None = strawberry.field(resolver=Orders)

    schema = strawberry.Schema(Query, Mutation)
    return views, router, GraphQL(schema)


@asynccontextmanager
async def opened(authenticator=None, **options):
    """Run a gateway, with a client in front of it."""
    book = Book()
    views, router, graphql = faces(book)
    app = gateway(
        "shop",
        faces=[views, graphql],
        settings=Settings(env="production", gc_freeze=False, allowed_hosts=["testserver"]),
        authenticator=authenticator or Doorman(),
        events=Events(),
        **options,
    )
    app.include_router(router)
    async with client_of(app) as client:
        yield client, book


ORDER = {"query": "mutation { order { number } }"}
ROUTES = {
    "POST /v1/fast": None,
    "POST /v1/slow": {"a": "b"},
    "POST /v1/bulk": ["a"],
    "POST /v1/required": {"a": "b"},
    "PUT /v1/when/ann": None,
    "POST /v1/when": {"a": "b"},
    "POST /v1/hidden": {"a": "b"},
    "POST /plain": {"a": "b"},
    "POST /graphql": ORDER,
    "POST /graphql?in=namespace": {"query": "mutation { orders { order { number } } }"},
}
WITH_RULES_BY_INPUTS = {
    name: body for name, body in ROUTES.items() if "when" in name or "graphql" in name
}
ANN = "ann;orders:write"
STRANGERS = {None: 401, "ann": 403, "ann;orders:read": 403, "bob;other": 403}
OUT_OF_ORDER = {"a b": "malformed", "short": "easy to guess", '"open': "malformed", KEY: "good"}


async def ask(client, route, viewer, *, key=KEY, body="the usual", **options):
    """Send a keyed request, and return its status, or that of its first error."""
    method, _, path = route.partition(" ")
    headers = {"idempotency-key": key} if key else {}
    headers |= {"x-viewer": viewer} if viewer else {}
    content = ROUTES[route] if body == "the usual" else body
    sent = {} if content is None else {"json": content}
    answer = await client.request(method, path, headers=headers, **(options or sent))
    return answer, status_of(answer)


def status_of(answer) -> int:
    """Return the status of an answer; of GraphQL that of its first error."""
    body = answer.json()
    errors = body.get("errors", ()) if isinstance(body, dict) and answer.status_code == 200 else ()
    return errors[0]["extensions"]["status"] if errors else answer.status_code


@pytest.mark.mostly_slow
@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("key", [*OUT_OF_ORDER, "", None])
async def test_access_is_checked_before_the_key(route, key):
    """401 and 403 precede 400, whether the key is malformed or missing."""
    async with opened() as (client, book):
        statuses = {viewer: (await ask(client, route, viewer, key=key))[1] for viewer in STRANGERS}

    assert statuses == STRANGERS
    assert book.done == 0


@pytest.mark.parametrize("route", ROUTES)
async def test_a_stored_answer_needs_the_current_rights(route):
    """A caller who lost the scope is refused; one who still has it gets the answer."""
    async with opened() as (client, book):
        first, _ = await ask(client, route, ANN)
        lost = {viewer: (await ask(client, route, viewer))[1] for viewer in STRANGERS}
        again, _ = await ask(client, route, ANN)

    assert lost == STRANGERS
    assert (first.status_code, first.json()) == (again.status_code, again.json())
    assert again.headers["idempotency-replayed"] == "true"
    assert book.done == 1


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("viewer", ["ann;orders:write more", "ann;orders:write;staff"])
async def test_an_answer_to_other_rights_is_not_replayed(route, viewer):
    """Nor is the request executed again: 422, as for a key of another body."""
    async with opened() as (client, book):
        await ask(client, route, ANN)
        other, status = await ask(client, route, viewer)
        again, _ = await ask(client, route, ANN)

    assert (status, other.json()["code"]) == (422, "idempotency_key_reused")
    assert "rights" in other.json()["detail"]
    assert again.headers["idempotency-replayed"] == "true"
    assert book.done == 1


class Refreshed(Doorman):
    """Gives a session, a client and a criticality that are others each time."""

    def __init__(self) -> None:
        self._count = 0

    async def authenticate(self, scope: Scope) -> Viewer | None:
        viewer = await super().authenticate(scope)
        self._count += 1
        name = f"{self._count}"
        values = {
            "session": name,
            "client": name,
            "criticality": ("critical", "sheddable")[self._count % 2],
        }
        return viewer and Viewer(viewer.subject, scopes=viewer.scopes, **values)


@pytest.mark.parametrize("route", ROUTES)
async def test_a_new_login_with_the_same_rights_gets_the_answer(route):
    """A refreshed token, another device and a rotated key have the same rights."""
    async with opened(Refreshed()) as (client, book):
        await ask(client, route, "ann;orders:write a")
        again, _ = await ask(client, route, "ann;a orders:write")

    assert again.headers["idempotency-replayed"] == "true"
    assert book.done == 1


@pytest.mark.parametrize("route", [one for one, body in ROUTES.items() if body])
async def test_a_key_of_another_body_reveals_nothing_to_others(route):
    """403 precedes 422."""
    other = {"query": "mutation { order { number __typename } }"} if "graphql" in route else ["b"]
    other = {"c": "d"} if isinstance(ROUTES[route], dict) and "graphql" not in route else other
    async with opened() as (client, _):
        await ask(client, route, ANN)
        own = (await ask(client, route, ANN, body=other))[1]
        statuses = {
            viewer: (await ask(client, route, viewer, body=other))[1] for viewer in STRANGERS
        }

    assert own == 422
    assert statuses == STRANGERS


@pytest.mark.virtual_time
@pytest.mark.parametrize("route", ROUTES)
async def test_other_callers_learn_nothing_of_a_request_in_progress(route):
    """403 precedes 409; only a rule that depends on inputs has to read the request first."""
    async with opened(clock=asyncio.get_running_loop().time) as (client, book):
        book.gate = asyncio.Event()
        first = asyncio.create_task(ask(client, route, ANN))
        await book.begun.wait()
        began = asyncio.get_running_loop().time()
        statuses = {viewer: (await ask(client, route, viewer))[1] for viewer in STRANGERS}
        passed = asyncio.get_running_loop().time() - began
        book.gate.set()
        await first

    assert statuses == STRANGERS
    assert passed == 0 or route in WITH_RULES_BY_INPUTS
    assert book.done == 1


@pytest.mark.parametrize("route", [*WITH_RULES_BY_INPUTS, "POST /v1/hidden"])
@pytest.mark.parametrize("served_by", ["fast path", "FastAPI"])
async def test_a_rule_on_inputs_runs_again(route, served_by):
    """It runs for a repeated request before any answer about the key."""
    async with opened() as (client, book):
        if served_by != "fast path":
            client._transport.app.dependency_overrides[object] = object  # its app
        await ask(client, route, ANN)
        book.blocked.add("ann")
        bodies = ["the usual", ROUTES[route] and {**ROUTES[route], "extra": "x"}]
        answers = [
            (await ask(client, route, ANN, key=key, body=body))[1]
            for key in (KEY, "a b")
            for body in bodies
        ]
        book.blocked.clear()
        again, _ = await ask(client, route, ANN)

    assert set(answers) == {404 if "hidden" in route else 403}
    assert again.headers["idempotency-replayed"] == "true"
    assert book.done == 1


@pytest.mark.parametrize("route", WITH_RULES_BY_INPUTS)
async def test_a_wrong_key_is_refused_after_a_rule_on_inputs(route):
    """The answer is 400 once the rule has passed, and nothing is executed."""
    async with opened() as (client, book):
        answer, status = await ask(client, route, ANN, key="a b")

    assert (status, answer.json()["code"], book.done) == (400, "bad_request", 0)


async def test_an_undecided_request_runs_again_with_current_rights():
    """No answer is stored, and services get the same keys."""
    async with opened() as (client, book):
        book.failing = True
        _, failed = await ask(client, "POST /graphql", ANN)
        book.failing = False
        _, done = await ask(client, "POST /graphql", "ann;orders:write more")

    assert (failed, done, book.done) == (503, 200, 2)
    assert book.keys[0] == book.keys[1]


async def test_a_field_below_a_mutation_needs_the_current_rights():
    """A caller who lost the scope of a field gets no answer that contains its value."""
    query = {"query": "mutation { order { number margin } }"}
    async with opened() as (client, book):
        rich, _ = await ask(client, "POST /graphql", "ann;orders:write margins:read", body=query)
        poor, status = await ask(client, "POST /graphql", ANN, body=query)

    assert rich.json()["data"] == {"order": {"number": 1, "margin": 30}}
    assert status == 422
    assert "margin" not in poor.text
    assert book.done == 1


@pytest.mark.parametrize(
    "query",
    [
        "mutation { mine: order { number } }",
        "mutation { ...F } fragment F on Mutation { order { number } }",
        "mutation { ... on Mutation { order { number } } }",
        "mutation ($no: Boolean = false) { order @skip(if: $no) { number } }",
        "mutation A { order { number } } mutation B { __typename }",
    ],
)
async def test_a_mutation_is_refused_in_any_form(query):
    """It may use an alias, a fragment or a directive."""
    body = {"query": query, "operationName": "A" if "mutation A" in query else None}
    async with opened() as (client, _):
        await ask(client, "POST /graphql", ANN, body=body)
        statuses = {
            one: (await ask(client, "POST /graphql", one, body=body))[1] for one in STRANGERS
        }
        again, _ = await ask(client, "POST /graphql", ANN, body=body)

    assert statuses == STRANGERS
    assert again.headers["idempotency-replayed"] == "true"


async def test_a_skipped_field_needs_no_rights():
    """The answer is that of the operation as it runs."""
    body = {"query": "mutation { order @skip(if: true) { number } __typename }"}
    async with opened() as (client, _):
        answers = [await ask(client, "POST /graphql", "bob;other", body=body) for _ in range(2)]

    assert [one.json()["data"] for one, _ in answers] == [{"__typename": "Mutation"}] * 2
    assert answers[1][0].headers["idempotency-replayed"] == "true"


async def test_an_argument_of_another_type_does_not_crash_a_rule():
    """A rule on inputs reads the arguments of a reused key, of any type."""
    query = 'mutation ($who: String = "ann") { order(customer: $who) { number } }'
    wrong = {"query": query, "variables": {"who": None}}
    async with opened() as (client, _):
        await ask(client, "POST /graphql", ANN, body={"query": query})
        reused, _ = await ask(client, "POST /graphql", ANN, body=wrong)
        keyless, _ = await ask(client, "POST /graphql", ANN, body=wrong, key=None)

    assert reused.status_code == 200
    assert reused.json()["errors"] == keyless.json()["errors"]
    assert "not to be None" in reused.json()["errors"][0]["message"]


async def test_a_query_ignores_a_malformed_key():
    """Queries need no key."""
    async with opened() as (client, _):
        answer, status = await ask(
            client, "POST /graphql", None, key="a b", body={"query": "{ __typename }"}
        )

    assert (status, answer.json()) == (200, {"data": {"__typename": "Query"}})


@pytest.mark.parametrize("route", ROUTES)
async def test_a_body_is_not_read_for_a_caller_without_access(route):
    """Only GraphQL reads it first, to know the fields."""
    method, _, target = route.partition(" ")
    path, read, sent = target.partition("?")[0], [], []

    async def receive():
        read.append(1)
        return {"type": "http.request", "body": b"{}", "more_body": False}

    async def send(message):
        sent.append(message)

    async with opened() as (client, _):
        headers = [(b"host", b"testserver"), (b"idempotency-key", b"a b"),
                   (b"content-type", b"application/json"), (b"content-length", b"2")]  # fmt: skip
        scope = {"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1",
                 "method": method, "path": path, "raw_path": path.encode(), "query_string": b"",
                 "root_path": "", "scheme": "http", "headers": headers}  # fmt: skip
        await client._transport.app(scope, receive, send)  # as a server calls it

    assert sent[0]["status"] == (400 if "graphql" in route else 401)
    assert bool(read) == ("graphql" in route)


def test_a_rule_on_inputs_of_a_plain_route_does_not_start():
    """The gateway does not know the inputs of a plain route, so the rule would never run."""
    app = gateway(
        "shop",
        settings=Settings(env="production", gc_freeze=False, allowed_hosts=["testserver"]),
        authenticator=Doorman(),
        events=Events(),
    )

    @app.get("/customers/{customer}")
    @access(Require(when=lambda viewer, of: of["customer"] == viewer.subject))
    async def get_customer(customer: str) -> str:
        return customer

    with pytest.raises(ConfigurationError, match=r"/customers/\{customer\}: Require"):
        app.build_middleware_stack()


async def test_a_mounted_application_is_behind_the_same_rule():
    """The mount itself declares the rule."""
    async with opened() as (client, _):
        client._transport.app.mount("/files", access(WRITE)(PlainTextResponse("file")))  # its app
        statuses = [
            (await client.post("/files/x", headers={"idempotency-key": "a b"} | who)).status_code
            for who in ({}, {"x-viewer": "ann"}, {"x-viewer": ANN})
        ]

    assert statuses == [401, 403, 400]
