"""Errors: stable codes, masked messages, and events for bugs."""

from typing import Annotated

import pytest
import strawberry
from fastapi import Query
from graph_shop import Mutation
from graph_shop import Query as ShopQuery
from graphql import GraphQLError, ValidationRule
from strawberry.extensions import AddValidationRules, SchemaExtension

from bff_core import ANYONE, Composition, NotAllowed, access, critical
from bff_core.events import Crashed
from bff_core.graphql import Info
from bff_core.testing.scripted import reply

PROBLEM = b'{"detail": "The title is taken."}'
RESPONSE = {"accept": "application/graphql-response+json"}


@access(ANYONE)
@strawberry.type
class Trouble:
    """Fields that fail in different ways."""

    @strawberry.field
    def forbidden(self) -> str | None:
        raise NotAllowed("This needs the scope 'admin'.")

    @strawberry.field
    async def said(self) -> str | None:
        raise GraphQLError("The voucher has expired.", extensions={"code": "voucher_expired"})

    @strawberry.field
    async def blurted(self) -> str | None:
        raise GraphQLError("select * from vouchers")

    @strawberry.field
    def quoted(self) -> int | None:
        return "hunter2"

    @strawberry.field
    async def absent(self) -> int:
        return None

    @strawberry.field
    def double(self, number: int) -> int | None:
        return number * 2


def crashes(shop):
    """Return the `Crashed` events."""
    return [event for event in shop.heard if isinstance(event, Crashed)]


@pytest.mark.parametrize("field", ["blurted", "quoted"])
async def test_messages_not_written_for_clients_are_masked(shop, field):
    """Clients see neither the text of a bug nor a value that does not fit its type."""
    async with shop(schema=strawberry.Schema(Trouble)) as open_shop:
        answer = await open_shop.ask(f"{{ {field} }}")

    (error,) = answer.json()["errors"]
    assert error["message"] == "Internal error"
    assert error["extensions"] == {"code": "internal_error", "status": 500}
    assert [event.where for event in crashes(open_shop)] == [f"graphql {field}"]


async def test_null_in_a_non_null_field_is_masked(shop):
    """It is a bug of the gateway: data is null, and an event reports it."""
    async with shop(schema=strawberry.Schema(Trouble)) as open_shop:
        answer = await open_shop.ask("{ absent }", RESPONSE)

    assert answer.status_code == 200
    assert answer.json()["data"] is None
    assert answer.json()["errors"][0]["message"] == "Internal error"
    assert len(crashes(open_shop)) == 1


async def test_unexpected_exception_is_masked_and_emitted_as_an_event(shop):
    """Its text is not sent; the event has the field and the request's id."""
    async with shop() as open_shop:
        answer = await open_shop.ask('{ products(ids: ["7"]) { broken } }')

    (event,) = crashes(open_shop)
    assert "hunter2" not in answer.text
    assert answer.json()["errors"][0]["path"] == ["products", 0, "broken"]
    assert isinstance(event.error, KeyError)
    assert event.where == "graphql products.broken"
    assert event.request_id == answer.headers["x-request-id"]


async def test_errors_of_the_caller_are_sent_as_written(shop):
    """A mistake of the client has its message and code, and emits no event."""
    async with shop(schema=strawberry.Schema(Trouble)) as open_shop:
        answer = await open_shop.ask("{ forbidden said }")

    answered = {error["path"][0]: error for error in answer.json()["errors"]}
    assert answered["forbidden"]["message"] == "This needs the scope 'admin'."
    assert answered["forbidden"]["extensions"] == {"code": "not_allowed", "status": 403}
    assert answered["said"]["message"] == "The voucher has expired."
    assert answered["said"]["extensions"]["code"] == "voucher_expired"
    assert crashes(open_shop) == []


async def test_problem_of_a_service_is_passed_on(shop):
    """A 409 of a critical part has its detail, so that the client can show the reason."""
    async with shop() as open_shop:
        open_shop.scripts["catalog"].then(
            reply(409, PROBLEM, headers={"content-type": "application/problem+json"})
        )

        answer = await open_shop.ask('mutation { rename(productId: "7", title: "x") { id } }')

    (error,) = answer.json()["errors"]
    assert error["message"] == "The title is taken."
    assert error["extensions"] == {"code": "conflict", "status": 409}


@pytest.mark.parametrize("wait", ["7", "Sun, 29 Nov 2026 01:00:07 GMT"])
@pytest.mark.parametrize(("status", "code"), [(409, "conflict"), (429, "bad_status")])
async def test_errors_have_the_seconds_of_retry_after(shop, status, code, wait):
    """An error within a result has no header, so `Retry-After` is in its extensions."""
    headers = {"retry-after": wait, "date": "Sun, 29 Nov 2026 01:00:00 GMT"}
    async with shop() as open_shop:
        open_shop.scripts["catalog"].then(reply(status, b"", headers=headers))

        answer = await open_shop.ask('mutation { rename(productId: "7", title: "x") { id } }')

    (error,) = answer.json()["errors"]
    shown = 503 if status == 429 else status
    found = {name: error["extensions"][name] for name in ("code", "status", "retry_after")}
    assert found == {"code": code, "status": shown, "retry_after": 7}


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{", "query_not_parsed"),
        ("", "query_not_parsed"),
        ("{ nope }", "query_not_valid"),
        ('{ product(id: "7") }', "query_not_valid"),
        ("query($n: Int!) { product(id: $n) { id } }", "query_not_valid"),
    ],
)
async def test_invalid_query_is_refused(shop, query, code):
    """Syntax and validation errors have locations and codes; nothing is executed."""
    async with shop() as open_shop:
        answer = await open_shop.ask(query, RESPONSE)

    assert answer.status_code == 400
    assert "data" not in answer.json()
    assert answer.json()["errors"][0]["extensions"] == {"code": code, "status": 400}
    assert answer.json()["errors"][0]["locations"]
    assert answer.headers["cache-control"] == "no-store"


async def test_wrong_variable_is_refused(shop):
    """It is the client's mistake, and is found before any field runs."""
    async with shop(schema=strawberry.Schema(Trouble)) as open_shop:
        query = "query($n: Int!) { double(number: $n) }"

        answer = await open_shop.ask(query, RESPONSE, n="many")

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["extensions"] == {"code": "invalid_input", "status": 400}
    assert "$n" in answer.json()["errors"][0]["message"]
    assert crashes(open_shop) == []


async def test_wrong_argument_is_the_clients_mistake(shop):
    """A null variable for an argument that needs a value fails its field, with its message."""
    async with shop(schema=strawberry.Schema(Trouble)) as open_shop:
        query = "query($n: Int = 1) { double(number: $n) }"

        answer = await open_shop.ask(query, RESPONSE, n=None)

    assert answer.status_code == 200
    assert answer.json()["errors"][0]["extensions"]["code"] == "invalid_input"


async def test_schema_is_hidden_in_production(shop):
    """There is no introspection, and errors suggest no names."""
    async with shop(env="production") as open_shop:
        schema = await open_shop.ask("{ __schema { queryType { name } } }")
        guess = await open_shop.ask('{ product(id: "7") { titel } }')

    assert schema.json()["errors"][0]["extensions"]["code"] == "query_not_valid"
    assert "title" not in guess.text


async def test_introspection_can_be_enabled(shop):
    """It is an option; in development it is on."""
    async with shop(env="production", introspection=True) as open_shop:
        answer = await open_shop.ask("{ __schema { queryType { name } } }")

    assert answer.json()["data"] == {"__schema": {"queryType": {"name": "Query"}}}


class Stamp(SchemaExtension):
    """An extension of the author."""

    def get_results(self):
        return {"stamp": "1"}


class NoLanguage(ValidationRule):
    """A validation rule of the author."""

    def enter_field(self, node, *_):
        if node.name.value == "language":
            self.report_error(GraphQLError("Not that.", node))


async def test_extensions_of_the_schema_keep_working(shop):
    """Extensions of Strawberry may add results and validation rules."""
    extensions = [Stamp, lambda: AddValidationRules([NoLanguage])]
    schema = strawberry.Schema(ShopQuery, Mutation, extensions=extensions)

    async with shop(schema=schema) as open_shop:
        served = await open_shop.ask('{ product(id: "7") { title } }')
        refused = await open_shop.ask("{ language }")

    assert served.json()["extensions"]["stamp"] == "1"
    assert served.json()["extensions"]["parts"] == {"product": {"status": "ok"}}
    assert refused.json()["errors"][0]["message"] == "Not that."


async def test_schema_of_the_author_is_not_changed(shop):
    """The same schema can be executed elsewhere, and served twice."""
    schema = strawberry.Schema(ShopQuery, Mutation)

    async with shop(schema=schema), shop(schema=schema) as second:
        answer = await second.ask('{ product(id: "7") { rating } }')

    assert answer.status_code == 200
    assert list(schema.extensions) == []
    assert (await schema.execute("{ __typename }")).data == {"__typename": "Query"}


@access(ANYONE)
@strawberry.type
class Nosy:
    """A field that reads the viewer."""

    @strawberry.field
    def who(self, info: Info) -> str:
        return info.context.viewer.subject or "stranger"


async def test_resolvers_get_an_anonymous_viewer(shop):
    """A resolver can read the viewer without building a composition."""
    async with shop(schema=strawberry.Schema(Nosy)) as open_shop:
        answer = await open_shop.ask("{ who }")

    assert answer.json() == {"data": {"who": "stranger"}}


class Bounded(Composition):
    """A composition whose input has bounds."""

    first: Annotated[int, Query(ge=1, le=50)] = 10

    @critical
    async def numbers(self) -> list[int]:
        return list(range(self.first))


@access(ANYONE)
@strawberry.type
class Listing:
    """A field with that composition."""

    @strawberry.field
    async def numbers(self, info: Info, first: int = 10) -> list[int]:
        return await info.context.compose(Bounded, first=first).numbers()


@pytest.mark.parametrize("first", [0, 51])
async def test_bounds_of_inputs_are_checked_as_in_rest(shop, first):
    """`Query(le=50)` of an input is checked in GraphQL as well."""
    async with shop(schema=strawberry.Schema(Listing)) as open_shop:
        answer = await open_shop.ask(f"{{ numbers(first: {first}) }}")

    assert answer.json()["errors"][0]["extensions"] == {"code": "invalid_input", "status": 422}
    assert answer.json()["errors"][0]["message"].startswith("first: Input should be")


async def test_inputs_within_bounds_are_accepted(shop):
    """The bounds are inclusive."""
    async with shop(schema=strawberry.Schema(Listing)) as open_shop:
        answer = await open_shop.ask("{ a: numbers(first: 1) b: numbers(first: 50) }")

    assert [len(numbers) for numbers in answer.json()["data"].values()] == [1, 50]


async def test_the_same_bug_in_each_item_is_reported_once(shop):
    """A list of a thousand items does not log a thousand tracebacks."""
    query = "query Q($ids: [ID!]!) { products(ids: $ids) { broken wrong } }"
    async with shop() as open_shop:
        answer = await open_shop.ask(query, ids=[str(n) for n in range(20)])

    assert len(answer.json()["errors"]) == 40
    assert [crash.where for crash in crashes(open_shop)] == [
        "graphql products.broken",
        "graphql products.wrong",
    ]
